import http.client
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from local.wechat.push import PushSettings
from local.wechat.server import WechatServer

PNG = b"\x89PNG\r\n\x1a\n and what follows"


@pytest.fixture
def wechat_server(clock):
    """A local WeChat at 14:00 UTC on 24 November 2026."""
    server = WechatServer("wx0123456789abcdef", "wechat-secret", now=clock).start()
    yield server
    server.stop()


class Site:
    """A server that has files, takes pushes, and keeps every request."""

    def __init__(self):
        self.files = {}
        self.requests = []
        self.arrived = threading.Condition()
        self.answers = []
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.origin = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()

    def pushes(self, count):
        """The bodies that came by POST, once there are so many, each with its path."""

        def posted():
            return [(path, body) for method, path, _, body in self.requests if method == "POST"]

        with self.arrived:
            assert self.arrived.wait_for(lambda: len(posted()) >= count, timeout=60), posted()
            return posted()

    def asked_for(self, wanted):
        """Wait until a file has been asked for."""
        with self.arrived:
            assert self.arrived.wait_for(
                lambda: wanted in [path for _, path, *_ in self.requests], timeout=60
            )

    def _handler(site):
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                with site.arrived:
                    site.requests.append((self.command, self.path, self.headers.items(), body))
                    site.arrived.notify_all()
                file = site.files.get(self.path.partition("?")[0])
                status, answer = 200, b"success"
                if self.command == "GET":
                    status, answer = (404, b"no such file") if file is None else (200, file)
                elif site.answers:
                    status, answer = site.answers.pop(0)
                self.send_response(status)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            do_POST = do_GET

            def log_message(self, *_):
                pass

        return Handler


@pytest.fixture
def site():
    site = Site()
    site.files = {f"/held/{name}.png": PNG for name in ("sunset", "risky-1", "review-1", "silent-1")}
    yield site
    site.stop()


@pytest.fixture
def pushing(clock, site):
    """A local WeChat that pushes at once, to ``site``; the openid ``oUser`` has just logged in."""
    push = PushSettings(f"{site.origin}/wechat-events", "AAAAA", "A" * 43)
    server = WechatServer("wxba5fad812f8e6fb9", "wechat-secret", now=clock, push=push).start()
    server.checks.delays, server.checks.patience = (0, 0), (0.3, 0)
    server.code2session(
        "GET",
        {
            "appid": "wxba5fad812f8e6fb9",
            "secret": "wechat-secret",
            "grant_type": "authorization_code",
            "js_code": server.issue_code("oUser"),
        },
    )
    yield server
    server.stop()


@pytest.fixture
def call(pushing):
    """POST JSON to the local WeChat; returns what it answered, read."""

    def call(path, body=None, method="POST"):
        connection = http.client.HTTPConnection(pushing.origin.removeprefix("http://"), timeout=60)
        try:
            sent = body if isinstance(body, bytes) else json.dumps(body).encode()
            connection.request(method, path, None if body is None else sent)
            answer = connection.getresponse()
            return json.loads(answer.read())
        finally:
            connection.close()

    return call


@pytest.fixture
def check(pushing, call, site):
    """Have a file of ``site`` checked; fields may be changed or, with ``None``, left out."""

    def check(name="sunset", **changed):
        asked = {
            "media_url": f"{site.origin}/held/{name}.png",
            "media_type": 2,
            "version": 2,
            "scene": 1,
            "openid": "oUser",
        }
        asked = {name: value for name, value in (asked | changed).items() if value is not None}
        return call(f"/wxa/media_check_async?access_token={pushing.tokens.give()[0]}", asked)

    return check
