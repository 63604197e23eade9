"""
A closed loop of keep-alive connections: each sends its next request when it has its answer.
"""

import contextlib
import multiprocessing
import os
import selectors
import socket
import time
from dataclasses import dataclass, field
from itertools import chain

RECEIVE_BYTES = 64 * 1024
SILENCE_SECONDS = 10

Sample = tuple[float, float]


class LoadFailed(Exception):
    """Raised when a server refuses, drops or does not answer a request."""


@dataclass
class _Connection:
    stream: socket.socket
    sent_at: float = 0.0
    received: bytearray = field(default_factory=bytearray)

    def send(self, request: bytes) -> None:
        self.received.clear()
        self.sent_at = time.monotonic()
        self.stream.sendall(request)

    def is_answered(self) -> bool:
        """Read what there is, and say whether the answer is complete."""
        part = self.stream.recv(RECEIVE_BYTES)
        if not part:
            raise LoadFailed("the server closed a connection")
        self.received += part
        head, separator, body = bytes(self.received).partition(b"\r\n\r\n")
        if not separator:
            return False
        if not head.startswith(b"HTTP/1.1 200"):
            raise LoadFailed(f"the server answered {head[:60]!r} {body[:200]!r}")
        _, _, length = head.lower().partition(b"content-length:")
        return len(body) >= int(length.partition(b"\r\n")[0])


def drive(port: int, request: bytes, connections: int, seconds: float) -> list[Sample]:
    """
    Load a server on loopback.

    Returns:
        ``(sent at, latency)`` of each request, in seconds of the monotonic clock all processes share.
    """
    processes = min(connections, max(1, (os.cpu_count() or 2) // 2))
    if processes == 1:
        return drive_here(port, request, connections, seconds)
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        share = (port, request, connections // processes, seconds)
        return list(chain.from_iterable(pool.starmap(drive_here, [share] * processes)))


def drive_here(port: int, request: bytes, connections: int, seconds: float) -> list[Sample]:
    with contextlib.ExitStack() as stack:
        streams = [
            stack.enter_context(socket.create_connection(("127.0.0.1", port))) for _ in range(connections)
        ]
        selector = stack.enter_context(selectors.DefaultSelector())
        for stream in streams:
            stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection = _Connection(stream)
            selector.register(stream, selectors.EVENT_READ, connection)
            connection.send(request)
        return _until(time.monotonic() + seconds, selector, request, connections)


def _until(end: float, selector: selectors.BaseSelector, request: bytes, waiting: int) -> list[Sample]:
    samples: list[Sample] = []
    while waiting:
        ready = selector.select(SILENCE_SECONDS)
        if not ready:
            raise LoadFailed(f"no answer within {SILENCE_SECONDS} s")
        for key, _ in ready:
            connection = key.data
            if not connection.is_answered():
                continue
            now = time.monotonic()
            samples.append((connection.sent_at, now - connection.sent_at))
            if now < end:
                connection.send(request)
            else:
                waiting -= 1
    return samples
