"""The server of a custom runtime; in its own process: tests/end_to_end/test_burst.py."""

import contextlib
import gc
import http.client
import json
import logging
import os
import re
import runpy
import signal
import socket
import sys
import threading
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from waitress import wasyncore
from waitress.adjustments import Adjustments

import burst_server
import handler
from burst_server import OPTIONS, TIMEOUT_SECONDS, Server, main, serve, ticking, warmed_once
from function import VERSION
from tests.support.ports import held_port

ROOT = Path(__file__).parents[2]
LONG_SECONDS = 10


def answer(environ, start_response):
    start_response("200 OK", [("Content-Length", "2")])
    return [b"us"]


def asked(application, method, path, **headers):
    started = []
    environ = {"REQUEST_METHOD": method, "PATH_INFO": path, **headers}
    body = b"".join(application(environ, lambda *given: started.append(given)))
    ((status, headers),) = started
    assert dict(headers)["Content-Length"] == str(len(body))
    return status, dict(headers).get("Content-Type"), body


def test_a_repeated_initialize_calls_no_service():
    """The server itself answers initialize, the function everything else."""
    contexts = []
    application = warmed_once(answer, contexts.append)
    for _ in range(3):
        response = ("200 OK", "application/json", b'{"status":"ok"}')
        assert asked(application, "POST", "/initialize") == response
    assert contexts == [None]
    for call in ("GET /initialize", "POST /api/initialize", "POST /invoke", "GET /"):
        assert asked(application, *call.split()) == ("200 OK", None, b"us")


CONTROL = "HTTP_X_FC_CONTROL_PATH"


def test_an_event_that_is_no_request_runs_a_tick():
    """The event is not read, and what comes from a phone reaches the function."""
    ticks = []
    application = ticking(answer, lambda: ticks.append(1))
    assert asked(application, "POST", "/invoke", **{CONTROL: "/invoke"}) == (
        "200 OK",
        "application/json",
        b"null",
    )
    assert ticks == [1]
    others = (("GET", "/invoke", "/invoke"), ("POST", "/", "/invoke"), ("POST", "/invoke", "/http-invoke"))
    for method, path, control in others:
        assert asked(application, method, path, **{CONTROL: control}) == ("200 OK", None, b"us")
    assert asked(application, "POST", "/invoke") == ("200 OK", None, b"us")
    assert ticks == [1]


def test_the_handler_runs_the_ticks_of_the_server(monkeypatch, capsys):
    """Its settings are those of the machine that tests: a log line there is, whatever it says."""
    nothing_due = SimpleNamespace(TICK_SECONDS=1.0, continue_due=lambda *_: None)
    monkeypatch.setitem(sys.modules, "function.operations.tick", nothing_due)
    handler.tick()
    assert '"route":"tick"' in capsys.readouterr().out


@pytest.fixture
def free_port():
    with held_port() as port:
        yield port


