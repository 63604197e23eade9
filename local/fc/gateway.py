"""
Function Compute's HTTP front door on localhost: one function, called by both of FC's contracts.

Any path is an HTTP trigger of FC 3.0 (event and context); ``/2016-08-15/proxy/{service}/{function}/...``
is FC 2.0 (WSGI). Limits and error texts follow
https://help.aliyun.com/zh/functioncompute/fc-2-0/user-guide/http-handlers and http-triggers-overview.
"""

import functools
import json
import logging
import os
import re
import secrets
import threading
from collections.abc import Callable, Mapping
from typing import Any

from local.common.clock import Clock, utc_now
from local.common.http_server import PIECE_BYTES, Handler
from local.common.reach import HERE_ONLY, Reach
from local.common.service import Service
from local.fc.context import Context, make_context
from local.fc.event import IncomingRequest, build_event, readable_headers, readable_target
from local.fc.response import BadResponseError, OutgoingResponse, read_result
from local.fc.wsgi import PROXY_PATH, build_environ, call_application

BODY_LIMIT_BYTES = 32 * 1024 * 1024
HEADERS_LIMIT_BYTES = 8 * 1024
TARGET_LIMIT_BYTES = 4 * 1024

log = logging.getLogger("local.fc.gateway")


class InvalidArgumentError(Exception):
    """A request FC itself refuses with 400; the function is not called."""


class FcGateway(Service):
    """
    Serve one function over HTTP.

    Args:
        handler: ``handler(event, context)`` and ``handler(environ, start_response)`` in one.

        initialize: called once with a context before the first request; when it fails, that request
            gets 502 and the next one tries again.

        credentials: ``access_key_id``, ``access_key_secret``, ``security_token`` in the context, as
            python3.10 and older have them; without, FC 3.0 contexts look like python3.12's. FC 2.0
            contexts always have credentials, then those of ``environ``.

        default_domain: behave as ``*.fcapp.run``, which makes browsers download every answer.

        environ: where ``ALIBABA_CLOUD_*`` are read, at each FC 2.0 call.

        now: timezone-aware UTC.
    """

    def __init__(
        self,
        handler: Callable[..., Any],
        initialize: Callable[[Any], object] | None = None,
        port: int = 0,
        credentials: Mapping[str, str] | None = None,
        default_domain: bool = False,
        *,
        region: str = "cn-hangzhou",
        environ: Mapping[str, str] = os.environ,
        now: Clock = utc_now,
        reach: Reach = HERE_ONLY,
    ) -> None:
        self.default_domain = default_domain
        self.now = now
        self._handler = handler
        self._initialize = initialize
        self._is_initialized = initialize is None
        self._initialize_lock = threading.Lock()
        self._credentials = credentials
        self._region = region
        self._environ = environ
        self._renamed: dict[bytes, bytes] = {}
        super().__init__(functools.partial(_GatewayHandler, self), port, reach)

    def rename(self, origin: str, outer_origin: str) -> None:
        """
        Write one origin in the place of another into every answer.

        The function takes plain http for this machine alone, and a phone cannot call 127.0.0.1: what it is
        told bears the name by which it gets there. Each origin that is named so is renamed.
        """
        if origin != outer_origin:
            self._renamed[origin.encode()] = outer_origin.encode()

    def as_seen_outside(self, body: bytes) -> bytes:
        for inner, outer in self._renamed.items():
            # Port 9001 begins as port 90010 does.
            body = re.sub(re.escape(inner) + rb"(?![0-9])", outer, body)
        return body

    def call(self, request: IncomingRequest) -> OutgoingResponse:
        """Call the function by the contract its path names; a failing one is 502, as over HTTP on FC."""
        try:
            self._initialize_once(request.request_id)
            proxied = PROXY_PATH.fullmatch(request.raw_path)
            if proxied:
                context = self._context(request.request_id, self._role_credentials())
                return call_application(
                    self._handler, build_environ(request, proxied["path"] or "/", context)
                )
            context = self._context(request.request_id, self._credentials)
            return read_result(self._handler(build_event(request), context))
        except BadResponseError as error:
            log.error("502 BadResponse: %s", error)
            return refusal(502, "BadResponse", str(error), request.request_id)
        except (Exception, SystemExit):
            log.exception("502: the function failed")
            return OutgoingResponse(502, (("Content-Type", "text/plain"),), b"Internal Server Error")

    def invoke(self, event: bytes, request_id: str) -> object:
        """Call the function with an event of another trigger; what it raises escapes."""
        self._initialize_once(request_id)
        return self._handler(event, self._context(request_id, self._credentials))

    def _initialize_once(self, request_id: str) -> None:
        with self._initialize_lock:
            if not self._is_initialized and self._initialize is not None:
                self._initialize(self._context(request_id, self._credentials))
                self._is_initialized = True

    def _context(self, request_id: str, credentials: Mapping[str, str] | None) -> Context:
        return make_context(request_id, self._region, credentials)

    def _role_credentials(self) -> Mapping[str, str]:
        if self._credentials is not None:
            return self._credentials
        return {
            "access_key_id": self._environ.get("ALIBABA_CLOUD_ACCESS_KEY_ID", ""),
            "access_key_secret": self._environ.get("ALIBABA_CLOUD_ACCESS_KEY_SECRET", ""),
            "security_token": self._environ.get("ALIBABA_CLOUD_SECURITY_TOKEN", ""),
        }


