"""The small threaded HTTP server under every emulator: taken ports stepped over, no strangers let in."""

import errno
import json
import socket
import socketserver
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from local.common.faults import DROP, REDIRECT, SLOW, Fault, Faults, Raw
from local.common.reach import HERE_ONLY, LOOPBACK, OWN_NAMES, Reach, is_taken, name_in
from local.common.running import CountedHandler, Running

PORTS_TRIED = 50
HIGHEST_PORT = 65535
FAULT_BYTES = 4096
# What is read and thrown away after an answer to a body that will not be read, and how long for each piece:
# a client that is still sending would else see a reset in place of the answer.
LINGER_BYTES = 128 * 1024 * 1024
LINGER_SECONDS = 2.0
PIECE_BYTES = 256 * 1024


class Server(ThreadingHTTPServer):
    """
    One emulator's listening socket.

    Args:
        make_handler: builds the request handler, as ``http.server`` does.

        port: the port asked for; the next free one above it is taken. ``0`` lets the system choose.

        reach: who besides this machine may come in.
    """

    daemon_threads = True
    request_queue_size = 256

    def __init__(
        self,
        make_handler: Callable[..., BaseHTTPRequestHandler],
        port: int = 0,
        reach: Reach = HERE_ONLY,
    ) -> None:
        self.reach = reach
        super().__init__((reach.listens_at, port), make_handler, bind_and_activate=False)
        try:
            self._bind_near(port)
            self.server_activate()
        except OSError:
            self.server_close()
            raise
        self.running = Running()
        self.stopping = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)

    @property
    def origin(self) -> str:
        return f"http://{LOOPBACK}:{self.server_address[1]}"

    @property
    def outer_origin(self) -> str:
        return f"http://{self.reach.name}:{self.server_address[1]}"

    def start(self) -> Self:
        self._thread.start()
        return self

    def stop(self) -> None:
        self.stopping.set()
        while self._thread.is_alive():
            is_taken(self.server_address[1])  # which wakes it
            self._thread.join(1)
        self.server_close()

    def _serve(self) -> None:
        while not self.stopping.is_set():
            self.handle_request()

    def server_bind(self) -> None:
        # Past HTTPServer's own, which asks DNS for this machine's name: seconds, where nothing answers.
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = LOOPBACK, self.server_address[1]

    def verify_request(self, request: Any, client_address: Any) -> bool:
        return not self.stopping.is_set() and self.reach.admits(request.getsockname()[0])

    def handle_error(self, request: Any, client_address: Any) -> None:
        # A client that went away is no news, and a traceback on stderr may quote what it sent.
        error = sys.exc_info()[1]
        if not isinstance(error, (ConnectionError, TimeoutError)):
            sys.stderr.write(f"{type(self).__name__}: a request ended in {type(error).__name__}\n")

    def _bind_near(self, port: int) -> None:
        # SO_REUSEADDR alone would let two servers share a port on some systems; ask first.
        for candidate in range(port, min(port + PORTS_TRIED, HIGHEST_PORT + 1)) if port else (0,):
            if candidate and is_taken(candidate):
                continue
            self.server_address = (self.reach.listens_at, candidate)
            try:
                self.server_bind()
            except OSError as error:
                if error.errno not in (errno.EADDRINUSE, errno.EACCES) or not port:
                    raise
                continue
            return
        raise OSError(errno.EADDRINUSE, f"no free port between {port} and {port + PORTS_TRIED - 1}")


