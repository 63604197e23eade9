"""burst_server: what a custom runtime starts. In a process of its own: tests/end_to_end/test_burst.py."""

import contextlib
import http.client
import os
import runpy
import signal
import socket
import sys
import threading
import time

import pytest
import waitress

from burst_server import OPTIONS, serve, warmed_once

LONG_SECONDS = 10


def answer(environ, start_response):
    start_response("200 OK", [("Content-Length", "2")])
    return [b"us"]


def asked(application, method, path):
    started = []
    environ = {"REQUEST_METHOD": method, "PATH_INFO": path}
    body = b"".join(application(environ, lambda *given: started.append(given)))
    return started[0][0], body


def test_the_call_that_makes_an_instance_ready_is_answered_here_and_all_else_by_the_function():
    application = warmed_once(answer, lambda _: None)
    assert asked(application, "POST", "/initialize") == ("200 OK", b'{"status":"ok"}')
    for method, path in (
        ("GET", "/initialize"),
        ("POST", "/api/initialize"),
        ("POST", "/invoke"),
        ("GET", "/"),
    ):
        assert asked(application, method, path) == ("200 OK", b"us")


def test_whoever_repeats_that_call_makes_the_function_ask_nobody_again():
    contexts = []
    application = warmed_once(answer, contexts.append)
    for _ in range(3):
        assert asked(application, "POST", "/initialize")[0] == "200 OK"
    assert contexts == [None]


@pytest.fixture
def free_port():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return taken.getsockname()[1]


@pytest.fixture
def handlers_of_signals():
    """As before, whatever a test sets."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def ask(port, method, path):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=LONG_SECONDS)
    try:
        connection.request(method, path)
        answered = connection.getresponse()
        return answered.status, answered.headers, answered.read()
    finally:
        connection.close()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_the_function_until_it_is_told_to_end(free_port, handlers_of_signals, number, monkeypatch):
    answers = []

    def visit():
        while not answers:
            try:
                answers.append(ask(free_port, "GET", "/health"))
            except OSError:
                time.sleep(0.01)
        answers.append(ask(free_port, "POST", "/invoke"))
        os.kill(os.getpid(), number)

    visitor = threading.Thread(target=visit)
    visitor.start()
    options = ["--host", "127.0.0.1", "--port", str(free_port), "--threads", "2"]
    monkeypatch.setattr(sys, "argv", ["burst_server.py", *options])
    runpy.run_module("burst_server", run_name="__main__")
    visitor.join()
    (healthy, headers, body), (refused, _, _) = answers
    assert (healthy, body, refused) == (200, b'{"status":"ok"}', 404)
    assert "Server" not in headers


class Served:
    """A server whose answers wait until they may go, and the thread in which it serves."""

    def __init__(self, threads=1, **more):
        self.may_go, self.ending, self.begun = threading.Event(), threading.Event(), threading.Event()
        self.server = waitress.create_server(self.wait, host="127.0.0.1", port=0, threads=threads, **OPTIONS)
        self.port = self.server.effective_port
        # A daemon, so that a test that fails does not keep the others from ending.
        given = (self.server, self.ending)
        self.thread = threading.Thread(target=serve, args=given, kwargs=more, daemon=True)
        self.thread.start()

    def wait(self, environ, start_response):
        self.begun.set()
        assert self.may_go.wait(LONG_SECONDS)
        return answer(environ, start_response)

    def end(self):
        self.ending.set()
        self.server.pull_trigger()


def test_what_has_begun_is_answered_before_it_ends_and_nobody_new_is_let_in():
    served = Served()
    found = []
    asking = threading.Thread(target=lambda: found.append(ask(served.port, "GET", "/")))
    asking.start()
    assert served.begun.wait(LONG_SECONDS)
    served.end()
    while served.server.accepting:
        time.sleep(0.01)
    late = socket.create_connection(("127.0.0.1", served.port))
    late.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    time.sleep(0.2)
    assert served.thread.is_alive()
    served.may_go.set()
    asking.join()
    served.thread.join(LONG_SECONDS)
    assert not served.thread.is_alive()
    assert found[0][::2] == (200, b"us")
    # The system may still have taken the connection; nobody answers on it.
    with late:
        late.settimeout(LONG_SECONDS)
        with contextlib.suppress(ConnectionResetError):
            assert late.recv(100) == b""


def test_a_request_that_waits_for_a_thread_is_answered_as_well():
    served = Served(threads=1)
    found = []
    asking = [threading.Thread(target=lambda: found.append(ask(served.port, "GET", "/"))) for _ in range(4)]
    for one in asking:
        one.start()
    while len(served.server.active_channels) < len(asking):
        time.sleep(0.01)
    served.end()
    served.may_go.set()
    for one in asking:
        one.join()
    served.thread.join(LONG_SECONDS)
    assert [one[0] for one in found] == [200] * 4


def test_who_never_finishes_a_request_does_not_keep_it_from_ending():
    served = Served(drain_seconds=0.2)
    with socket.create_connection(("127.0.0.1", served.port)) as slow:
        slow.sendall(b"GET / HTTP/1.1\r\nHo")
        while not any(channel.request for channel in served.server.active_channels.values()):
            time.sleep(0.01)
        served.end()
        served.thread.join(LONG_SECONDS)
    assert not served.thread.is_alive()


def test_connections_that_are_kept_without_a_request_leave_room_for_others():
    served = Served()
    served.may_go.set()
    with contextlib.ExitStack() as kept:
        for _ in range(300):
            kept.enter_context(socket.create_connection(("127.0.0.1", served.port)))
        assert ask(served.port, "GET", "/")[0] == 200
    served.end()
    served.thread.join(LONG_SECONDS)
    assert not served.thread.is_alive()


def test_headers_far_over_the_function_s_bound_are_refused_at_once():
    served = Served()
    with socket.create_connection(("127.0.0.1", served.port), timeout=LONG_SECONDS) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 40_000)
        assert client.recv(100).startswith(b"HTTP/1.0 431")
    served.end()
    served.thread.join(LONG_SECONDS)
    assert not served.begun.is_set()


def test_a_body_far_over_the_function_s_bound_is_not_even_received():
    served = Served()
    served.may_go.set()
    with socket.create_connection(("127.0.0.1", served.port), timeout=LONG_SECONDS) as client:
        client.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2000000\r\n\r\n")
        assert client.recv(100).startswith(b"HTTP/1.1 413")
    served.end()
    served.thread.join(LONG_SECONDS)
    assert not served.begun.is_set()
