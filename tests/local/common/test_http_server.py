"""The manners of every local service, seen from a socket."""

import functools
import http.client
import json

import pytest

from local.common.http_server import Handler
from local.common.service import Service
from local.fc.gateway import _GatewayHandler as FcHandler
from local.oss.handler import OssHandler
from local.playground.server import _Handler as PlaygroundHandler
from local.sts.server import _Handler as StsHandler
from local.wechat.server import _Handler as WechatHandler
from tests.support.cases import cases_beside

cases = cases_beside(__file__)


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
        connection = http.client.HTTPConnection(greeter.origin.removeprefix("http://"), timeout=60)
        try:
            connection.request("GET", path, headers=headers)
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()

    return send


def test_a_connection_close_request_is_confirmed_in_the_response(ask):
    assert ask(Connection="close")[1].get_all("Connection") == ["close"]
    assert ask()[1]["Connection"] is None


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:9000", "localhost", "LOCALHOST:1", "[::1]:9000"])
def test_this_machine_is_answered_by_its_own_names(ask, host):
    assert ask(Host=host)[0] == 200


@cases("host")
def test_a_rebound_host_name_is_refused_with_421(ask, host):
    status, headers, body = ask(Host=host)
    assert status == 421
    assert "called 127.0.0.1 or localhost" in json.loads(body)["error"]
    assert headers["Connection"] == "close"


def test_every_service_but_the_bucket_wants_its_own_name():
    assert not any(
        handler.has_any_name for handler in (FcHandler, StsHandler, WechatHandler, PlaygroundHandler)
    )
    assert OssHandler.has_any_name
