"""Emulator: a request handler behind one listening socket."""

from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from typing import Self

from local.common.http_server import Server
from local.common.reach import HERE_ONLY, Reach
from local.common.running import Running


class Service:
    """
    Something behind one listening socket; ``start`` gives it back, ``stop`` ends it.

    Args:
        port: ``0`` takes any free one.
    """

    def __init__(
        self,
        make_handler: Callable[..., BaseHTTPRequestHandler],
        port: int = 0,
        reach: Reach = HERE_ONLY,
    ) -> None:
        self._server = Server(make_handler, port, reach)

    @property
    def reach(self) -> Reach:
        return self._server.reach

    @property
    def origin(self) -> str:
        """As it is called on this machine."""
        return self._server.origin

    @property
    def outer_origin(self) -> str:
        """As a phone in the same network calls it; ``origin`` where none may."""
        return self._server.outer_origin

    def start(self) -> Self:
        self._server.start()
        return self

    def count_in(self, running: Running) -> None:
        """Have the requests that are being answered in a set that others share."""
        self._server.running = running

    def stop(self) -> None:
        self._server.stop()
