"""Logins at the local Alipay: signed calls, codes that are good once, refusals, bad days."""

import json
import re
from datetime import timedelta
from urllib.parse import urlencode

import pytest

from local.alipay.rules import AlipayRules
from local.alipay.server import GATEWAY, AlipayServer
from local.alipay.signing import is_signed, key_of, sign, text_to_sign
from tests.local.site import sender
from tests.support.cases import cases_beside

APP_ID, OTHER_APP = "2021000000000001", "2021000000000002"
PATH = "/gateway.do"
NODE = '{"alipay_system_oauth_token_response":'


class AlipayCaller:
    """Calls signed by hand; ``None`` leaves a field out, and ``key`` names whose key signs."""

    def __init__(self, server, clock):
        self.server, self._clock = server, clock
        self.send = sender(server.origin)

    def fields(self, code="local-alice", **changed):
        beijing = self._clock.instant + timedelta(hours=8)
        given = {
            "app_id": APP_ID,
            "method": "alipay.system.oauth.token",
            "format": "JSON",
            "charset": "utf-8",
            "sign_type": "RSA2",
            "timestamp": f"{beijing:%Y-%m-%d %H:%M:%S}",
            "version": "1.0",
            "grant_type": "authorization_code",
            "code": code,
        }
        return {name: value for name, value in (given | changed).items() if value is not None}

    def text(self, code="local-alice", key="", signature=None, **changed):
        """Return the answer as it came; always HTTP 200."""
        fields = self.fields(code, **changed)
        own = sign(key_of(key or fields.get("app_id", "")), text_to_sign(fields))
        body = urlencode({**fields, "sign": own if signature is None else signature})
        status, _, answer = self.send("POST", PATH, body)
        assert status == 200
        return answer.decode()

    def node(self, *code, **changed):
        """Return the inner object of a success, whose signature covers exactly its text."""
        text = self.text(*code, **changed)
        node, end = json.JSONDecoder().raw_decode(text, len(NODE))
        signature = json.loads("{" + text[end + 1 :])["sign"]
        assert text.startswith(NODE)
        assert is_signed(key_of(GATEWAY).public_key(), text[len(NODE) : end], signature)
        return node

    def error(self, *code, **changed):
        """Return code and sub_code of an unsigned error."""
        answer = json.loads(self.text(*code, **changed))
        assert set(answer) == {"error_response"}
        return f"{answer['error_response']['code']} {answer['error_response']['sub_code']}"


@pytest.fixture
def start_alipay(clock, started):
    """Start a local Alipay by these rules, at 14:00 UTC on 24 November 2026; its caller."""

    def start(**rules):
        server = started(AlipayServer(now=clock, rules=AlipayRules(**rules)))
        server.apps |= {app_id: key_of(app_id).public_key() for app_id in (APP_ID, OTHER_APP)}
        return AlipayCaller(server, clock)

    return start


@pytest.fixture
def alipay(start_alipay):
    return start_alipay()


cases = cases_beside(__file__)


@pytest.mark.parametrize("gives_open_id", [True, False])
@pytest.mark.parametrize("gives_user_id", [True, False])
def test_the_ids_are_given_as_the_rules_have_it(start_alipay, gives_open_id, gives_user_id):
    rules = {"alipay_gives_open_id": gives_open_id, "alipay_gives_user_id": gives_user_id}
    # A user has one user_id, and an open_id at each app.
    node, other = (start_alipay(**rules).node(app_id=app_id) for app_id in (APP_ID, OTHER_APP))
    assert ("open_id" in node, "user_id" in node) == (gives_open_id, gives_user_id)
    assert not gives_user_id or re.fullmatch("2088[0-9]{12}", node["user_id"])
    assert node.get("user_id") == other.get("user_id")
    assert not gives_open_id or node["open_id"] != other["open_id"]


