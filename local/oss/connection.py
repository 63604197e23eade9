"""
Connection of the local OSS: request id, CORS headers, errors in XML, bodies read in pieces.
"""

import base64
import re
import secrets
from collections.abc import Iterator
from io import BufferedReader
from typing import Any, cast

from local.common.http_server import PIECE_BYTES, Handler
from local.common.reach import LOOPBACK
from local.oss import errors
from local.oss.answer import XML
from local.oss.bucket import Bucket
from local.oss.cors import cors_headers
from local.oss.errors import OssError, error_xml


class Connection(Handler):
    """One connection to the local OSS, before it is known what is asked."""

    request_id = ""
    # A bucket has many names; what it does for none of them without a signature, it does for none.
    has_any_name = True

    def __init__(self, bucket: Bucket, *args: Any) -> None:
        self.bucket = bucket
        super().__init__(*args)

    def parse_request(self) -> bool:
        self.request_id = secrets.token_hex(12).upper()
        return super().parse_request()

    def version_string(self) -> str:
        return "AliyunOSS"

    def send_response(self, code: int, message: str | None = None) -> None:
        super().send_response(code, message)
        self.send_header("x-oss-request-id", self.request_id)
        for name, value in self.cors_headers().items():
            self.send_header(name, value)

    def cors_headers(self) -> dict[str, str]:
        """Headers for the page that asks; a request that could not be read has no headers of its own."""
        given = getattr(self, "headers", {})
        method = given.get("Access-Control-Request-Method", getattr(self, "command", ""))
        return cors_headers(self.bucket.cors, given.get("Origin", ""), method)

    def handle_one_request(self) -> None:
        try:
            super().handle_one_request()
        except ConnectionError:  # the client has gone; nobody is left to tell
            self.close_connection = True

    @property
    def is_default_host(self) -> bool:
        """Return whether the bucket was called by its own name, which 127.0.0.1 plays here."""
        name = (self.headers.get("Host") or "").partition(":")[0]
        return name in (LOOPBACK, self.server.reach.name) or (
            name.endswith(".aliyuncs.com") and not name.endswith("-internal.aliyuncs.com")
        )

    def check_endpoint(self) -> None:
        """
        Raises:
            OssError: the bucket's default host was asked, whose rules forbid that.
        """
        if self.is_default_host and self.bucket.rules.public_endpoint_forbidden:
            raise OssError(errors.PUBLIC_ENDPOINT)

    def body_length(self) -> int:
        """
        Raises:
            OssError: unknown (a chunked body is not taken) or over 5 GB; the body is still unread.
        """
        text = self.headers.get("Content-Length", "")
        if "Transfer-Encoding" in self.headers or not re.fullmatch("[0-9]{1,19}", text):
            raise OssError(errors.NO_LENGTH)
        if int(text) > self.bucket.rules.max_body_bytes:
            raise OssError(errors.TOO_LARGE)
        return int(text)

    def body(self, length: int, broken_off: errors.Refusal) -> Iterator[bytes]:
        """
        The body in pieces; when it breaks off there is no next request on this connection.

        Raises:
            OssError: broken off, or not there in time.
        """
        began = self.bucket.now()
        while length:
            try:
                chunk = self.rfile.read1(min(length, PIECE_BYTES))
            except TimeoutError:
                chunk = b""
            if not chunk:
                self.close_connection = True
                raise OssError(broken_off)
            length -= len(chunk)
            yield chunk
            if self.bucket.now() - began > self.bucket.rules.max_upload_time:
                self.close_connection = True
                raise OssError(errors.UPLOAD_TOOK_TOO_LONG)

    def has_excess(self) -> bool:
        """Return whether more arrived than the request's length; it is not read as another request."""
        self.connection.settimeout(0)
        try:
            return bool(cast(BufferedReader, self.rfile).peek(1))
        finally:
            self.connection.settimeout(self.timeout)

    def refuse(self, error: OssError, **headers: str) -> None:
        if error.refusal.status == 304:
            self.answer(304)
            return
        xml = error_xml(error, self.request_id, self.bucket.host)
        if self.command == "HEAD":  # whose answer has no body
            headers["x_oss_err"] = base64.b64encode(xml).decode()
        self.answer(error.refusal.status, xml, XML, x_oss_ec=error.refusal.ec, **error.headers, **headers)

    def refuse_unread(self, error: OssError) -> None:
        """Refuse without reading the body, and make sure that the refusal arrives."""
        self.close_connection = True
        self.refuse(error)
        self.linger()


def latin(value: str) -> str:
    """``http.server`` writes headers as Latin-1; this makes the bytes on the wire UTF-8."""
    return value.encode().decode("latin-1")
