"""
One bounded HTTP exchange with another service: a time budget, a size limit, no redirects, no proxies.

The standard library's client, because the SDK of STS loads it anyway: a second HTTP stack would cost the
first login more than everything else in it.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from types import MappingProxyType
from urllib.parse import urlencode, urlsplit

from function import VERSION
from function.annotations import TYPE_CHECKING, Any, NamedTuple
from function.time_limit import TIMED_OUT, TRICKLED, with_timeout
from function.time_limit import ExchangeFailed as ExchangeFailed
from function.tls_trust import verifying_context

if TYPE_CHECKING:
    from http.client import HTTPConnection, HTTPResponse

DEFAULT_MAX_BYTES = 64 * 1024
MAX_HEADERS_CHARACTERS = 64 * 1024
READ_BYTES = 8192
SEND_BYTES = 64 * 1024
# A kind of failure that callers tell apart.
TOO_LONG = "response over the size limit"


class HttpResponse(NamedTuple):
    """A response of any status; names of headers in lower case, of a repeated one the last value."""

    status: int
    body: bytes
    headers: Mapping[str, str] = MappingProxyType({})


Send = Callable[..., HttpResponse]


def send(method: str, url: str, *, budget_seconds: float, **options: Any) -> HttpResponse:
    """
    Send one request and read its response.

    Args:
        budget_seconds: for resolving, connecting, waiting and reading together.
        options: any of ``max_bytes`` (with 0 no body is read), ``query``, ``body`` and ``headers``.
    Raises:
        ExchangeFailed: no response, too long or too late.
    """
    origin = "/".join(url.split("/")[:3])
    deadline = time.monotonic() + budget_seconds
    return with_timeout(
        budget_seconds, origin, lambda: _send(method, url, budget_seconds, deadline, **options)
    )


def _send(
    method: str,
    url: str,
    budget_seconds: float,
    deadline: float,
    *,
    max_bytes: int = DEFAULT_MAX_BYTES,
    query: Mapping[str, str] | None = None,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
) -> HttpResponse:
    from http.client import HTTPException

    own = {"User-Agent": f"oss-direct-upload/{VERSION}", "Connection": "close"}
    if body:
        own["Content-Length"] = str(len(body))
    sent = {"Accept": "*/*", "Accept-Encoding": "identity", **own, **(headers or {})}
    try:
        scheme, host, path, own_query, _ = urlsplit(url)
        query_string = own_query or urlencode(query or {})
        target = f"{path or '/'}?{query_string}" if query_string else path or "/"
        with closing(_connection(scheme, host, budget_seconds)) as connection:
            connection.request(method, target, _pieces(body, deadline) if body else body, sent)
            with connection.getresponse() as response:
                headers = _headers(response)
                content = _read(response, deadline, max_bytes) if max_bytes else b""
                return HttpResponse(response.status, content, headers)
    # ValueError: a URL that cannot be parsed or encoded, or a status or length that is not a number.
    except (HTTPException, OSError, ValueError) as error:
        raise ExchangeFailed(type(error).__name__) from None


def _pieces(body: bytes, deadline: float) -> Iterator[bytes]:
    """Yield a body until nobody waits any more: what lacks its end is not stored."""
    for at in range(0, len(body), SEND_BYTES):
        if time.monotonic() > deadline:
            raise ExchangeFailed(TIMED_OUT)
        yield body[at : at + SEND_BYTES]


def _connection(scheme: str, host: str, timeout: float) -> "HTTPConnection":
    from http.client import HTTPConnection, HTTPSConnection

    # Neither reads proxies, .netrc or cookies, and neither follows redirects.
    if scheme == "http":
        return HTTPConnection(host, timeout=timeout)
    return HTTPSConnection(host, timeout=timeout, context=verifying_context())


def _headers(response: "HTTPResponse") -> dict[str, str]:
    headers = {name.lower(): value for name, value in response.headers.items()}
    # The library allows 100 headers of 64 KB each.
    if sum(map(len, headers.values())) > MAX_HEADERS_CHARACTERS:
        raise ExchangeFailed("headers over the size limit")
    return headers


def _read(response: "HTTPResponse", deadline: float, max_bytes: int) -> bytes:
    from http.client import IncompleteRead

    parts, size = [], 0
    # read1 returns what one receive brought; read would wait for a whole block, however slow.
    while part := response.read1(READ_BYTES):
        size += len(part)
        if size > max_bytes:
            raise ExchangeFailed(TOO_LONG)
        if time.monotonic() > deadline:
            raise ExchangeFailed(TRICKLED)
        parts.append(part)
    if response.length:
        raise IncompleteRead(b"")
    return b"".join(parts)
