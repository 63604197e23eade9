"""
One bounded HTTP exchange with another service: a time budget, a size limit, no redirects, no proxies.
"""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeVar

DEFAULT_MAX_BYTES = 64 * 1024
READ_BYTES = 8192

T = TypeVar("T")


class ExchangeFailed(Exception):
    """
    Raised when no whole answer came within the bounds.

    Args:
        kind: a word or two for the log; never the library's text, which holds the address and its query.
    """

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


class Answer(NamedTuple):
    """What came back, whatever its status."""

    status: int
    body: bytes


Exchange = Callable[..., Answer]


def within(seconds: float, ask: Callable[[], T]) -> T:
    """
    Call ``ask`` and wait for it this long at most.

    No timeout of a socket ends a name that does not resolve, or headers that arrive byte by byte.
    Such a call is left behind in a thread of its own, which ends when its connection does.

    Raises:
        ExchangeFailed: it took longer; else whatever ``ask`` raises.
    """
    from concurrent.futures import Future

    outcome: Future[T] = Future()

    def run() -> None:
        try:
            outcome.set_result(ask())
        except Exception as error:  # noqa: BLE001 - raised again below, in the thread that asked
            outcome.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    try:
        return outcome.result(seconds)
    except TimeoutError:
        if outcome.done():
            raise
        raise ExchangeFailed("no answer within the budget") from None


def exchange(method: str, url: str, *, budget_seconds: float, **options: Any) -> Answer:
    """
    Send one request and read its answer.

    Args:
        budget_seconds: for resolving, connecting, waiting and reading together; an answer that trickles
            in is given up.

        options: any of ``max_bytes``, ``query``, ``body`` and ``headers``.

    Raises:
        ExchangeFailed: nothing, too much or too late.
    """
    return within(budget_seconds, lambda: _exchange(method, url, budget_seconds, **options))


def _exchange(
    method: str,
    url: str,
    budget_seconds: float,
    *,
    max_bytes: int = DEFAULT_MAX_BYTES,
    query: Mapping[str, str] | None = None,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
) -> Answer:
    import requests
    from urllib3.exceptions import HTTPError

    # It logs whole addresses, and those of WeChat and of a webhook hold secrets.
    logging.getLogger("urllib3").setLevel(logging.CRITICAL + 1)

    started = time.monotonic()
    session = requests.Session()
    # Neither proxies nor .netrc of the surroundings may see or change what we ask.
    session.trust_env = False
    try:
        with (
            session,
            session.request(
                method,
                url,
                params=query,
                data=body,
                headers={"Accept-Encoding": "identity", **(headers or {})},
                timeout=(budget_seconds / 2, budget_seconds),
                allow_redirects=False,
                stream=True,
            ) as response,
        ):
            deadline = started + budget_seconds
            return Answer(response.status_code, _read(response.raw, deadline, max_bytes))
    except (requests.RequestException, HTTPError, OSError) as error:
        raise ExchangeFailed(type(error).__name__) from None


def _read(raw: Any, deadline: float, max_bytes: int) -> bytes:
    parts, size = [], 0
    # read1 gives what one receive brought; read would wait for a whole block, however slow.
    while part := raw.read1(READ_BYTES):
        size += len(part)
        if size > max_bytes:
            raise ExchangeFailed("answer over the size limit")
        if time.monotonic() > deadline:
            raise ExchangeFailed("answer too slow")
        parts.append(part)
    return b"".join(parts)
