"""
One bounded HTTP exchange with another service: a time budget, a size limit, no redirects, no proxies.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

DEFAULT_MAX_BYTES = 64 * 1024
READ_BYTES = 8192
# Parts of a budget: connecting, and any one wait for the other side.
CONNECT_PART = 0.2
READ_PART = 0.4


class ExchangeFailed(Exception):
    """
    Raised when no whole answer came within the bounds.

    Args:
        kind: a word or two for the log; never the library's text, which holds the address and its query.
    """

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


@dataclass(frozen=True)
class Answer:
    """What came back, whatever its status."""

    status: int
    body: bytes


def exchange(
    method: str,
    url: str,
    *,
    budget_seconds: float,
    max_bytes: int = DEFAULT_MAX_BYTES,
    query: Mapping[str, str] | None = None,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """
    Send one request and read its answer.

    Args:
        budget_seconds: for connecting, waiting and reading together; an answer that trickles in is
            given up.

    Raises:
        ExchangeFailed: nothing, too much or too late.
    """
    import requests
    from urllib3.exceptions import HTTPError

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
                timeout=(CONNECT_PART * budget_seconds, READ_PART * budget_seconds),
                allow_redirects=False,
                stream=True,
            ) as response,
        ):
            # The last read may take its whole timeout, so none begins later than this.
            last_start = started + (1 - READ_PART) * budget_seconds
            return Answer(response.status_code, _read(response.raw, last_start, max_bytes))
    except (requests.RequestException, HTTPError, OSError) as error:
        raise ExchangeFailed(type(error).__name__) from None


def _read(raw: Any, last_start: float, max_bytes: int) -> bytes:
    parts, size = [], 0
    # read1 gives what one receive brought; read would wait for a whole block, however slow.
    while part := raw.read1(READ_BYTES):
        size += len(part)
        if size > max_bytes:
            raise ExchangeFailed("answer over the size limit")
        if time.monotonic() > last_start:
            raise ExchangeFailed("answer too slow")
        parts.append(part)
    return b"".join(parts)
