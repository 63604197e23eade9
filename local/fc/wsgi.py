"""
WSGI call of Function Compute 2.0 and the response made of its result.

Source: https://help.aliyun.com/zh/functioncompute/fc-2-0/user-guide/http-handlers and PEP 3333
"""

import io
import re
import sys
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import unquote_to_bytes

from local.fc.context import Context
from local.fc.event import IncomingRequest, canonical_name, join_repeated
from local.fc.response import BadResponseError, OutgoingResponse, pass_headers

PROXY_PATH = re.compile(r"/2016-08-15/proxy/(?P<service>[^/]+)/(?P<function>[^/]+)(?P<path>/.*)?", re.DOTALL)


def build_environ(request: IncomingRequest, path: str, context: Context) -> dict[str, Any]:
    """
    Build the environ that ``handler(environ, start_response)`` is given.

    Args:
        path: what follows ``/2016-08-15/proxy/{service}/{function}``, still percent-encoded.
    """
    host, _, port = request.header("host").partition(":")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(path).decode("iso-8859-1"),
        "QUERY_STRING": request.raw_query,
        "CONTENT_TYPE": _native(request.header("content-type")),
        "CONTENT_LENGTH": str(len(request.body)),
        "SERVER_NAME": host or "127.0.0.1",
        "SERVER_PORT": port or "80",
        "SERVER_PROTOCOL": request.protocol,
        "REMOTE_ADDR": request.source_ip,
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(request.body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        "fc.context": context,
        "fc.request_uri": request.target,
    }
    for name, value in join_repeated((canonical_name(n), v) for n, v in request.headers).items():
        if name not in ("Content-Type", "Content-Length"):
            environ["HTTP_" + name.upper().replace("-", "_")] = _native(value)
    return environ


def _native(text: str) -> str:
    """The string type of WSGI: each character is one byte."""
    return text.encode().decode("iso-8859-1")


def call_application(
    application: Callable[[dict[str, Any], Any], Iterable[bytes]], environ: dict[str, Any]
) -> OutgoingResponse:
    """
    Call a WSGI application and collect its whole answer.

    Raises:
        BadResponseError: ``start_response`` was not called, or was called with what is no status.
    """
    started: list[tuple[str, list[tuple[str, str]]]] = []
    written: list[bytes] = []

    def start_response(
        status: str, headers: list[tuple[str, str]], exc_info: object = None
    ) -> Callable[[bytes], None]:
        if started and exc_info is None:
            raise BadResponseError("start_response was called twice")
        started[:] = [(status, headers)]
        return written.append

    result = application(environ, start_response)
    try:
        # Joined here: an application may call start_response only once its first piece is asked for.
        written.extend(result)
        body = b"".join(written)
    finally:
        if hasattr(result, "close"):
            result.close()
    if not started:
        raise BadResponseError("the function returned without calling start_response")
    status, headers = started[0]
    if not re.fullmatch(r"[2-5]\d\d( .*)?", status):
        raise BadResponseError(f"{status!r} is no status such as '200 OK'")
    return OutgoingResponse(int(status[:3]), pass_headers(headers), body)
