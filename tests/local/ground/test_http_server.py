"""
The manners of every local service, seen from a socket.
"""

import functools
import http.client

import pytest

from local.ground.http_server import Handler, Service


class Greeter(Handler):
    def do_GET(self):
        self.answer_json(200, {"path": self.path})


@pytest.fixture
def greeter():
    running = Service(functools.partial(Greeter)).start()
    yield running
    running.stop()


@pytest.fixture
def ask(greeter):
    def send(path="/", **headers):
        connection = http.client.HTTPConnection(greeter.origin.removeprefix("http://"), timeout=5)
        try:
            connection.request("GET", path, headers=headers)
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()

    return send


def test_a_client_that_wants_the_connection_closed_is_told_that_it_is(ask):
    assert ask(Connection="close")[1].get_all("Connection") == ["close"]
    assert ask()[1]["Connection"] is None
