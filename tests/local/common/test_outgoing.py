"""What a service of the local cloud sends by itself: bounded, and to nobody but whom it was told."""

import os
import subprocess
import sys
import threading

import pytest

from local.common.http_server import Handler, Server
from local.common.outgoing import Answer, Loss, exchange, fetch, is_reachable
from tests.support.cases import cases_beside

cases = cases_beside(__file__)


@pytest.fixture
def serving():
    """Start a server of this handler's GET and POST, and stop it at the end; its origin."""
    servers = []

    def start(answer):
        class Stub(Handler):
            def do_GET(self):  # noqa: N802
                self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                answer(self)

            do_POST = do_GET  # noqa: N815

        servers.append(Server(Stub).start())
        return servers[-1].origin

    yield start
    for server in servers:
        server.stop()


@cases("url", "reachable")
def test_only_https_or_loopback_urls_are_called(url, reachable):
    assert is_reachable(url) is reachable
    if not reachable:
        assert exchange(url, 1, 10) is None


def test_an_answer_is_whatever_was_answered(serving):
    def answer(request):
        request.answer(404 if request.command == "GET" else 200, request.body or b"none")

    origin = serving(answer)
    assert exchange(origin, 5, 10) == Answer(404, b"none")
    assert exchange(origin, 5, 10, b"ping", {"Content-Type": "text/plain"}) == Answer(200, b"ping")


def test_an_oversized_response_is_dropped(serving):
    origin = serving(lambda request: request.answer(200, b"x" * 11))
    assert exchange(origin, 5, 11) == Answer(200, b"x" * 11)
    assert exchange(origin, 5, 10) is None
    assert fetch(origin, 5, 10) is Loss.TOO_LONG


def test_a_redirect_is_not_followed(serving):
    asked = []

    def answer(request):
        asked.append(request.path)
        request.answer(302, Location="/elsewhere")

    assert exchange(serving(answer) + "/a", 5, 10) == Answer(302, b"")
    assert asked == ["/a"]


def test_a_proxy_from_the_environment_is_not_used(serving):
    """In a process of its own: what a shell holds is read once, when it is imported."""
    origin = serving(lambda request: request.answer(200, b"here"))
    program = f"from local.common.outgoing import exchange; print(exchange({origin!r}, 5, 10).body)"
    environ = {**os.environ, "http_proxy": "http://127.0.0.1:1", "no_proxy": ""}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environ, capture_output=True, text=True, check=True
    )
    assert done.stdout == "b'here'\n"


@pytest.mark.parametrize(
    "first", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"], ids=["silent", "slow"]
)
def test_a_slow_response_times_out(serving, first):
    whole = threading.Event()

    def answer(request):
        request.wfile.write(first)
        for _ in range(100):
            if request.server.stopping.wait(0.1):
                return request.drop_connection()
            request.wfile.write(b"x" if first else b"")
        return whole.set()

    assert fetch(serving(answer), 0.3, 1000) is Loss.SLOW
    assert not whole.is_set()


def test_a_refused_connection_gives_no_response():
    assert exchange("http://127.0.0.1:1/", 1, 10) is None
    assert fetch("http://127.0.0.1:1/", 1, 10) is Loss.UNREACHABLE
