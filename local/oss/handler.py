"""
The HTTP side of the local OSS: one PostObject, GET, HEAD or DELETE after another.
"""

import base64
import binascii
import contextlib
import hashlib
import shutil
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from python_multipart.multipart import parse_options_header

from local.ground.faults import DROP, SLOW, Fault, Faults
from local.ground.http_server import PIECE_BYTES
from local.oss import errors
from local.oss.access import DELETE, authorize
from local.oss.attributes import ACL_FIELD
from local.oss.bucket import Bucket
from local.oss.callback import fill_body, variables_of
from local.oss.callback_delivery import PUBLIC_KEY_PATH, CallbackSigner, callback_failed, deliver
from local.oss.connection import XML, Connection, latin
from local.oss.errors import OssError, xml_text
from local.oss.form import Form, FormReader
from local.oss.objects import StoredObject
from local.oss.post import Upload
from local.oss.reading import open_object
from local.oss.request import Request, read_request

# The status is not documented; a browser has to follow with GET.
REDIRECT_STATUS = 303
REFUSALS_BY_FAULT = {
    "status_503": errors.BUSY,
    "status_500": errors.INTERNAL,
    "expired_form": errors.POLICY_EXPIRED,
}
ANSWER_LOST, CALLBACK_FAILS = "answer_lost", "callback_fails"
FAULTS = (SLOW, DROP, ANSWER_LOST, CALLBACK_FAILS, *REFUSALS_BY_FAULT)


class OssHandler(Connection):
    """One connection to the local OSS, by what is asked."""

    def __init__(self, bucket: Bucket, faults: Faults, signer: CallbackSigner, *args: Any) -> None:
        self.faults = faults
        self.signer = signer
        super().__init__(bucket, *args)

    def do_POST(self) -> None:
        if self.serve_faults(self.faults):
            return
        try:
            length = self.body_length()
        except OssError as error:
            self.refuse_unread(error)
            return
        fault = self.faults.take()
        if fault and self.play(fault, {}):
            return
        body = self.body(length)
        try:
            self._post_object(body, fault)
        except OssError as error:
            with contextlib.suppress(OssError):  # the rest may be missing
                for _ in body:  # an answer in mid-body would reach most clients as a reset
                    pass
            self.refuse(error)

    def do_GET(self) -> None:
        if self.serve_faults(self.faults):
            return
        if self.path.partition("?")[0] == PUBLIC_KEY_PATH:  # an object of this name cannot be read back
            self.answer(200, self.signer.public_pem, "application/x-pem-file")
            return
        try:
            request = self._request()
            headers, file = open_object(request, self.bucket)
        except OssError as error:
            self.refuse(error)
            return
        with file:
            self.send_response(200)
            for name, value in headers.items():
                self.send_header(name, latin(value))
            self.end_headers()
            if self.command != "HEAD":
                shutil.copyfileobj(file, self.wfile, PIECE_BYTES)

    do_HEAD = do_GET

    def do_DELETE(self) -> None:
        if self.serve_faults(self.faults):
            return
        try:
            if self.is_of_foreign_page():
                raise OssError(errors.CORS_FORBIDS)
            request = self._request()
            authorize(request, self.bucket, DELETE)
            self.bucket.objects.delete(request.key)
        except OssError as error:
            self.refuse(error)
            return
        self.answer(204)

    def do_PUT(self) -> None:
        if not self.serve_faults(self.faults):
            self.refuse_unread(OssError(errors.METHOD_NOT_ALLOWED))

    def do_OPTIONS(self) -> None:
        """A bucket whose CORS rules let pages of any origin upload and read, and delete nothing."""
        asked = self.headers.get("Access-Control-Request-Headers", "*")
        self.answer(
            200,
            Access_Control_Allow_Methods="GET, HEAD, POST, PUT",
            Access_Control_Allow_Headers=" ".join(asked.split()),
            Access_Control_Max_Age="600",
        )

    def _request(self) -> Request:
        self.check_endpoint()
        return read_request(self.command, self.path, self.headers.items())

    def _post_object(self, body: Iterator[bytes], fault: Fault | None) -> None:
        kind = fault.kind if fault else ""
        self.check_endpoint()
        if kind in REFUSALS_BY_FAULT:
            raise OssError(REFUSALS_BY_FAULT[kind])
        upload = Upload(self.bucket, self.headers.get(ACL_FIELD))
        try:
            form = self._receive(body, upload)
            stored = upload.finish()
        finally:
            upload.discard()
        answer = b""
        try:
            if kind == CALLBACK_FAILS:
                raise callback_failed()
            answer = self._call_back(upload, form, stored)
        except OssError as error:
            if kind == ANSWER_LOST:
                self.drop_connection()
            else:
                self.refuse(error, ETag=f'"{stored.etag}"')
            return
        if kind == ANSWER_LOST:  # stored, and the client never learns it
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
        reader = FormReader(options[b"boundary"], self.bucket.rules, upload.open_file)
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
            stored, self.bucket.name, form.fields, self.request_id, self.client_address[0]
        )
        return deliver(callback, fill_body(callback, variables), self.signer, self.bucket.rules)

    def _answer_stored(self, upload: Upload, stored: StoredObject, callback_answer: bytes) -> None:
        attributes = upload.admission.attributes
        headers = {"ETag": f'"{stored.etag}"'}
        if "x-oss-server-side-encryption" in stored.headers:
            headers["x-oss-server-side-encryption"] = stored.headers["x-oss-server-side-encryption"]
        if callback_answer:
            # How 201, 204 or a redirect go with a callback is not documented; its answer needs a body.
            self.answer(200, callback_answer, "application/json", **headers)
        elif attributes.redirect is not None:
            self.answer(REDIRECT_STATUS, b"", XML, Location=latin(attributes.redirect), **headers)
        elif attributes.success_status == 201:
            self.answer(201, self._post_response(stored), XML, **headers)
        else:
            self.answer(attributes.success_status, b"", XML, **headers)

    def _post_response(self, stored: StoredObject) -> bytes:
        elements = {
            "Bucket": self.bucket.name,
            "Location": f"{self.server.origin}/{quote(stored.key)}",
            "Key": stored.key,
            "ETag": f'"{stored.etag}"',
        }
        inner = "".join(f"  <{name}>{xml_text(value)}</{name}>\n" for name, value in elements.items())
        return f'<?xml version="1.0" encoding="UTF-8"?>\n<PostResponse>\n{inner}</PostResponse>\n'.encode()
