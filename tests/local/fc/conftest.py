"""One gateway for the tests that need no options of their own."""

import json

import pytest

from tests.local.fc.running import Recorder, ask, gateway


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
        status, _, _ = ask(front.gateway, method, target, headers, body)
        assert status == 200
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
