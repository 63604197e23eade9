"""A gateway that runs, a function that remembers, and requests of any bytes."""

import contextlib
import http.client
import socket
from datetime import UTC, datetime

from local.fc.gateway import FcGateway

NOW = datetime(2030, 1, 1, 0, 0, 0, tzinfo=UTC)
KEYS = {"access_key_id": "ID", "access_key_secret": "SECRET", "security_token": "TOKEN"}


@contextlib.contextmanager
def gateway(handler, initialize=None, **options):
    running = FcGateway(handler, initialize, now=lambda: NOW, environ={}, **options).start()
    try:
        yield running
    finally:
        running.stop()


class Recorder:
    """A function that keeps what it was called with and returns what it was told to."""

    def __init__(self, result=None):
        self.result = result
        self.events = []
        self.contexts = []

    def __call__(self, event, context):
        self.events.append(event)
        self.contexts.append(context)
        return self.result


def address(running):
    host, port = running.origin.removeprefix("http://").split(":")
    return host, int(port)


def ask(running, method="GET", target="/", headers=(), body=None):
    """One request with exactly these headers (and Content-Length); repeated names allowed."""
    connection = http.client.HTTPConnection(*address(running), timeout=60)
    with contextlib.closing(connection):
        connection.putrequest(method, target, skip_accept_encoding=True)
        for name, value in dict(headers).items() if isinstance(headers, dict) else headers:
            connection.putheader(name, value)
        if body is not None:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()


def say(running, text):
    """Send raw bytes and read until the gateway closes."""
    with socket.create_connection(address(running), timeout=60) as connection:
        connection.sendall(text)
        received = b""
        while piece := connection.recv(65536):
            received += piece
    return received
