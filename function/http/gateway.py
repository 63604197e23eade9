"""The two HTTP contracts of Function Compute (3.0 events; 2.0 and any WSGI server) as one request type."""

import re
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from types import MappingProxyType
from urllib.parse import parse_qsl, urlencode

from function.annotations import Any, NamedTuple
from function.errors import BadRequest, TooLarge, UnsupportedType
from function.http.json_body import object_in

MAX_BODY_BYTES = 64 * 1024
# Function Compute's own limit; other WSGI servers may have none. Queries have the same limit.
MAX_HEADERS_BYTES = 8 * 1024
REASON_PHRASES = {status.value: status.phrase for status in HTTPStatus}
CONTENT_LENGTH = r"[0-9]{1,18}"
REQUEST_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


class Request(NamedTuple):
    """
    One HTTP request of either contract.

    Args:
        path: decoded.
        query: of a repeated name the values, joined with commas as in FC 3.0.
        raw_query: without the question mark; reconstructed for FC 3.0, whose event lacks it.
        headers: names in lower case.
        body: decoded from base64, at most ``MAX_BODY_BYTES``.
        source_ip: of the last hop; forwarding headers are ignored, since anyone can write them.
    """

    method: str
    path: str
    query: Mapping[str, str]
    raw_query: str
    headers: Mapping[str, str]
    body: bytes
    source_ip: str
    request_id: str = ""
    context: object | None = None

    def __repr__(self) -> str:
        # The headers hold tokens, and the context may hold keys.
        return f"Request({self.method} {self.path})"


class TimerEvent(Exception):
    """Raised for the event of a timer trigger, which is no request; nothing in it is read."""


class Response(NamedTuple):
    """One response; a ``body`` of bytes is no text."""

    status: int
    body: str | bytes = ""
    headers: Mapping[str, str] = MappingProxyType({})


def request_from_event(event: bytes | str, context: object | None) -> Request:
    """
    Read the event of an FC 3.0 HTTP trigger.

    Raises:
        TimerEvent: the event of a timer trigger.
        BadRequest: not such an event, headers or query over their limit, or a body that cannot be decoded.
        TooLarge, UnsupportedType: a body over the limit, or compressed.

    Source: https://help.aliyun.com/zh/functioncompute/fc/user-guide/http-trigger-invoking-function
    """
    fields = object_in(event) or {}
    http = _object(fields.get("requestContext")).get("http")
    if not isinstance(http, dict):
        # An HTTP body that imitates one arrives inside ``body``.
        if "triggerTime" in fields and "requestContext" not in fields:
            raise TimerEvent
        raise BadRequest("The event is not from an HTTP trigger.")
    query = _texts(fields["queryParameters"]) if fields.get("queryParameters") else {}
    headers = {str(name).lower(): str(value) for name, value in _object(fields.get("headers")).items()}
    # A smaller event has no room for more than these limits.
    if len(event) > MAX_HEADERS_BYTES:
        _check_query(sum(len(name) + len(value) for name, value in query.items()))
        _check_size_of(headers)
    _refuse_compressed(headers)
    return Request(
        method=str(http.get("method", "GET")).upper(),
        path=str(http.get("path") or fields.get("rawPath") or "/"),
        query=query,
        raw_query=urlencode(query, errors="surrogatepass") if query else "",
        headers=headers,
        body=_event_body(fields.get("body"), fields.get("isBase64Encoded")),
        source_ip=str(http.get("sourceIp", "")),
        request_id=request_id_of(context, fields["requestContext"].get("requestId")),
        context=context,
    )


def request_from_wsgi(environ: Mapping[str, Any]) -> Request:
    """
    Read a WSGI environment (PEP 3333), FC 2.0's included.

    Raises:
        BadRequest: a malformed header, headers or query over their limit, or an unreadable body.
        TooLarge, UnsupportedType: a body over the limit, or compressed.
    """
    raw_query = environ.get("QUERY_STRING", "")
    _check_query(len(raw_query))
    query: dict[str, str] = {}
    for name, value in parse_qsl(raw_query, keep_blank_values=True) if raw_query else ():
        query[name] = f"{query[name]},{value}" if name in query else value
    headers = {
        name[5:].replace("_", "-").lower(): value
        for name, value in environ.items()
        if name.startswith("HTTP_")
    }
    headers["content-type"] = environ.get("CONTENT_TYPE", "")
    _check_size_of(headers)
    _refuse_compressed(headers)
    return Request(
        method=environ["REQUEST_METHOD"].upper(),
        path=environ.get("PATH_INFO", "").encode("latin-1", "replace").decode("utf-8", "replace") or "/",
        query=query,
        raw_query=raw_query,
        headers=headers,
        body=_wsgi_body(environ),
        source_ip=environ.get("REMOTE_ADDR", ""),
        request_id=request_id_of(environ.get("fc.context"), headers.get("x-fc-request-id")),
        context=environ.get("fc.context"),
    )


