"""
Latency of a function: each connection is opened before the clock starts.
"""

import http.client
import math
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import NamedTuple
from urllib.parse import urlsplit

TIMEOUT_SECONDS = 60
# What the first answer of an instance says of itself (function/app.py).
COLD = ("server-timing", "cold")


class Asked(NamedTuple):
    """
    One request, the same each time.

    Args:
        path: with the prefix of a custom domain.

        body: JSON; ``None`` for a GET.
    """

    origin: str
    path: str
    body: bytes | None
    headers: dict[str, str]


class Timed(NamedTuple):
    """
    One answer.

    Args:
        milliseconds: from the request's first byte to the answer's last, on a connection that stands.

        connecting: milliseconds that opening it took, TLS included; 0 on one that stood already.

        status: 0 where none came.

        is_cold: whether it was the first answer of its instance.
    """

    milliseconds: float
    connecting: float
    status: int
    is_cold: bool


class Line:
    """One connection to the function, opened before its first request and again after it broke."""

    def __init__(self, asked: Asked, now: Callable[[], float] = time.perf_counter) -> None:
        self._asked = asked
        self._now = now
        self._connection: http.client.HTTPConnection | None = None
        self._connecting = 0.0

    def open(self) -> None:
        """
        Raises:
            OSError: nobody listens there.
        """
        if self._connection is None:
            started = self._now()
            connection = _connection_to(self._asked.origin)
            connection.connect()
            self._connection, self._connecting = connection, (self._now() - started) * 1000

    def ask(self) -> Timed:
        """The answer to one request; one that broke off has status 0."""
        connecting = 0.0
        try:
            self.open()
            connecting, self._connecting = self._connecting, 0.0
            return self._ask(connecting)
        except (OSError, http.client.HTTPException):
            self.close()
            return Timed(0.0, connecting, 0, False)

    def _ask(self, connecting: float) -> Timed:
        assert self._connection is not None
        asked = self._asked
        started = self._now()
        method = "GET" if asked.body is None else "POST"
        self._connection.request(method, asked.path, body=asked.body, headers=asked.headers)
        answer = self._connection.getresponse()
        answer.read()
        milliseconds = (self._now() - started) * 1000
        name, value = COLD
        if answer.will_close:
            self.close()
        is_cold = value in [metric.strip() for metric in (answer.headers.get(name) or "").split(",")]
        return Timed(milliseconds, connecting, answer.status, is_cold)

    def close(self) -> None:
        if self._connection:
            self._connection.close()
        self._connection = None


def _connection_to(origin: str) -> http.client.HTTPConnection:
    parts = urlsplit(origin)
    host, port = parts.hostname or "", parts.port
    if parts.scheme == "http":
        return http.client.HTTPConnection(host, port, timeout=TIMEOUT_SECONDS)
    return http.client.HTTPSConnection(
        host, port, timeout=TIMEOUT_SECONDS, context=ssl.create_default_context()
    )


def at_once(asked: Asked, count: int) -> list[Timed]:
    """So many requests in the same moment: an instance takes one at a time, so new ones must start."""
    if not count:
        return []
    gate = threading.Barrier(count)

    def one(line: Line) -> Timed:
        try:
            line.open()
        except OSError:
            gate.abort()
        with suppress(threading.BrokenBarrierError):
            gate.wait(TIMEOUT_SECONDS)
        timed = line.ask()
        line.close()
        return timed

    with ThreadPoolExecutor(count) as threads:
        return list(threads.map(one, [Line(asked) for _ in range(count)]))


def in_turn(asked: Asked, count: int) -> list[Timed]:
    """So many requests one after another, on one connection while it lasts."""
    line = Line(asked)
    answers = [line.ask() for _ in range(count)]
    line.close()
    return answers


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that so many of them (0 < share <= 1) do not exceed: none between two is made up."""
    return sorted(values)[math.ceil(share * len(values)) - 1]
