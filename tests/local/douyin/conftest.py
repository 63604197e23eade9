"""A local Douyin with two apps, and a sender of its one call."""

import json

import pytest

from local.douyin.rules import DouyinRules
from local.douyin.server import DouyinServer
from tests.local.sender import sender

APP_ID, OTHER_APP, SECRET, OTHER_SECRET = "tt0000000000000001", "tt0000000000000002", "one", "two"
PATH = "/api/apps/v2/jscode2session"


class DouyinCaller:
    """Calls of the login; ``None`` leaves a field out."""

    def __init__(self, server):
        self.server, self.send = server, sender(server.origin)

    def __call__(self, code="local-alice", content_type="application/json", **changed):
        given = {"appid": APP_ID, "secret": SECRET, "code": code, **changed}
        body = json.dumps({name: value for name, value in given.items() if value is not None})
        status, _, answer = self.send("POST", PATH, body, Content_Type=content_type)
        assert status == 200
        return json.loads(answer)

    def openid(self, *code, **changed):
        answer = self(*code, **changed)
        assert (answer["err_no"], answer["err_tips"]) == (0, "success")
        return answer["data"]["openid"]


@pytest.fixture
def start_douyin(clock):
    """Start a local Douyin by these rules; its caller."""
    servers = []

    def start(**rules):
        servers.append(DouyinServer(now=clock, rules=DouyinRules(**rules)).start())
        servers[-1].apps |= {APP_ID: SECRET, OTHER_APP: OTHER_SECRET}
        return DouyinCaller(servers[-1])

    yield start
    for server in servers:
        server.stop()


@pytest.fixture
def douyin(start_douyin):
    return start_douyin()