def response_to_event(response: Response) -> dict[str, Any]:
    """Return a response in the form of FC 3.0."""
    status, body, headers = response
    text = b64encode(body).decode() if isinstance(body, bytes) else body
    return {"statusCode": status, "headers": dict(headers), "isBase64Encoded": text is not body, "body": text}


def response_to_wsgi(response: Response, start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Start a WSGI response and return its body."""
    body = response.body if isinstance(response.body, bytes) else response.body.encode()
    headers = list(response.headers.items())
    if response.status != HTTPStatus.NO_CONTENT:
        headers.append(("Content-Length", str(len(body))))
    start_response(f"{response.status} {REASON_PHRASES[response.status]}", headers)
    return [body]


def request_id_of(*sources: object) -> str:
    """Return FC's request id: of these contexts or ids the first that is safe to log; else empty."""
    for source in sources:
        candidate = getattr(source, "request_id", source)
        if isinstance(candidate, str) and REQUEST_ID.fullmatch(candidate):
            return candidate
    return ""


def deployed_as(context: object | None, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the version that answers, and the alias or version it was called by; nothing outside FC."""
    function = getattr(context, "function", None)
    # Safe to show under the same rule as an id.
    found = {
        "functionVersion": request_id_of(
            getattr(function, "version_id", None), environ.get("FC_FUNCTION_VERSION")
        ),
        "qualifier": request_id_of(getattr(function, "qualifier", None), environ.get("FC_QUALIFIER")),
    }
    return {name: value for name, value in found.items() if value}


def _check_size_of(headers: Mapping[str, str]) -> None:
    # The runtime itself adds x-fc-… headers.
    size = sum(len(name) + len(value) for name, value in headers.items() if not name.startswith("x-fc-"))
    if size > MAX_HEADERS_BYTES:
        raise BadRequest(f"The headers are over {MAX_HEADERS_BYTES} bytes.")


def _refuse_compressed(headers: Mapping[str, str]) -> None:
    if headers.get("content-encoding", "").strip().lower() not in ("", "identity"):
        raise UnsupportedType("The body must not be compressed; send it without Content-Encoding.")


def _check_query(size: int) -> None:
    if size > MAX_HEADERS_BYTES:
        raise BadRequest(f"The query is over {MAX_HEADERS_BYTES} bytes.")


def _event_body(body: Any, is_base64: Any) -> bytes:
    if body is None:
        return b""
    if not isinstance(body, str):
        raise BadRequest("The event's body must be a string.")
    # 4 characters hold 3 bytes: a longer text is over the limit before it is decoded.
    if len(body) > MAX_BODY_BYTES * 4 // 3 + 4:
        raise _too_large()
    try:
        decoded = b64decode(body, validate=True) if is_base64 else body.encode()
    except ValueError:
        raise BadRequest("The body cannot be decoded.") from None
    if len(decoded) > MAX_BODY_BYTES:
        raise _too_large()
    return decoded


def _wsgi_body(environ: Mapping[str, Any]) -> bytes:
    length = environ.get("CONTENT_LENGTH") or ""
    if not length and environ.get("wsgi.input_terminated"):
        # The server detects the end of the body.
        length = str(MAX_BODY_BYTES + 1)
    elif not length and environ.get("HTTP_TRANSFER_ENCODING"):
        # Without its length the body would be read as empty.
        raise BadRequest("The body must come with a Content-Length, not chunked.")
    length = length or "0"
    if not re.fullmatch(CONTENT_LENGTH, length):
        raise BadRequest("Content-Length must be a number.")
    if int(length) > MAX_BODY_BYTES + 1:
        raise _too_large()
    try:
        body: bytes = environ["wsgi.input"].read(int(length)) if int(length) else b""
    except OSError:
        raise BadRequest("The body is incomplete.") from None
    if len(body) > MAX_BODY_BYTES:
        raise _too_large()
    return body


def _too_large() -> TooLarge:
    return TooLarge(f"The body is over {MAX_BODY_BYTES} bytes.")


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _texts(value: Any) -> dict[str, str]:
    return {str(name): str(item) for name, item in _object(value).items()}
