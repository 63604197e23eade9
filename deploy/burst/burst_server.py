"""
Server of a custom runtime of Function Compute: the same ``handler``, many requests at once in one instance.

A built-in runtime gives an instance one request at a time, so a burst of phones is a burst of cold starts.
Here each request has a thread, and all share the instance's credentials. The runtime's headers
``x-fc-access-key-…`` are never read: anyone who reaches the port can send them, and the function's own keys
are in the environment.

Source: https://help.aliyun.com/zh/functioncompute/fc/user-guide/principles-1
"""

import argparse
import logging
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence

from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser, ParsingError
from waitress.server import TcpWSGIServer
from waitress.task import ThreadedTaskDispatcher
from waitress.utilities import BadRequest

import handler
from function.annotations import Any

# Sent by Function Compute to each instance before any request.
INITIALIZE = ("POST", "/initialize")
READY = b'{"status":"ok"}'
# Sent for an event that is no HTTP request: a tick. Anyone may imitate it, and it does only what is due.
INVOKE, CONTROL_PATH = ("POST", "/invoke"), "HTTP_X_FC_CONTROL_PATH"
# Asked by Function Compute while phones keep all threads busy.
HEALTH = "/health"
# The timeout of a request in s.yaml: a request must have arrived by then, and those in progress at shutdown
# are answered.
TIMEOUT_SECONDS = 30
POLL_SECONDS = 0.05
OPTIONS: Mapping[str, Any] = {
    # Function Compute keeps its connections open; closing one with a request on its way would lose it.
    "channel_timeout": 24 * 60 * 60,
    # So there may be many more connections than requests; above this number new ones are refused.
    "connection_limit": 900,
    # The function trusts the last element of CLIENT_ADDRESS_HEADER, and no other forwarding header.
    "clear_untrusted_proxy_headers": False,
    # The function refuses bodies over 64 KiB itself; far larger ones are not even received.
    "max_request_body_size": 1024 * 1024,
    "max_request_header_size": 32 * 1024,
    "ident": None,
}

LENGTHS, CHUNKED = (b"content-length", b"transfer-encoding"), (b"transfer-encoding", b"chunked")
NO_HEAD = b"GET / HTTP/1.0\r\n"

Application = Callable[[dict[str, Any], Any], Iterable[bytes]]


class Request(HTTPRequestParser):  # type: ignore[misc]  # waitress has no types
    """A request as it arrives; 400, and the end, for a head that two servers could read differently."""

    def __init__(self, adjustments: Any) -> None:
        super().__init__(adjustments)
        self.began = time.monotonic()

    def received(self, data: bytes) -> int:
        """Return how many of these bytes belong to this request."""
        if self.body_rcv is None:
            head = (self.header_plus + data).partition(b"\r\n\r\n")[0]
            # waitress would wait for a head to end that ends for others.
            if head.count(b"\n") != head.count(b"\r\n"):
                super().parse_header(NO_HEAD)
                self.error, self.completed = BadRequest("A line of the head must end in CR LF."), True
                return len(data)
        consumed: int = super().received(data)
        return consumed

    def parse_header(self, head: bytes) -> None:
        fields = [line.lower().partition(b":") for line in head.split(b"\r\n")[1:]]
        lengths = [(name, value.strip()) for name, _, value in fields if name in LENGTHS]
        try:
            super().parse_header(head)
        except (ParsingError, ValueError):
            # Its message repeats the line; an address or a number that is none is not caught by waitress.
            raise ParsingError("The head is malformed.") from None
        is_chunked = any(name == b"transfer-encoding" for name, _ in lengths)
        if is_chunked and (lengths != [CHUNKED] or self.version != "1.1"):
            raise ParsingError("The length of the body is ambiguous.")


class Channel(HTTPChannel):  # type: ignore[misc]
    """A connection; it may be idle for long, but a request must arrive in time."""

    parser_class = Request

    def readable(self) -> bool:
        if self.request and not self.requests and time.monotonic() - self.request.began > TIMEOUT_SECONDS:
            self.will_close = True
        may_read: bool = super().readable()
        return may_read


