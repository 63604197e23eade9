"""Work that goes on in a cloud: requests that are being answered, tasks that wait or are being done."""

import time
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from local.common.http_server import Server

# More than the longest that a request may be kept waiting.
MOST_SECONDS = 60.0
LOOKS_EVERY_SECONDS = 0.005


class Running(set[object]):
    """
    Each piece of work, by the one who does it; several services may share one.

    What a piece of work leads to is added before that piece is taken out, so that an empty set means rest.
    """

    def wait(self) -> None:
        """
        Wait until nothing is left.

        Raises:
            TimeoutError: something is, after a minute.
        """
        ends = time.monotonic() + MOST_SECONDS
        while self:
            if time.monotonic() > ends:
                raise TimeoutError(f"{len(self)} requests and tasks are not over")
            time.sleep(LOOKS_EVERY_SECONDS)


class CountedHandler(BaseHTTPRequestHandler):
    """A connection that is running from a request's first line to the end of its answer."""

    server: "Server"

    def handle_one_request(self) -> None:
        try:
            super().handle_one_request()
        finally:
            self.server.running.discard(self)

    def parse_request(self) -> bool:
        self.server.running.add(self)
        return super().parse_request()
