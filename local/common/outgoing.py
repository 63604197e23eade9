"""Outgoing requests of the emulators: one bounded exchange, without proxy, cookie or redirect."""

import time
import urllib.request
from collections.abc import Mapping
from enum import Enum
from typing import NamedTuple
from urllib.error import HTTPError
from urllib.parse import urlsplit

from local.common.reach import OWN_NAMES

PIECE_BYTES = 64 * 1024


class Answer(NamedTuple):
    status: int
    body: bytes


class Loss(Enum):
    """Why there is no answer: no such address or nobody there, silence, more bytes than that."""

    UNREACHABLE = "unreachable"
    SLOW = "slow"
    TOO_LONG = "too long"


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        return None


_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirect)


def is_reachable(url: str) -> bool:
    """Return whether a real one would get there: by https, or, as only here, on this machine."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return False
    return (parts.scheme == "https" and bool(host)) or (parts.scheme == "http" and host in OWN_NAMES)


def exchange(
    url: str,
    seconds: float,
    most_bytes: int,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
) -> Answer | None:
    """GET, or POST of a body: ``fetch``, where no reason of a loss is needed."""
    answer = fetch(url, seconds, most_bytes, body, headers)
    return answer if isinstance(answer, Answer) else None


def fetch(
    url: str,
    seconds: float,
    most_bytes: int,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
) -> Answer | Loss:
    """
    GET, or POST of a body.

    Args:
        seconds: for all of it.

        headers: without them, not even a content type is told.
    """
    if not is_reachable(url):
        return Loss.UNREACHABLE
    ends = time.monotonic() + seconds
    try:
        request = urllib.request.Request(url, body, dict(headers or {}))
        try:
            answer = _OPENER.open(request, timeout=seconds)
        except HTTPError as error:  # an answer like any other, but that urllib raises it
            answer = error
        with answer:
            got = bytearray()
            while time.monotonic() < ends and (piece := answer.read1(PIECE_BYTES)):
                got += piece
                if len(got) > most_bytes:
                    return Loss.TOO_LONG
            return Answer(answer.status, bytes(got)) if time.monotonic() < ends else Loss.SLOW
    except (OSError, ValueError, EOFError):
        return Loss.SLOW if time.monotonic() >= ends else Loss.UNREACHABLE
