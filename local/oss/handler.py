"""
The HTTP side of the local OSS: one PostObject, GET, HEAD or DELETE after another.
"""

import base64
import binascii
import contextlib
import hashlib
import re
import secrets
import shutil
import socket
import time
from collections.abc import Iterator
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote_to_bytes

from python_multipart.multipart import parse_options_header

from local.ground.faults import Fault
from local.ground.http_server import Handler
from local.oss import errors
from local.oss.attributes import ACL_FIELD, META_PREFIX
from local.oss.callback import fill_body, variables_of
from local.oss.callback_delivery import PUBLIC_KEY_PATH, callback_failed, deliver
from local.oss.errors import OssError, error_xml, xml_text
from local.oss.form import Form, FormReader
from local.oss.objects import StoredObject
from local.oss.post import Upload

if TYPE_CHECKING:
    from local.oss.server import OssServer

XML = "application/xml"
CHUNK_BYTES = 256 * 1024
# What is read and thrown away after an answer to a body that will not be read, and for how long: a client
# that is still sending would else see a reset in place of the answer.
LINGER_BYTES = 64 * 1024 * 1024
LINGER_SECONDS = 2.0
# The status is not documented; a browser has to follow with GET.
REDIRECT_STATUS = 303
CORS_EXPOSED = "ETag, x-oss-request-id, x-oss-ec, x-oss-storage-class, x-oss-server-side-encryption"
FAULTS = "drop_before drop_after status_503 status_500 slow expired callback_fails".split()
REFUSALS_BY_FAULT = {
    "status_503": errors.BUSY,
    "status_500": errors.INTERNAL,
    "expired": errors.POLICY_EXPIRED,
}


