"""
One bounded HTTP exchange with another service: a time budget, a size limit, no redirects, no proxies.

The standard library's client, because the SDK of STS brings it anyway: a second HTTP stack would cost the
first login more than everything else in it.
"""

import threading
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from functools import cache, lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar
from urllib.parse import urlencode, urlsplit

if TYPE_CHECKING:
    import ssl
    from http.client import HTTPConnection, HTTPResponse

DEFAULT_MAX_BYTES = 64 * 1024
MAX_HEADERS_CHARACTERS = 64 * 1024
READ_BYTES = 8192
# For each upstream by itself. An instance may have 1,024 threads, of which a server takes up to 200.
MAX_WAITING = 64

T = TypeVar("T")


class ExchangeFailed(Exception):
    """
    Raised when no whole answer came within the bounds.

    Args:
        kind: a word or two for the log; never the library's text, which may hold the address and its query.
    """

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


class HttpResponse(NamedTuple):
    """
    What came back, whatever its status.

    Args:
        headers: names in lower case; of a name that stands twice, the last value.
    """

    status: int
    body: bytes
    headers: Mapping[str, str] = MappingProxyType({})


Send = Callable[..., HttpResponse]


def with_timeout(seconds: float, upstream: str, ask: Callable[[], T]) -> T:
    """
    Call ``ask`` and wait for it this long at most.

    No timeout of a socket ends a name that does not resolve, or headers that arrive byte by byte.
    Such a call is left behind in a thread of its own, which ends when its connection does; until then it
    takes one of the upstream's ``MAX_WAITING`` places, so that a slow service costs no other its threads.

    Args:
        upstream: origin of whoever is asked.

    Raises:
        ExchangeFailed: it took longer, or could not begin; else whatever ``ask`` raises.
    """
    slots = _slots(upstream)
    if not slots.acquire(blocking=False):
        raise ExchangeFailed("too many calls wait for it already")
    done = threading.Event()
    outcome: list[T] = []
    failure: list[BaseException] = []

    def run() -> None:
        try:
            outcome.append(ask())
        except Exception as error:  # noqa: BLE001 - raised again below, in the thread that asked
            failure.append(error)
        slots.release()
        done.set()

    try:
        threading.Thread(target=run, daemon=True).start()
    except RuntimeError:
        slots.release()
        raise ExchangeFailed("no thread can start") from None
    if not done.wait(seconds):
        raise ExchangeFailed("no answer within the budget")
    if failure:
        raise failure[0]
    return outcome[0]


# Whoever is asked stands in the settings, so they are few.
@cache
def _slots(_upstream: str) -> threading.Semaphore:
    return threading.Semaphore(MAX_WAITING)


def send(method: str, url: str, *, budget_seconds: float, **options: Any) -> HttpResponse:
    """
    Send one request and read its answer.

    Args:
        budget_seconds: for resolving, connecting, waiting and reading together; an answer that trickles
            in is given up.

        options: any of ``max_bytes``, ``query``, ``body`` and ``headers``.

    Raises:
        ExchangeFailed: nothing, too much or too late.
    """
    origin = "/".join(url.split("/")[:3])
    return with_timeout(budget_seconds, origin, lambda: _send(method, url, budget_seconds, **options))


def _send(
    method: str,
    url: str,
    budget_seconds: float,
    *,
    max_bytes: int = DEFAULT_MAX_BYTES,
    query: Mapping[str, str] | None = None,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
) -> HttpResponse:
    from http.client import HTTPException

    deadline = time.monotonic() + budget_seconds
    sent = {"Accept": "*/*", "Accept-Encoding": "identity", "Connection": "close", **(headers or {})}
    try:
        scheme, host, path, given_query, _ = urlsplit(url)
        asked = given_query or urlencode(query or {})
        target = f"{path or '/'}?{asked}" if asked else path or "/"
        with closing(_connection(scheme, host, budget_seconds)) as connection:
            connection.request(method, target, body, sent)
            with connection.getresponse() as response:
                headers = _headers(response)
                return HttpResponse(response.status, _read(response, deadline, max_bytes), headers)
    # ValueError is an address that cannot be read or encoded, or a status or length that is no number.
    except (HTTPException, OSError, ValueError) as error:
        raise ExchangeFailed(type(error).__name__) from None


def _connection(scheme: str, host: str, timeout: float) -> "HTTPConnection":
    from http.client import HTTPConnection, HTTPSConnection

    # Neither looks at proxies, .netrc or cookies, and neither follows redirects.
    if scheme == "http":
        return HTTPConnection(host, timeout=timeout)
    return HTTPSConnection(host, timeout=timeout, context=verifying_context())


# Once an instance: to read the certificates of all authorities takes as long as a request.
@lru_cache(maxsize=1)
def verifying_context() -> "ssl.SSLContext":
    """TLS that checks the certificate and the name, against the authorities that come with the package."""
    import ssl

    return ssl.create_default_context(cafile=authorities())


def authorities() -> str:
    """The path of the certificates that the package brings, whatever the environment names."""
    from importlib.machinery import PathFinder

    # Not certifi.where(), which imports a library of resources for what is a plain file here.
    spec = PathFinder.find_spec("certifi")
    return str(Path(str(spec and spec.origin)).with_name("cacert.pem"))


def _headers(response: "HTTPResponse") -> dict[str, str]:
    headers = {name.lower(): value for name, value in response.headers.items()}
    # The library's own bound is 100 of them, 64 KB each.
    if sum(map(len, headers.values())) > MAX_HEADERS_CHARACTERS:
        raise ExchangeFailed("headers over the size limit")
    return headers


def _read(response: "HTTPResponse", deadline: float, max_bytes: int) -> bytes:
    from http.client import IncompleteRead

    parts, size = [], 0
    # read1 gives what one receive brought; read would wait for a whole block, however slow.
    while part := response.read1(READ_BYTES):
        size += len(part)
        if size > max_bytes:
            raise ExchangeFailed("answer over the size limit")
        if time.monotonic() > deadline:
            raise ExchangeFailed("answer too slow")
        parts.append(part)
    if response.length:
        raise IncompleteRead(b"")
    return b"".join(parts)
