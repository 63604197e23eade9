"""What a service of the local cloud sends by itself: bounded, and to nobody but whom it was told."""

import threading

import pytest

from local.common.http_server import Handler, Server
from local.common.outgoing import Answer, Loss, exchange, fetch, is_reachable


@pytest.fixture
def serving(started):
    """Start a server that answers GET and POST so; its origin."""

    def start(answer):
        class Stub(Handler):
            def do_GET(self):  # noqa: N802
                self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                answer(self)

            do_POST = do_GET  # noqa: N815

        return started(Server(Stub)).origin

    return start


def test_only_https_or_loopback_urls_are_called():
    assert all(map(is_reachable, ("http://127.0.0.1:9/a", "http://localhost/a", "https://oss.example.com/a")))
    for url in (
        *("http://oss.example.com/a", "http://127.0.0.1.example.com/a", "http://10.0.0.1/", "https://"),
        *("file:///etc/passwd", "ftp://127.0.0.1/", "//127.0.0.1/", "http://[", ""),
    ):
        assert not is_reachable(url) and exchange(url, 1, 10) is None


def test_a_response_is_passed_on_unless_it_is_too_long_and_no_redirect_is_followed(serving):
    asked = []
    origin = serving(
        lambda to: (
            asked.append(to.path) or to.answer(302 if to.command == "GET" else 200, to.body, Location="/b")
        )
    )
    assert exchange(f"{origin}/a", 5, 10) == Answer(302, b"")
    assert exchange(origin, 5, 10, b"ping", {"Content-Type": "text/plain"}) == Answer(200, b"ping")
    assert exchange(origin, 5, 4, b"ping") == Answer(200, b"ping")
    assert exchange(origin, 5, 3, b"ping") is exchange("http://127.0.0.1:1/", 1, 10) is None
    assert asked == ["/a", "/", "/", "/"]
    assert fetch("http://127.0.0.1:1/", 1, 10) is Loss.UNREACHABLE
    assert fetch(serving(lambda request: request.answer(200, b"x" * 11)), 5, 10) is Loss.TOO_LONG


def test_a_slow_response_times_out(serving):
    whole = threading.Event()

    def answer(request):
        request.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n")
        for _ in range(100):
            if request.server.stopping.wait(0.1):
                return request.drop_connection()
            request.wfile.write(b"x")
        return whole.set()

    assert fetch(serving(answer), 0.3, 1000) is Loss.SLOW
    assert not whole.is_set()
