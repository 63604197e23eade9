"""Ports for servers that cannot say which one the system gave them."""

import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager

LOOPBACK = "127.0.0.1"


@contextmanager
def held_port() -> Iterator[int]:
    """
    Hold a port of this machine that one server may listen at.

    It is bound and does not listen: the system gives it to nobody else, and Linux lets a server that sets
    SO_REUSEADDR have it all the same. Elsewhere it is free again at once.
    """
    with socket.socket() as holding:
        holding.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holding.bind((LOOPBACK, 0))
        port: int = holding.getsockname()[1]
        if sys.platform != "linux":
            holding.close()
        yield port