class Handler(CountedHandler):
    """Manners shared by the emulators' request handlers: HTTP/1.1, no access log on stderr."""

    server: Server
    # Whether a request may call this service by any name.
    has_any_name = False
    protocol_version = "HTTP/1.1"
    timeout = 60
    # Head and body leave in two writes: with Nagle's algorithm the second may wait 40 ms for an ACK.
    disable_nagle_algorithm = True

    def parse_request(self) -> bool:
        if not super().parse_request():
            return False
        if self.has_any_name or self.is_called_by_own_name():
            return True
        names = " or ".join(dict.fromkeys((LOOPBACK, "localhost", self.server.reach.name)))
        self.turn_away(421, f"A service of the local cloud is called {names} and nothing else.")
        return False

    def is_called_by_own_name(self) -> bool:
        """A request without a Host header, which no browser sends, counts as well."""
        return self._is_called_by(self.server.reach.names)

    def is_of_foreign_page(self) -> bool:
        """Return whether a browser says that a page of another machine sent this."""
        return self._is_of_page_beyond(self.server.reach.names)

    def is_from_this_machine(self) -> bool:
        """Return whether it came over the loopback, by its name, and from no page of another machine."""
        is_loopback = self.connection.getsockname()[0] == LOOPBACK
        return is_loopback and self._is_called_by(OWN_NAMES) and not self._is_of_page_beyond(OWN_NAMES)

    def _is_called_by(self, names: frozenset[str]) -> bool:
        return all(name_in(host) in names for host in self.headers.get_all("Host", []))

    def _is_of_page_beyond(self, names: frozenset[str]) -> bool:
        origin = self.headers.get("Origin")
        return origin is not None and name_in(origin.partition("://")[2]) not in names

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def send_response(self, code: int, message: str | None = None) -> None:
        super().send_response(code, message)
        # Clients that asked for it, too, close their end only when told.
        if self.close_connection:
            self.send_header("Connection", "close")

    def answer(
        self, status: int, body: bytes = b"", content_type: str = "application/json", **headers: str
    ) -> None:
        """Send a whole answer; underscores in header names given as keywords become hyphens."""
        self.send_response(status)
        if body or status not in (204, 304):
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def answer_json(self, status: int, value: Any, **headers: str) -> None:
        self.answer(status, json.dumps(value, ensure_ascii=False).encode(), **headers)

    def turn_away(self, status: int, sentence: str) -> None:
        """Refuse a request whose body was not read, and end the connection."""
        self.close_connection = True
        self.answer_json(status, {"error": sentence})
        self.linger()

    def linger(self) -> None:
        """End the connection after an answer to a request that was not read, so that the answer arrives."""
        self.close_connection = True
        left = LINGER_BYTES
        with suppress(OSError):  # gone or silent: it has had its time to read
            self.wfile.flush()
            self.connection.shutdown(socket.SHUT_WR)
            self.connection.settimeout(LINGER_SECONDS)
            while left > 0 and (piece := self.rfile.read1(PIECE_BYTES)):
                left -= len(piece)

    def drop_connection(self) -> None:
        """End the TCP connection without an answer."""
        self.close_connection = True
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def read_body(self, limit: int) -> bytes | None:
        """
        The whole request body, or ``None`` after a refusal has been sent.

        Args:
            limit: bytes; a longer, chunked or unmeasured body is refused unread and the connection closed.
        """
        length = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers or not (length.isascii() and length.isdigit()):
            status, sentence = 411, "send the body with one Content-Length, not chunked"
        elif len(length) > 18 or int(length) > limit:
            status, sentence = 413, f"the body is longer than {limit} bytes"
        else:
            return self.rfile.read(int(length))
        self.turn_away(status, sentence)
        return None

    def play(self, fault: Fault, answers: Mapping[str, Raw]) -> bool:
        """
        Play a fault that needs no look at the request, and say whether that was the answer.

        Args:
            answers: what this emulator sends as it is, by the kind of the fault.
        """
        if fault.kind == SLOW:
            self.server.stopping.wait(fault.seconds)
        elif fault.kind == DROP:
            self.drop_connection()
        elif fault.kind == REDIRECT:
            # Another origin by name, yet this server: a client that follows shows up in the calls.
            self.answer(302, Location=self.server.origin.replace(LOOPBACK, "localhost") + "/redirected")
        elif raw := answers.get(fault.kind):
            self.answer(raw.status, raw.body, raw.content_type)
        return fault.kind in (DROP, REDIRECT, *answers)

    def turns_away_strangers(self) -> bool:
        """Refuse who is not of this machine, phones that were let in too; say whether that was needed."""
        if self.is_from_this_machine():
            return False
        self.turn_away(403, "This is done from this machine only.")
        return True

    def serve_faults(self, faults: Faults) -> bool:
        """
        Serve ``/-/faults``, the switchboard of an emulator, and say whether this request was for it.

        ``PUT`` with ``{"kind", "times"?, "rate"?, "seconds"?, "on"?}`` plans one more fault, ``DELETE``
        forgets all, ``GET`` lists the kinds, and the calls that ``on`` can name.
        """
        if self.path != "/-/faults" or self.turns_away_strangers():
            return self.path == "/-/faults"
        if self.command == "DELETE":
            faults.clear()
        elif self.command == "PUT":
            body = self.read_body(FAULT_BYTES)
            if body is None:
                return True
            try:
                faults.plan_from(json.loads(body))
            except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
                self.answer_json(400, {"error": str(error)})
                return True
        calls = {"calls": sorted(faults.calls)} if faults.calls else {}
        self.answer_json(200, {"kinds": sorted(faults.known), **calls})
        return True
