"""Connection of the local OSS: request id, CORS headers, errors in XML, bodies read in pieces."""

import base64
import re
import secrets
from collections.abc import Iterator
from io import BufferedReader
from typing import Any, cast

from local.common.http_server import Handler
from local.common.reach import LOOPBACK
from local.oss import errors
from local.oss.answer import XML
from local.oss.body import chunked, measured
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
    def host_name(self) -> str:
        return (self.headers.get("Host") or "").partition(":")[0]

    @property
    def target(self) -> str:
        """Path and query as they came; at an IP address the path may begin with the bucket."""
        # The request line's own words: http.server takes a second slash from the path that it gives.
        target = self.requestline.split()[1]
        named = re.fullmatch(rf"/{re.escape(self.bucket.name)}(/.*|\?.*|)", target)
        return named[1] if named and re.fullmatch("[0-9.]+", self.host_name) else target

    @property
    def is_default_host(self) -> bool:
        """Return whether the bucket was called by its own name, which 127.0.0.1 plays here."""
        name = self.host_name
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
            OssError: unknown, as of a chunked body, or over 5 GB; the body is still unread.
        """
        text = self.headers.get("Content-Length", "")
        if "Transfer-Encoding" in self.headers or not re.fullmatch("[0-9]{1,19}", text):
            raise OssError(errors.NO_LENGTH)
        if int(text) > self.bucket.rules.max_body_bytes:
            raise OssError(errors.TOO_LARGE)
        return int(text)

    def body_of_call(self) -> Iterator[bytes]:
        """
        The body in pieces, chunked or not.

        Raises:
            OssError: as ``body_length`` and ``body`` do.
        """
        file, coding = cast(BufferedReader, self.rfile), self.headers.get("Transfer-Encoding", "")
        if coding.lower() == "chunked" and "Content-Length" not in self.headers:
            pieces = chunked(file, self.bucket.rules.max_body_bytes)
        else:
            pieces = measured(file, self.body_length())
        return self.body(pieces, errors.WAITED_TOO_LONG)

    def body(self, pieces: Iterator[bytes], broken_off: errors.Refusal) -> Iterator[bytes]:
        """
        The same pieces; when they break off there is no next request on this connection.

        Raises:
            OssError: broken off, or not there in time.
        """
        began = self.bucket.now()
        try:
            for piece in pieces:
                yield piece
                if self.bucket.now() - began > self.bucket.rules.max_upload_time:
                    self.close_connection = True
                    raise OssError(errors.UPLOAD_TOOK_TOO_LONG)
        except (TimeoutError, EOFError):
            self.close_connection = True
            raise OssError(broken_off) from None

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
