"""The HTTP side of PostObject: a form, the object, the callback, and one of four answers."""

import contextlib
import hashlib
from collections.abc import Iterator
from io import BufferedReader
from typing import Any, cast
from urllib.parse import quote

from python_multipart.multipart import parse_options_header

from local.common.faults import Faults
from local.oss import errors
from local.oss.answer import XML
from local.oss.attributes import ACL_FIELD
from local.oss.body import measured
from local.oss.bucket import Bucket
from local.oss.callback import fill_body, variables_of
from local.oss.callback_delivery import CallbackSigner, callback_failed, deliver
from local.oss.connection import Connection, latin
from local.oss.errors import OssError, xml_text
from local.oss.form import Form, FormReader
from local.oss.post import Upload
from local.oss.reading import version_headers
from local.oss.storing import digest_of
from local.oss.versions import StoredObject

POST_OBJECT = "PostObject"
# The status is not documented; a browser has to follow with GET.
REDIRECT_STATUS = 303
REFUSALS_BY_FAULT = {
    "status_503": errors.BUSY,
    "status_500": errors.INTERNAL,
    "expired_form": errors.POLICY_EXPIRED,
    "expired_url": errors.URL_EXPIRED,
}
ANSWER_LOST, CALLBACK_FAILS = "answer_lost", "callback_fails"


class FormConnection(Connection):
    """One connection to the local OSS that takes forms."""

    def __init__(self, bucket: Bucket, faults: Faults, signer: CallbackSigner, *args: Any) -> None:
        self.faults = faults
        self.signer = signer
        super().__init__(bucket, *args)

    def take_form(self) -> None:
        """Serve one PostObject, whatever is wrong with it."""
        try:
            length = self.body_length()
        except OssError as error:
            self.refuse_unread(error)
            return
        fault = self.faults.take(POST_OBJECT)
        if fault and self.play(fault, {}):
            return
        self.bucket.catch_up()
        body = self.body(measured(cast(BufferedReader, self.rfile), length), errors.MALFORMED)
        try:
            self._post_object(body, fault.kind if fault else "")
        except OssError as error:
            with contextlib.suppress(OssError):  # the rest may be missing
                for _ in body:  # an answer in mid-body would reach most clients as a reset
                    pass
            self.refuse(error)

    def _post_object(self, body: Iterator[bytes], kind: str) -> None:
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
        expected_digest = digest_of({name.lower(): value for name, value in self.headers.items()})
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

    def _call_back(self, upload: Upload, form: Form, stored: StoredObject) -> bytes:
        callback = upload.admission.callback
        if callback is None:
            return b""
        variables = variables_of(
            stored, self.bucket.name, form.fields, self.request_id, self.client_address[0]
        )
        return deliver(callback, fill_body(callback, variables), self.signer, self.bucket.rules)

    def _answer_stored(self, upload: Upload, stored: StoredObject, callback_answer: bytes) -> None:
        success = upload.admission.success
        headers = {"ETag": f'"{stored.etag}"', **version_headers(stored, self.bucket)}
        if "x-oss-server-side-encryption" in stored.headers:
            headers["x-oss-server-side-encryption"] = stored.headers["x-oss-server-side-encryption"]
        if callback_answer:
            # How 201, 204 or a redirect go with a callback is not documented; its answer needs a body.
            self.answer(200, callback_answer, "application/json", **headers)
        elif success.redirect is not None:
            self.answer(REDIRECT_STATUS, b"", XML, Location=latin(success.redirect), **headers)
        elif success.status == 201:
            self.answer(201, self._post_response(stored), XML, **headers)
        else:
            self.answer(success.status, b"", XML, **headers)

    def _post_response(self, stored: StoredObject) -> bytes:
        elements = {
            "Bucket": self.bucket.name,
            "Location": f"{self.server.origin}/{quote(stored.key)}",
            "Key": stored.key,
            "ETag": f'"{stored.etag}"',
        }
        inner = "".join(f"  <{name}>{xml_text(value)}</{name}>\n" for name, value in elements.items())
        return f'<?xml version="1.0" encoding="UTF-8"?>\n<PostResponse>\n{inner}</PostResponse>\n'.encode()