def refusal(status: int, code: str, message: str, request_id: str) -> OutgoingResponse:
    """An error of FC itself, not of the function."""
    body = json.dumps({"RequestId": request_id, "Code": code, "Message": message})
    return OutgoingResponse(status, (("Content-Type", "application/json"),), body.encode())


class _GatewayHandler(Handler):
    def __init__(self, gateway: FcGateway, *args: Any) -> None:
        self._gateway = gateway
        super().__init__(*args)

    def __getattr__(self, name: str) -> Any:
        # http.server looks for do_GET, do_PROPFIND, ...: whatever the method, the function decides.
        if name.startswith("do_"):
            return self._serve
        raise AttributeError(name)

    def _serve(self) -> None:
        now = self._gateway.now()
        request_id = f"1-{int(now.timestamp()):08x}-{secrets.token_hex(4)}-{secrets.token_hex(6)}"
        try:
            headers = tuple(self.headers.items())
            _check_limits(self.path, headers)
            request = IncomingRequest(
                method=self.command,
                target=readable_target(self.path),
                protocol=self.request_version,
                headers=readable_headers(headers),
                body=self._read_body(),
                source_ip=str(self.client_address[0]),
                request_id=request_id,
                received_at=now,
            )
        except InvalidArgumentError as error:
            self.close_connection = True
            self._send(refusal(400, "InvalidArgument", str(error), request_id), request_id)
            self.linger()
        except EOFError:
            self.close_connection = True
        else:
            self._send(self._gateway.call(request), request_id)

    def _read_body(self) -> bytes:
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            return self._read_chunks()
        length = self._content_length()
        if length is None:
            raise InvalidArgumentError("Content-Length must be a number")
        if length > BODY_LIMIT_BYTES:
            raise InvalidArgumentError(f"the body is larger than {BODY_LIMIT_BYTES} bytes")
        return self._read_exactly(length)

    def _content_length(self) -> int | None:
        text = self.headers.get("Content-Length", "0")
        return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None

    def _read_chunks(self) -> bytes:
        pieces: list[bytes] = []
        size = 0
        while True:
            line = self.rfile.readline(1024).partition(b";")[0].strip()
            try:
                length = int(line, 16)
            except ValueError:
                raise InvalidArgumentError("the chunked body is malformed") from None
            size += max(length, 0)
            if length < 0 or size > BODY_LIMIT_BYTES:
                raise InvalidArgumentError(f"the body is malformed or larger than {BODY_LIMIT_BYTES} bytes")
            if length == 0:
                while self.rfile.readline(PIECE_BYTES) not in (b"\r\n", b"\n", b""):
                    pass
                return b"".join(pieces)
            pieces.append(self._read_exactly(length))
            self.rfile.readline(1024)

    def _read_exactly(self, length: int) -> bytes:
        body = self.rfile.read(length)
        if len(body) < length:
            raise EOFError
        return body

    def _send(self, response: OutgoingResponse, request_id: str) -> None:
        self.send_response(response.status)
        for name, value in response.headers:
            self.send_header(name, value.encode().decode("iso-8859-1"))
        if self._gateway.default_domain:
            self.send_header("Content-Disposition", "attachment")
        self.send_header("X-Fc-Request-Id", request_id)
        has_body = response.status not in (204, 304)
        body = self._gateway.as_seen_outside(response.body)
        if has_body:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if has_body and self.command != "HEAD":
            self.wfile.write(body)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answer what ``http.server`` itself refuses (a mangled or endless request line) as FC would."""
        self.close_connection = True
        status = 400 if code in (414, 431) else code
        body = refusal(status, "InvalidArgument", message or "the request is malformed", "").body
        self.command = getattr(self, "command", None) or "GET"
        self.answer(status, body)


def _check_limits(target: str, headers: tuple[tuple[str, str], ...]) -> None:
    if len(target) > TARGET_LIMIT_BYTES:
        raise InvalidArgumentError(f"path and query are longer than {TARGET_LIMIT_BYTES} bytes")
    size = sum(len(name) + len(value) for name, value in headers)
    if size > HEADERS_LIMIT_BYTES:
        raise InvalidArgumentError(f"the request headers are larger than {HEADERS_LIMIT_BYTES} bytes")