@pytest.fixture
def files_of_waitress():
    """Collect the files of large bodies, which waitress leaves open, so that they fail no later test."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


@contextlib.contextmanager
def own_process():
    """Start with the signals and loggers of a new process, and restore them."""
    loggers = [logging.getLogger(name) for name in (None, "waitress.queue", "oss_direct_upload")]
    signals = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    levels, handlers = [logger.level for logger in loggers], logging.root.handlers
    for logger in loggers:
        logger.setLevel(logging.NOTSET)
    logging.root.setLevel(logging.WARNING)
    logging.root.handlers = []
    try:
        yield
    finally:
        logging.root.handlers = handlers
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
        for number, handler in signals.items():
            signal.signal(number, handler)


def ask(port, method, path):
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=LONG_SECONDS)) as client:
        client.request(method, path)
        answered = client.getresponse()
        return answered.status, answered.headers, answered.read()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_server_runs_until_a_signal(free_port, number, monkeypatch, capsys):
    answers, loop = [], wasyncore.loop

    def sleep_long(timeout, **more):
        """So that a server that nobody wakes sleeps longer than any machine is busy."""
        loop(timeout=LONG_SECONDS if timeout == 1 else timeout, **more)

    monkeypatch.setattr(wasyncore, "loop", sleep_long)

    def visit():
        while not answers:
            try:
                answers.append(ask(free_port, "GET", "/health"))
            except OSError:
                time.sleep(0.01)
        answers.append(ask(free_port, "POST", "/invoke"))
        # Until nothing but the signal wakes it.
        time.sleep(0.1)
        answers.append(time.monotonic())
        os.kill(os.getpid(), number)

    visitor = threading.Thread(target=visit)
    visitor.start()
    with own_process():
        main(["--host", "127.0.0.1", "--port", str(free_port), "--threads", "2"])
        ended = time.monotonic()
        assert not logging.getLogger("waitress.queue").isEnabledFor(logging.WARNING)
        logging.info('{"route":"other","status":0}')
    visitor.join()
    (healthy, headers, body), (refused, _, _), told = answers
    assert (healthy, refused) == (200, 404)
    assert json.loads(body) == {"status": "ok", "version": VERSION}
    assert "Server" not in headers
    assert ended - told < LONG_SECONDS / 2
    # Function Compute collects what is printed: each line is one of the function's, whole, and nothing else.
    # It begins with a date, or would be appended to the one before.
    printed = [line.partition(" [INFO] ") for line in capsys.readouterr().out.splitlines()]
    assert all(re.match(r"\d{4}-\d\d-\d\d[T ]", before) for before, _, _ in printed)
    lines = [json.loads(text) for _, _, text in printed]
    assert [(line["route"], line["status"]) for line in lines] == [("health", 200), (None, 404), ("other", 0)]


class Begun(Exception):
    """Raised instead of starting a server."""


@pytest.fixture
def begun_with(monkeypatch):
    """Return the options of a server started with these arguments."""

    def begin(*arguments):
        given = {}

        def create_server(_application, **options):
            given.update(options)
            raise Begun

        monkeypatch.setattr(burst_server, "Server", create_server)
        with own_process(), pytest.raises(Begun):
            main(arguments)
        return given

    return begin


def props_of(name):
    return yaml.safe_load((ROOT / name).read_text("utf-8"))["resources"]["upload"]["props"]


def test_default_options_match_the_burst_deployment(begun_with):
    deployed = props_of("deploy/burst/s.burst.yaml")
    assert begun_with() == {
        "host": "0.0.0.0",
        "port": deployed["customRuntimeConfig"]["port"],
        "threads": deployed["instanceConcurrency"],
        **OPTIONS,
    }
    given = begun_with("--host", "127.0.0.1", "--port", "80", "--threads", "3")
    assert [given[name] for name in ("host", "port", "threads")] == ["127.0.0.1", 80, 3]
    # Arriving and draining last as long as a request may take.
    assert props_of("s.yaml")["timeout"] == TIMEOUT_SECONDS


def test_the_help_names_the_settings_of_the_deployment(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["burst_server.py", "--help"])
    with pytest.raises(SystemExit):
        runpy.run_module("burst_server", run_name="__main__")
    words = re.findall(r"[\w.]+\w", capsys.readouterr().out)
    assert {"customRuntimeConfig.port", "instanceConcurrency"} <= set(words)


class Served:
    """A server in a thread, whose responses wait for the test."""

    def __init__(self, threads=1, body=b"us", **more):
        self.body, self.environ = body, {}
        self.may_go, self.ending, self.begun = threading.Event(), threading.Event(), threading.Event()
        self.server = Server(self.wait, host="127.0.0.1", port=0, threads=threads, **OPTIONS)
        self.port = self.server.effective_port
        # A daemon, so that a test that fails does not keep the others from ending.
        given = (self.server, self.ending)
        self.thread = threading.Thread(target=serve, args=given, kwargs=more, daemon=True)
        self.thread.start()

    def wait(self, environ, start_response):
        if environ["PATH_INFO"] != "/health":
            self.begun.set()
            assert self.may_go.wait(LONG_SECONDS)
        self.environ = environ
        start_response("200 OK", [("Content-Length", str(len(self.body)))])
        return [self.body]

    def end(self):
        if not self.ending.is_set():
            self.ending.set()
            # What wakes the server is closed with it, which it may have seen by itself.
            with contextlib.suppress(OSError):
                self.server.pull_trigger()

    def ended(self):
        """End it and let it answer what is under way; return whether it ended."""
        self.may_go.set()
        self.end()
        self.thread.join(LONG_SECONDS)
        return not self.thread.is_alive()

    def connect(self, sent=b""):
        """Open a connection and send the beginning of a request."""
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=LONG_SECONDS)
        connection.sendall(sent)
        return connection

    def ask_later(self):
        """Ask in a thread; return the future response."""
        return ThreadPoolExecutor(1).submit(ask, self.port, "GET", "/")

    def has_channel_with(self, name):
        return any(getattr(channel, name) for channel in self.channels())

    def channels(self):
        # The server's thread adds to them meanwhile.
        return list(self.server.active_channels.values())


def until(condition):
    deadline = time.monotonic() + LONG_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.fixture
def served():
    """A server that answers at once, and ends with the test."""
    found = Served()
    found.may_go.set()
    yield found
    assert found.ended()


def test_shutdown_finishes_requests_in_progress_and_queued_ones_and_refuses_new_ones():
    served = Served(threads=1)
    asking = [served.ask_later() for _ in range(4)]
    # A connection whose request has not arrived may be closed.
    until(lambda: [bool(one.requests) for one in served.channels()] == [True] * len(asking))
    served.end()
    until(lambda: not served.server.accepting)
    with served.connect(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n") as late:
        time.sleep(0.2)
        assert served.thread.is_alive()
        assert served.ended()
        assert [one.result()[::2] for one in asking] == [(200, b"us")] * 4
        # The system may still have taken the connection; nobody answers on it.
        with contextlib.suppress(ConnectionResetError):
            assert late.recv(100) == b""


def test_shutdown_finishes_partly_received_requests():
    served = Served()
    served.may_go.set()
    with served.connect(b"GET / HTTP/1.1\r\nHo") as slow:
        until(lambda: served.has_channel_with("request"))
        served.end()
        until(lambda: not served.server.accepting)
        slow.sendall(b"st: x\r\n\r\n")
        assert slow.recv(100).startswith(b"HTTP/1.1 200")
    assert served.ended()
    assert served.server.task_dispatcher.threads == set()


@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.usefixtures("files_of_waitress")
def test_shutdown_sends_responses_completely():
    """Larger than the socket buffers of a slow reader."""
    served = Served(body=b"x" * 30_000_000)
    served.may_go.set()
    with served.connect(b"GET / HTTP/1.0\r\n\r\n") as slow:
        received = len(slow.recv(1000))
        while served.has_channel_with("requests"):
            received += len(slow.recv(100_000))
        served.end()
        until(lambda: not served.server.accepting)
        while data := slow.recv(1_000_000):
            received += len(data)
    assert served.ended()
    assert received > len(served.body)


def test_an_unfinished_request_does_not_prevent_shutdown(monkeypatch):
    waits, poll = set(), wasyncore.loop
    monkeypatch.setattr(wasyncore, "loop", lambda timeout, **of: waits.add(timeout) or poll(timeout, **of))
    served = Served(drain_seconds=0.2)
    with served.connect(b"GET / HTTP/1.1\r\nHo"):
        until(lambda: served.has_channel_with("request"))
        assert served.ended()
    assert waits == {1, 0.05}


def test_a_connection_may_be_idle_for_a_day(served):
    with served.connect():
        until(lambda: served.server.active_channels)
        (channel,) = served.server.active_channels.values()
        rested = channel.last_activity + 24 * 60 * 60
        served.server.maintenance(rested)
        assert not channel.will_close
        served.server.maintenance(rested + 1)
        assert channel.will_close


def test_at_most_900_connections_are_accepted():
    server = Server(answer, host="127.0.0.1", port=0, **OPTIONS)
    own = server._map
    for connections, lets_in in ((899, True), (900, False), (899, True)):
        server._map = dict.fromkeys(range(connections))
        assert server.readable() is lets_in
    server.task_dispatcher.shutdown()
    server.health_dispatcher.shutdown()
    server.asyncore.close_all(own)


def first_line(served, head, body=b""):
    """Return the status line of the response, and whether the function ran."""
    served.begun.clear()
    with served.connect(head + body) as client:
        line = client.recv(100).partition(b"\r\n")[0]
    return line.partition(b" ")[2], served.begun.is_set()


def test_the_function_sees_the_forwarding_headers_of_a_proxy(served):
    head = b"GET / HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: forged, 203.0.113.7\r\n\r\n"
    assert first_line(served, head) == (b"200 OK", True)
    assert served.environ["HTTP_X_FORWARDED_FOR"] == "forged, 203.0.113.7"


@pytest.mark.parametrize(
    ("size", "line", "is_asked"),
    [(32 * 1024 - 1, b"200 OK", True), (32 * 1024, b"431 Request Header Fields Too Large", False)],
)
def test_headers_of_32_kib_are_refused_before_the_function_runs(served, size, line, is_asked):
    head, end = b"GET / HTTP/1.1\r\nHost: x\r\nX: ", b"\r\n\r\n"
    assert first_line(served, head + b"y" * (size - len(head + end)) + end) == (line, is_asked)


@pytest.mark.usefixtures("files_of_waitress")
def test_a_body_under_a_mebibyte_reaches_the_function(served):
    head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n"
    size = 1024 * 1024 - 1
    assert first_line(served, head % size, b"y" * size) == (b"200 OK", True)
    # Not even received.
    assert first_line(served, head % (size + 1)) == (b"413 Request Entity Too Large", False)


@pytest.fixture(scope="module")
def attacked():
    """One server for all odd requests."""
    found = Served()
    found.may_go.set()
    yield found
    assert found.ended()


CHUNKED, TWO = b"Transfer-Encoding: chunked\r\n", b"Content-Length: 2\r\n"
SECOND = b"GET /second HTTP/1.1\r\nHost: x\r\n\r\n"
AMBIGUOUS = {
    "both lengths": b"POST / HTTP/1.1\r\n" + TWO + CHUNKED + b"\r\n0\r\n\r\n",
    "both lengths, in other letters": b"POST / HTTP/1.1\r\ntRANSFER-eNCODING:chunked\r\n"
    + TWO
    + b"\r\n0\r\n\r\n",
    "both lengths, one folded": b"POST / HTTP/1.1\r\nTransfer-Encoding:\r\n chunked\r\n"
    + TWO
    + b"\r\n0\r\n\r\n",
    "an empty encoding": b"POST / HTTP/1.1\r\nTransfer-Encoding:\r\n" + TWO + b"\r\nab",
    "HTTP/1.0 in chunks": b"POST / HTTP/1.0\r\nConnection: keep-alive\r\n" + CHUNKED + b"\r\n",
    "two lengths": b"POST / HTTP/1.1\r\n" + TWO + b"Content-Length: 3\r\n\r\nab",
    "a space before the colon": b"POST / HTTP/1.1\r\nTransfer-Encoding : chunked\r\n" + TWO + b"\r\nab",
    "a head of bare LF": b"GET / HTTP/1.1\nHost: x\n\n",
    "one bare LF": b"GET / HTTP/1.1\r\nHost: x\nX: y\r\n\r\n",
    "a bare CR": b"GET / HTTP/1.1\r\nHost: x\rX: canary\r\n\r\n",
    "a bare LF before the head": b"\nGET / HTTP/1.1\r\nHost: x\r\n\r\n",
    "chunked twice": b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
    "chunked in two lines": b"POST / HTTP/1.1\r\n" + 2 * CHUNKED + b"\r\n0\r\n\r\n",
    "an address that is none": b"GET http://[canary/ HTTP/1.1\r\n\r\n",
    "a length of 5000 digits": b"POST / HTTP/1.1\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n",
    "no name": b"GET / HTTP/1.1\r\n: canary\r\n\r\n",
    "a folded first header": b"GET / HTTP/1.1\r\n canary\r\n\r\n",
}


def everything_from(connection):
    return b"".join(iter(lambda: connection.recv(10_000), b""))


@pytest.mark.parametrize("name", AMBIGUOUS)
@pytest.mark.parametrize("at_once", [True, False])
def test_an_ambiguous_head_is_refused_once_and_the_connection_closed(attacked, name, at_once):
    attacked.begun.clear()
    with attacked.connect(AMBIGUOUS[name] + (SECOND if at_once else b"")) as client:
        received = everything_from(client)
    assert received.startswith((b"HTTP/1.1 400 ", b"HTTP/1.0 400 "))
    assert received.count(b"HTTP/1.") == 1
    assert b"canary" not in received
    assert not attacked.begun.is_set()


def test_a_head_in_single_bytes_is_read_and_lf_in_a_body_is_no_fault(attacked):
    with attacked.connect() as client:
        for byte in b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\na\n\n":
            client.sendall(bytes([byte]))
        client.sendall(b"POST / HTTP/1.1\r\nConnection: close\r\n" + CHUNKED + b"\r\n1\r\n\n\r\n0\r\n\r\n")
        assert everything_from(client).count(b"HTTP/1.1 200") == 2


@pytest.mark.parametrize("part", [b"G", b"GET / HTTP/1.1\r\nHo", b"POST / HTTP/1.1\r\n" + TWO + b"\r\na"])
def test_a_request_must_arrive_within_the_timeout(attacked, part):
    with attacked.connect(part) as client:
        until(lambda: attacked.has_channel_with("request"))
        (channel,) = (one for one in attacked.server.active_channels.values() if one.request)
        channel.request.began -= TIMEOUT_SECONDS - 5
        assert channel.readable()
        channel.request.began -= 5
        assert client.recv(100) == b""


def test_a_request_that_waits_for_an_earlier_response_is_not_closed():
    served = Served()
    with served.connect(b"GET / HTTP/1.1\r\n\r\nGET /second HT") as client:
        assert served.begun.wait(LONG_SECONDS)
        (channel,) = served.server.active_channels.values()
        channel.request.began -= 2 * TIMEOUT_SECONDS
        channel.readable()
        assert not channel.will_close
        served.may_go.set()
        assert everything_from(client).count(b"HTTP/1.1 200") == 1
    assert served.ended()


def test_a_health_check_does_not_wait_for_busy_threads():
    served = Served(threads=1)
    asking = [served.ask_later() for _ in range(2)]
    assert served.begun.wait(LONG_SECONDS)
    until(lambda: served.server.task_dispatcher.queue)
    assert ask(served.port, "GET", "/health")[0] == 200
    assert len(served.server.health_dispatcher.threads) == 1
    assert not any(one.done() for one in asking)
    assert served.ended()
    assert [one.result()[0] for one in asking] == [200, 200]
    assert served.server.health_dispatcher.threads == set()


def test_a_refused_head_has_the_path_that_waitress_logs_when_its_client_is_gone():
    request = burst_server.Request(Adjustments())
    request.received(b"GET / HTTP/1.1\n\n")
    assert (request.completed, request.path) == (True, "/")
