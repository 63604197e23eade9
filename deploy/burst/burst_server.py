"""
What a custom runtime of Function Compute starts: the same ``handler``, many requests at once in one instance.

A built-in runtime gives an instance one request at a time, so a burst of phones is a burst of cold starts.
Here each request has a thread, and the phones of one instance share its credentials. The runtime's headers
``x-fc-access-key-…`` are never read: whoever reaches a port can write them, and the function's own keys are
in the environment.

Source: https://help.aliyun.com/zh/functioncompute/fc/user-guide/principles-1
"""

import argparse
import logging
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import waitress

import handler

# Sent by Function Compute to each instance before any request.
INITIALIZE = ("POST", "/initialize")
READY = b'{"status":"ok"}'
# As long as s.yaml lets a request take: what has begun when the instance is ended is still answered.
DRAIN_SECONDS = 30
LOOK_SECONDS = 0.05
OPTIONS: Mapping[str, Any] = {
    # Function Compute keeps its connections; one closed here while a request is on its way would lose it.
    "channel_timeout": 24 * 60 * 60,
    # So they may be many more than there are requests; over this number nobody new would be let in.
    "connection_limit": 900,
    # The function believes the last element of CLIENT_ADDRESS_HEADER, and no other forwarded header.
    "clear_untrusted_proxy_headers": False,
    # The function reads 64 KiB and refuses more in its own words; what is far over that is not even received.
    "max_request_body_size": 1024 * 1024,
    "max_request_header_size": 32 * 1024,
    "ident": None,
}

Application = Callable[[dict[str, Any], Any], Iterable[bytes]]


def main(arguments: Sequence[str]) -> None:
    """Serve until SIGTERM or SIGINT, then answer what has begun."""
    parser = argparse.ArgumentParser(description="The function behind a server with threads.")
    parser.add_argument("--host", default="0.0.0.0")
    parser.add_argument("--port", type=int, default=9000, help="as customRuntimeConfig.port")
    parser.add_argument("--threads", type=int, default=20, help="as instanceConcurrency")
    asked = parser.parse_args(arguments)
    # What is printed goes to the log; each line is written at once, whole.
    logging.basicConfig(stream=sys.stdout, format="%(message)s", level=logging.INFO)
    # More than there are threads wait their turn; each one's line says how long it took.
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    server = waitress.create_server(
        warmed_once(handler.handler, handler.initialize),
        host=asked.host,
        port=asked.port,
        threads=asked.threads,
        **OPTIONS,
    )
    ending = threading.Event()

    def end(*_: object) -> None:
        ending.set()
        server.pull_trigger()

    for signal_number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signal_number, end)
    serve(server, ending)


def warmed_once(answer: Application, initialize: Callable[[None], None]) -> Application:
    """The function, and before it the call with which Function Compute has an instance made ready."""
    first = threading.Lock()

    def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if (environ["REQUEST_METHOD"], environ["PATH_INFO"]) != INITIALIZE:
            return answer(environ, start_response)
        # Anybody may send this; only the first makes the instance ask STS. A failure is logged and left to
        # the first request, for no other status than this one would help it.
        if first.acquire(blocking=False):
            initialize(None)
        start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(READY)))])
        return [READY]

    return application


def serve(server: Any, ending: threading.Event, drain_seconds: float = DRAIN_SECONDS) -> None:
    """Answer requests until ``ending``; then no new connection is taken, and what has begun is answered."""
    while not ending.is_set():
        _look(server, seconds=1)
    server.accepting = False
    deadline = time.monotonic() + drain_seconds
    while _is_busy(server) and time.monotonic() < deadline:
        _look(server, LOOK_SECONDS)
    server.task_dispatcher.shutdown()
    server.asyncore.close_all(server._map)


def _look(server: Any, seconds: float) -> None:
    """Read and send what there is, after so long at most."""
    server.asyncore.loop(timeout=seconds, map=server._map, count=1)


def _is_busy(server: Any) -> bool:
    """Whether a request is being read, answered or sent."""
    return any(
        channel.request or channel.requests or channel.total_outbufs_len
        for channel in server.active_channels.values()
    )


if __name__ == "__main__":
    main(sys.argv[1:])
