"""Logins at the local Douyin: codes that are good once, refusals, devices that are no users, bad days."""

import json
import re
from datetime import timedelta
from functools import partial

import pytest

from local.douyin.rules import DouyinRules
from local.douyin.server import ANONYMOUS, DouyinServer
from tests.local.site import sender
from tests.support.cases import cases_beside

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
def start_douyin(clock, started):
    """Start a local Douyin by these rules; its caller."""

    def start(**rules):
        server = started(DouyinServer(now=clock, rules=DouyinRules(**rules)))
        server.apps |= {APP_ID: SECRET, OTHER_APP: OTHER_SECRET}
        return DouyinCaller(server)

    return start


@pytest.fixture
def douyin(start_douyin):
    return start_douyin()


cases = cases_beside(__file__)


def test_a_code_becomes_its_user(douyin):
    data = douyin(douyin.server.issue_code("_000User"))["data"]
    assert data.keys() == {"session_key", "openid", "anonymous_openid", "unionid"}
    assert (data["openid"], data["anonymous_openid"]) == ("_000User", "")
    assert re.fullmatch("_000[A-Za-z0-9_-]{32}", douyin.openid(douyin.server.issue_code()))


@pytest.mark.parametrize("issued", [True, False])
def test_a_code_is_good_once_even_if_its_answer_was_lost(douyin, issued):
    code = douyin.server.issue_code() if issued else "local-alice"
    assert douyin.openid(code)
    assert douyin(code)["err_no"] == 40018
    douyin.server.faults.plan("answer_lost", times=1)
    with pytest.raises(OSError):
        douyin("local-bob")
    assert douyin("local-bob")["err_no"] == 40018


@pytest.mark.parametrize(("seconds", "err_no"), [(180, 40018), (300, 0)])
def test_a_code_lives_and_an_error_has_data_as_the_rules_have_it(start_douyin, clock, seconds, err_no):
    douyin = start_douyin(douyin_code_lives=timedelta(seconds=seconds), douyin_errors_have_data=False)
    code = douyin.server.issue_code()
    clock.tick(seconds=180)
    assert douyin(code)["err_no"] == err_no
    assert set(douyin("bad-1")) == {"err_no", "err_tips"}


def test_an_anonymous_code_names_a_device_and_no_user(douyin):
    issue = partial(douyin.server.codes.issue, APP_ID + ANONYMOUS)
    data = douyin(None, anonymous_code=issue("_000Device"))["data"]
    assert (data["openid"], data["anonymous_openid"], data["unionid"]) == ("", "_000Device", "")
    assert douyin(issue())["err_no"] == 40018
    assert douyin(None, anonymous_code=douyin.server.issue_code())["err_no"] == 40019
    both = douyin("local-alice", anonymous_code=issue("_000Device"))["data"]
    assert both["openid"] and both["anonymous_openid"] == "_000Device"


@cases("changed", "err_no")
def test_a_refused_call_keeps_the_code_good(douyin, changed, err_no):
    answer = douyin(**{"code": "local-bob"} | changed)
    assert answer["err_no"] == int(err_no) and set(answer["data"].values()) == {""}
    assert douyin.openid("local-bob")


@cases("kind", "pattern")
def test_a_planned_fault_is_the_answer_to_one_call(douyin, kind, pattern):
    assert douyin.send("PUT", "/-/faults", json.dumps({"kind": kind, "times": 1}))[0] == 200
    body = {"appid": APP_ID, "secret": "one", "code": "local-bob"}
    answer = douyin.send("POST", PATH, json.dumps(body), Content_Type="application/json")
    assert re.fullmatch(pattern, f"{answer[0]} {answer[2].decode()}")
    assert douyin.openid()