@pytest.mark.parametrize("issued", [True, False])
def test_a_code_is_good_once_at_its_app_and_for_three_minutes(alipay, clock, issued):
    code, late, gone = alipay.server.issue_code(), alipay.server.issue_code(), "40002 isv.code-invalid"
    code = code if issued else "local-alice"
    assert alipay.node(code)
    assert alipay.error(code) == gone
    code = alipay.server.issue_code(app_id=OTHER_APP)
    assert alipay.error(code) == alipay.error(code, app_id=OTHER_APP) == gone
    assert alipay.node(alipay.server.issue_code(app_id=OTHER_APP), app_id=OTHER_APP)
    clock.tick(seconds=180)
    assert alipay.error(late) == gone


@cases("changed", "refusal")
def test_a_call_that_is_refused_spends_its_code(alipay, changed, refusal):
    assert alipay.error("local-bob", **changed) == refusal
    assert alipay.error("local-bob") == "40002 isv.code-invalid"
    assert alipay.node("local-carol")


def test_a_timestamp_may_be_off_and_common_fields_in_the_query(alipay):
    for timestamp in ("21:55:00", "22:05:00"):
        assert alipay.node(f"local-{timestamp}", timestamp=f"2026-11-24 {timestamp}")
    fields = alipay.fields()
    fields["sign"] = sign(key_of(APP_ID), text_to_sign(fields))
    own = {name: fields.pop(name) for name in ("grant_type", "code")}
    answer = alipay.send("POST", f"{PATH}?{urlencode(fields)}", urlencode(own))
    assert answer[2].decode().startswith(NODE)
    assert (
        "code=local-bob&" in json.loads(alipay.text("local-bob", key=OTHER_APP))["error_response"]["sub_msg"]
    )


@pytest.mark.parametrize("in_node", [True, False])
def test_an_error_is_signed_where_the_rules_say_so(start_alipay, in_node):
    alipay = start_alipay(alipay_signs_errors=not in_node, alipay_errors_in_node=in_node)
    text = alipay.text("bad-1")
    begin = NODE if in_node else '{"error_response":'
    _, end = json.JSONDecoder().raw_decode(text, len(begin))
    signature = json.loads(text)["sign"]
    assert text.startswith(begin)
    assert is_signed(key_of(GATEWAY).public_key(), text[len(begin) : end], signature)


@cases("kind", "pattern")
def test_a_planned_fault_is_the_answer_to_one_call(alipay, kind, pattern):
    assert alipay.send("PUT", "/-/faults", json.dumps({"kind": kind, "times": 1}))[0] == 200
    assert re.fullmatch(pattern, alipay.text("local-bob"))
    assert alipay.node()


@pytest.mark.parametrize("kind", ["forged", "doubled_node", "unsigned"])
def test_a_forged_answer_has_somebody_else_in_it(alipay, kind):
    alipay.server.faults.plan(kind, times=1)
    text = alipay.text()
    node, end = json.JSONDecoder().raw_decode(text, len(NODE))
    rest = json.loads("{" + text[end + 1 :]) if kind != "unsigned" else {}
    is_good = is_signed(key_of(GATEWAY).public_key(), text[len(NODE) : end], rest.get("sign", ""))
    assert is_good == (kind == "doubled_node")
    read_whole = json.loads(text)["alipay_system_oauth_token_response"]
    assert (read_whole["open_id"] == "074aSomebodyElse") == (kind != "unsigned")


@cases("method", "target", "body", "status")
def test_other_paths_and_methods_are_errors(alipay, method, target, body, status):
    answer = alipay.send(method, target, body)
    assert answer[0] == status and json.loads(answer[2])["error"]


def test_calls_are_recorded_without_secrets_and_scripts_get_codes(alipay, capfd):
    body = alipay.send("POST", "/-/codes", json.dumps({"openid": "oScript", "app": OTHER_APP}))[2]
    assert alipay.node(json.loads(body)["code"], app_id=OTHER_APP)["open_id"] == "oScript"
    alipay.error(key=OTHER_APP)
    assert [(call.path, call.app_id, call.errcode) for call in alipay.server.calls] == [
        (PATH, OTHER_APP, 0),
        (PATH, APP_ID, "isv.invalid-signature"),
    ]
    assert "local-" not in repr(alipay.server.calls) and capfd.readouterr() == ("", "")
    alipay.server.reset()
    assert alipay.server.calls == []
