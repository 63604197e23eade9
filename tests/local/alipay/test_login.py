"""Logins at the local Alipay: signed calls, codes that are good once, refusals, bad days."""

import json
import re
from urllib.parse import urlencode

import pytest

from local.alipay.server import GATEWAY
from local.alipay.signing import is_signed, key_of, sign, text_to_sign
from tests.local.alipay.conftest import APP_ID, NODE, OTHER_APP, PATH
from tests.support.cases import cases_beside

cases = cases_beside(__file__)


def test_a_code_becomes_its_user_and_no_other_id(alipay):
    node = alipay.node(alipay.server.issue_code("074aUser"))
    assert node["open_id"] == "074aUser"
    assert not {"user_id", "code"} & set(node)
    assert {"access_token", "refresh_token", "expires_in", "re_expires_in"} < set(node)
    assert node["auth_start"] == "2026-11-24 22:00:00"
    assert re.fullmatch(r"074a[A-Za-z0-9_-]{43}", alipay.node(alipay.server.issue_code())["open_id"])


@pytest.mark.parametrize(("gives_open_id", "gives_user_id"), [(True, True), (False, True), (False, False)])
def test_the_ids_are_given_as_the_rules_have_it(start_alipay, gives_open_id, gives_user_id):
    alipay = start_alipay(alipay_gives_open_id=gives_open_id, alipay_gives_user_id=gives_user_id)
    node = alipay.node()
    assert ("open_id" in node, "user_id" in node) == (gives_open_id, gives_user_id)
    assert not gives_user_id or re.fullmatch("2088[0-9]{12}", node["user_id"])


def test_a_user_has_one_user_id_and_an_open_id_at_each_app(start_alipay):
    alipay = start_alipay(alipay_gives_user_id=True)
    one, other = alipay.node(), start_alipay(alipay_gives_user_id=True).node(app_id=OTHER_APP)
    assert one["user_id"] == other["user_id"] and one["open_id"] != other["open_id"]


@pytest.mark.parametrize("issued", [True, False])
def test_a_code_is_good_once(alipay, issued):
    code = alipay.server.issue_code() if issued else "local-alice"
    assert alipay.node(code)
    assert alipay.error(code) == "40002 isv.code-invalid"


def test_a_code_of_one_app_is_spent_at_another(alipay):
    code = alipay.server.issue_code(app_id=OTHER_APP)
    assert alipay.error(code) == "40002 isv.code-invalid"
    assert alipay.error(code, app_id=OTHER_APP) == "40002 isv.code-invalid"
    assert alipay.node(alipay.server.issue_code(app_id=OTHER_APP), app_id=OTHER_APP)


def test_a_code_is_valid_for_three_minutes(alipay, clock):
    code = alipay.server.issue_code()
    clock.tick(seconds=180)
    assert alipay.error(code) == "40002 isv.code-invalid"


@cases("changed", "refusal")
def test_a_call_that_is_refused_spends_its_code(alipay, changed, refusal):
    assert alipay.error("local-bob", **changed) == refusal
    assert alipay.error("local-bob") == "40002 isv.code-invalid"
    assert alipay.node("local-carol")


@pytest.mark.parametrize(
    ("timestamp", "is_good"), [("21:55:00", True), ("22:05:00", True), ("22:05:01", False)]
)
def test_a_timestamp_may_be_off_by_the_tolerance(alipay, timestamp, is_good):
    said = alipay.node if is_good else alipay.error
    assert said(timestamp=f"2026-11-24 {timestamp}")


def test_common_fields_may_be_in_the_query(alipay):
    fields = alipay.fields()
    fields["sign"] = sign(key_of(APP_ID), text_to_sign(fields))
    own = {name: fields.pop(name) for name in ("grant_type", "code")}
    answer = alipay.send("POST", f"{PATH}?{urlencode(fields)}", urlencode(own))
    assert answer[2].decode().startswith(NODE)


def test_a_refused_signature_quotes_what_was_to_be_signed(alipay):
    assert "code=local-alice&" in json.loads(alipay.text(key=OTHER_APP))["error_response"]["sub_msg"]


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


@pytest.mark.parametrize(("kind", "is_spent"), [("answer_lost", True), ("drop", False), ("redirect", False)])
def test_an_answer_that_never_came_may_have_spent_the_code(alipay, kind, is_spent):
    alipay.server.faults.plan(kind, times=1)
    with pytest.raises((OSError, AssertionError)):
        alipay.text()
    assert (alipay.error if is_spent else alipay.node)()


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