class Server(TcpWSGIServer):  # type: ignore[misc]
    """The listening socket, the threads of the function, and one more for health checks."""

    channel_class = Channel

    def __init__(self, application: Application, **options: Any) -> None:
        super().__init__(application, **options)
        self.health_dispatcher = ThreadedTaskDispatcher()
        self.health_dispatcher.set_thread_count(1)

    def add_task(self, channel: Any) -> None:
        """Have the next request of this connection answered."""
        is_health = getattr(channel.requests[0], "path", "") == HEALTH
        (self.health_dispatcher if is_health else self.task_dispatcher).add_task(channel)


def main(arguments: Sequence[str]) -> None:
    """Serve until SIGTERM or SIGINT, then finish the requests in progress."""
    parser = argparse.ArgumentParser(description="The function behind a server with threads.")
    parser.add_argument("--host", default="0.0.0.0")
    parser.add_argument("--port", type=int, default=9000, help="as customRuntimeConfig.port")
    parser.add_argument("--threads", type=int, default=20, help="at least instanceConcurrency")
    options = parser.parse_args(arguments)
    # Standard output is the log; each line is written at once. A date begins an entry of Function Compute's
    # log, which appends other lines to the last entry.
    form = "%(asctime)s [%(levelname)s] %(message)s"
    logging.basicConfig(stream=sys.stdout, format=form, level=logging.INFO)
    # Requests beyond the number of threads queue; each one's log line has its duration.
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    server = Server(
        warmed_once(ticking(handler.handler, handler.tick), handler.initialize),
        host=options.host,
        port=options.port,
        threads=options.threads,
        **OPTIONS,
    )
    ending = threading.Event()

    def end(*_: object) -> None:
        ending.set()
        server.pull_trigger()

    for signal_number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signal_number, end)
    serve(server, ending)


def warmed_once(respond: Application, initialize: Callable[[None], None]) -> Application:
    """Wrap the handler so that the call ``/initialize`` warms the instance, once."""
    first = threading.Lock()

    def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if (environ["REQUEST_METHOD"], environ["PATH_INFO"]) != INITIALIZE:
            return respond(environ, start_response)
        # Anyone may send this; only the first call makes the instance call STS. A failure is logged and left
        # to the first request; no other status than 200 would help it.
        if first.acquire(blocking=False):
            initialize(None)
        return _respond(start_response, READY)

    return application


def ticking(respond: Application, tick: Callable[[], None]) -> Application:
    """Wrap the handler so that an event of the timer trigger runs a tick; the event is not read."""

    def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        called = (environ["REQUEST_METHOD"], environ["PATH_INFO"])
        if called != INVOKE or environ.get(CONTROL_PATH) != INVOKE[1]:
            return respond(environ, start_response)
        tick()
        return _respond(start_response, b"null")

    return application


def _respond(start_response: Any, body: bytes) -> Iterable[bytes]:
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]


def serve(server: Any, ending: threading.Event, drain_seconds: float = TIMEOUT_SECONDS) -> None:
    """Serve until ``ending``, then refuse new connections and finish the requests in progress."""
    while not ending.is_set():
        _poll(server, seconds=1)
    server.accepting = False
    deadline = time.monotonic() + drain_seconds
    while _is_busy(server) and time.monotonic() < deadline:
        _poll(server, POLL_SECONDS)
    server.task_dispatcher.shutdown()
    server.health_dispatcher.shutdown()
    server.asyncore.close_all(server._map)


def _poll(server: Any, seconds: float) -> None:
    """Read and send what is ready, waiting this long at most."""
    server.asyncore.loop(timeout=seconds, map=server._map, count=1)


def _is_busy(server: Any) -> bool:
    """Return whether a request or its response is in progress."""
    return any(
        channel.request or channel.requests or channel.total_outbufs_len
        for channel in server.active_channels.values()
    )


if __name__ == "__main__":
    main(sys.argv[1:])