class OssHandler(Handler):
    """One connection to the local OSS."""

    request_id = ""

    def __init__(self, oss: "OssServer", *args: Any) -> None:
        self.oss = oss
        super().__init__(*args)

    # What every answer carries

    def parse_request(self) -> bool:
        self.request_id = secrets.token_hex(12).upper()
        return super().parse_request()

    def version_string(self) -> str:
        return "AliyunOSS"

    def send_response(self, code: int, message: str | None = None) -> None:
        super().send_response(code, message)
        self.send_header("x-oss-request-id", self.request_id)
        self.send_header("Access-Control-Allow-Origin", "*")
        self.send_header("Access-Control-Expose-Headers", CORS_EXPOSED)

    def handle_one_request(self) -> None:
        try:
            super().handle_one_request()
        except ConnectionError:  # the client has gone; nobody is left to tell
            self.close_connection = True

    # Methods

    def do_POST(self) -> None:
        if self.serve_faults(self.oss.faults):
            return
        try:
            length = self._body_length()
        except OssError as error:
            self._answer_unread(error)
            return
        fault = self.oss.faults.take()
        if fault and fault.kind == "drop_before":
            self.drop_connection()
            return
        if fault and fault.kind == "slow":
            time.sleep(fault.seconds)
        body = self._body(length)
        try:
            self._post_object(body, fault)
        except OssError as error:
            with contextlib.suppress(OssError):  # the rest may be missing
                for _ in body:  # an answer in mid-body would reach most clients as a reset
                    pass
            self._answer_error(error)

    def do_GET(self) -> None:
        if self.serve_faults(self.oss.faults):
            return
        path = self.path.partition("?")[0]
        if path == PUBLIC_KEY_PATH:  # an object of this name cannot be read back
            self.answer(200, self.oss.signer.public_pem, "application/x-pem-file")
            return
        try:
            # Private objects too: on the local cloud whoever uploads also wants to look.
            stored, file = self.oss.objects.open(_key_of(path))
        except OssError as error:
            self._answer_error(error)
            return
        with file:
            self.send_response(200)
            for name, value in _object_headers(stored).items():
                self.send_header(name, _latin(value))
            self.end_headers()
            if self.command != "HEAD":
                shutil.copyfileobj(file, self.wfile, CHUNK_BYTES)

    do_HEAD = do_GET

    def do_DELETE(self) -> None:
        if self.serve_faults(self.oss.faults):
            return
        try:
            self.oss.objects.delete(_key_of(self.path.partition("?")[0]))
        except OssError as error:
            self._answer_error(error)
            return
        self.answer(204)

    def do_PUT(self) -> None:
        if not self.serve_faults(self.oss.faults):
            self._answer_unread(OssError(errors.METHOD_NOT_ALLOWED))

    def do_OPTIONS(self) -> None:
        """A bucket whose CORS rules allow everything."""
        asked = self.headers.get("Access-Control-Request-Headers", "*")
        self.answer(
            200,
            Access_Control_Allow_Methods="GET, HEAD, POST, PUT, DELETE",
            Access_Control_Allow_Headers=" ".join(asked.split()),
            Access_Control_Max_Age="600",
        )

    # PostObject

    def _post_object(self, body: Iterator[bytes], fault: Fault | None) -> None:
        kind = fault.kind if fault else ""
        if kind in REFUSALS_BY_FAULT:
            raise OssError(REFUSALS_BY_FAULT[kind])
        upload = Upload(self.oss.bucket, self.oss.rules, self.headers.get(ACL_FIELD))
        try:
            form = self._receive(body, upload)
            stored = upload.finish()
        finally:
            upload.discard()
        answer = b""
        try:
            if kind == "callback_fails":
                raise callback_failed()
            answer = self._call_back(upload, form, stored)
        except OssError as error:
            if kind == "drop_after":
                self.drop_connection()
            else:
                self._answer_error(error, ETag=f'"{stored.etag}"')
            return
        if kind == "drop_after":  # stored, and the client never learns it
            self.drop_connection()
            return
        self._answer_stored(upload, stored, answer)

    def _receive(self, body: Iterator[bytes], upload: Upload) -> Form:
        if self.path.partition("?")[0] != "/":
            raise OssError(errors.METHOD_NOT_ALLOWED)
        kind, options = parse_options_header(self.headers.get("Content-Type"))
        if kind != b"multipart/form-data":
            raise OssError(errors.NOT_MULTIPART)
        if not options.get(b"boundary"):
            raise OssError(errors.MALFORMED)
        expected_digest = self._content_md5()
        digest = hashlib.md5(usedforsecurity=False) if expected_digest else None
        reader = FormReader(options[b"boundary"], self.oss.rules, upload.open_file)
        for chunk in body:
            if digest:
                digest.update(chunk)
            reader.feed(chunk)
        form = reader.finish()
        if digest and digest.digest() != expected_digest:
            raise OssError(errors.INVALID_DIGEST)
        return form

    def _content_md5(self) -> bytes | None:
        """The header Content-MD5, which covers the whole body and not just the file."""
        text = self.headers.get("Content-MD5")
        if text is None:
            return None
        try:
            digest = base64.b64decode(text, validate=True)
        except binascii.Error:
            digest = b""
        if len(digest) != hashlib.md5(usedforsecurity=False).digest_size:
            raise OssError(errors.INVALID_DIGEST)
        return digest

    def _call_back(self, upload: Upload, form: Form, stored: StoredObject) -> bytes:
        callback = upload.admission.callback
        if callback is None:
            return b""
        variables = variables_of(
            stored, self.oss.bucket.name, form.fields, self.request_id, self.client_address[0]
        )
        return deliver(callback, fill_body(callback, variables), self.oss.signer, self.oss.rules)

    def _answer_stored(self, upload: Upload, stored: StoredObject, callback_answer: bytes) -> None:
        attributes = upload.admission.attributes
        headers = {"ETag": f'"{stored.etag}"'}
        if "x-oss-server-side-encryption" in stored.headers:
            headers["x-oss-server-side-encryption"] = stored.headers["x-oss-server-side-encryption"]
        if callback_answer:
            # How 201, 204 or a redirect go with a callback is not documented; its answer needs a body.
            self.answer(200, callback_answer, "application/json", **headers)
        elif attributes.redirect is not None:
            self.answer(REDIRECT_STATUS, b"", XML, Location=_latin(attributes.redirect), **headers)
        elif attributes.success_status == 201:
            self.answer(201, self._post_response(stored), XML, **headers)
        else:
            self.answer(attributes.success_status, b"", XML, **headers)

    def _post_response(self, stored: StoredObject) -> bytes:
        elements = {
            "Bucket": self.oss.bucket.name,
            "Location": f"{self.oss.origin}/{quote(stored.key)}",
            "Key": stored.key,
            "ETag": f'"{stored.etag}"',
        }
        inner = "".join(f"  <{name}>{xml_text(value)}</{name}>\n" for name, value in elements.items())
        return f'<?xml version="1.0" encoding="UTF-8"?>\n<PostResponse>\n{inner}</PostResponse>\n'.encode()

    # Bodies and refusals

    def _body_length(self) -> int:
        """
        Raises:
            OssError: unknown (a chunked body is not taken) or over 5 GB; the body is still unread.
        """
        text = self.headers.get("Content-Length", "")
        if "Transfer-Encoding" in self.headers or not re.fullmatch("[0-9]{1,19}", text):
            raise OssError(errors.NO_LENGTH)
        if int(text) > self.oss.rules.max_body_bytes:
            raise OssError(errors.TOO_LARGE)
        return int(text)

    def _body(self, length: int) -> Iterator[bytes]:
        """
        The body in pieces; when it breaks off there is no next request on this connection.

        Raises:
            OssError: broken off.
        """
        while length:
            try:
                chunk = self.rfile.read1(min(length, CHUNK_BYTES))
            except TimeoutError:
                chunk = b""
            if not chunk:
                self.close_connection = True
                raise OssError(errors.MALFORMED)
            length -= len(chunk)
            yield chunk

    def _answer_error(self, error: OssError, **headers: str) -> None:
        body = error_xml(error, self.request_id, self.oss.host_id)
        self.answer(error.refusal.status, body, XML, x_oss_ec=error.refusal.ec, **headers)

    def _answer_unread(self, error: OssError) -> None:
        """Refuse without reading the body, and make sure that the refusal arrives."""
        self.close_connection = True
        self._answer_error(error, Connection="close")
        self.wfile.flush()
        self.connection.shutdown(socket.SHUT_WR)
        self.connection.settimeout(LINGER_SECONDS)
        left = LINGER_BYTES
        try:
            while left > 0 and (chunk := self.rfile.read1(CHUNK_BYTES)):
                left -= len(chunk)
        except OSError:
            pass  # gone or silent: it has had its time to read


def _key_of(path: str) -> str:
    try:
        return unquote_to_bytes(path.removeprefix("/")).decode()
    except UnicodeDecodeError:
        raise OssError(errors.INVALID_KEY) from None


def _object_headers(stored: StoredObject) -> dict[str, str]:
    return {
        "Content-Type": stored.content_type,
        "Content-Length": str(stored.size),
        "ETag": f'"{stored.etag}"',
        "Last-Modified": format_datetime(stored.modified, usegmt=True),
        "x-oss-object-type": "Normal",
        "x-oss-storage-class": stored.storage_class,
        **stored.headers,
        **{META_PREFIX + name: value for name, value in stored.metadata.items()},
    }


def _latin(value: str) -> str:
    """``http.server`` writes headers as Latin-1; this makes the bytes on the wire UTF-8."""
    return value.encode().decode("latin-1")
