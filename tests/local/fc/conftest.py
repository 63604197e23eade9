"""A gateway that runs, a function that remembers, and requests of any bytes."""

import contextlib
import http.client
import json
import socket
from datetime import UTC, datetime

import pytest

from local.fc.gateway import FcGateway

NOW = datetime(2030, 1, 1, 0, 0, 0, tzinfo=UTC)
KEYS = {"access_key_id": "ID", "access_key_secret": "SECRET", "security_token": "TOKEN"}


@contextlib.contextmanager
def gateway(handler, initialize=None, **options):
    running = FcGateway(handler, initialize, now=lambda: NOW, **{"environ": {}, **options}).start()
    try:
        yield running
    finally:
        running.stop()


class Recorder:
    """A function that keeps what it was called with and returns what it was told to."""

    def __init__(self, result=None):
        self.result, self.events = result, []

    def __call__(self, event, context):
        self.events.append(event)
        return self.result


def ask(running, method="GET", target="/", headers=(), body=None):
    """One request with exactly these headers (and Content-Length); repeated names allowed."""
    connection = http.client.HTTPConnection(running.origin.removeprefix("http://"), timeout=60)
    with contextlib.closing(connection):
        connection.putrequest(method, target, skip_accept_encoding=True)
        for name, value in headers.items() if isinstance(headers, dict) else headers:
            connection.putheader(name, value)
        if body is not None:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()


def say(running, data):
    """Send raw bytes, end one's own side, and read until the gateway closes."""
    host, port = running.origin.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=60) as connection:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        received = b""
        with contextlib.suppress(ConnectionResetError):
            while piece := connection.recv(65536):
                received += piece
    return received


@pytest.fixture(scope="module")
def front():
    """One gateway for the many tests that need no options of their own; set its ``function``."""

    class Front:
        function = None

    with gateway(lambda event, context: Front.function(event, context)) as running:
        Front.gateway = running
        yield Front


@pytest.fixture
def event_of(front):
    """Send one request and read the event that the function got."""

    def event_of(method="GET", target="/", headers=(), body=None):
        front.function = staticmethod(Recorder({"statusCode": 200}))
        assert ask(front.gateway, method, target, headers, body)[0] == 200
        assert type(front.function.events[0]) is bytes
        return json.loads(front.function.events[0])

    return event_of


@pytest.fixture
def answer_to(front):
    """Let the function return this and see what the client gets."""

    def answer_to(result, method="GET"):
        front.function = staticmethod(Recorder(result))
        return ask(front.gateway, method)

    return answer_to
