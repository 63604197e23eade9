"""Who gets past the gateway in front of the local content moderation; its refusals have a text as Code."""

import json
import re
import urllib.parse

import pytest

from local.common.accounts import AccessKey
from local.green.plan import CHOICES
from tests.docs.markdown import both, names_in, page, tables
from tests.support.cases import cases_beside

cases = cases_beside(__file__)


def test_a_nonce_is_taken_once_by_post_alone_and_the_query_may_hold_everything(green):
    sent = green.signed_for("ImageModeration", {}, "baselineCheck")
    assert [green.post(sent)[1]["Code"] for _ in range(2)] == [400, "SignatureNonceUsed"]
    for method, code in (("GET", "UnsupportedHTTPMethod"), ("POST", 400)):
        given = green.signed(method, Action="ImageModeration", Version="2022-03-02", RoleArn=None)
        assert json.loads(green.send(method, f"/?{urllib.parse.urlencode(given)}")[1])["Code"] == code


@cases("changed", "refusal")
def test_a_bad_request_is_refused_with_a_text_code(green, changed, refusal):
    status, body = green.picture({"imageUrl": "http://127.0.0.1/a.png"}, **changed)
    assert f"{status} {body['Code']}" == refusal
    assert set(body) == {"RequestId", "HostId", "Code", "Message", "Recommend"}
    assert not green.server.calls


def may(*statements):
    policies = [{"Version": "1", "Statement": [statement]} for statement in statements] or [{}]
    return AccessKey("LTAIlong", "long-secret", policies=tuple(policies))


def allow(action, effect="Allow", resource="*"):
    return {"Effect": effect, "Action": [action], "Resource": resource}


@cases("action", "effect", "resource", "code")
def test_only_who_may_is_answered(green, accounts, site, action, effect, resource, code):
    accounts.add(may(allow(action, effect, resource)))
    assert green.code({"imageUrl": f"{site.origin}/held/sunset.png"}) == code


def test_every_action_has_a_right_of_its_own_and_every_policy_must_allow(start_green, green, accounts):
    accounts.add(may(allow("yundun-greenweb:ImageModeration")))
    for action in ("VideoModeration", "VideoModerationResult", "VoiceModeration", "VoiceModerationResult"):
        assert green.ask(action, {}, "x")[1]["Code"] == "NoPermission"
    accounts.add(may(allow("yundun-greenweb:*"), allow("oss:GetObject")))
    assert green.code({}) == "NoPermission"
    # The service may refuse a missing right itself.
    status, body = start_green(moderation_rights_by_gateway=False).picture({})
    assert (status, body["Code"], body["Msg"]) == (200, 408, "No permissions.")


@cases("kind", "pattern")
def test_a_planned_fault_is_the_answer_to_one_call(green, kind, pattern):
    green.server.faults.plan(kind, times=1)
    status, body = green.send("POST", "/")
    assert re.fullmatch(pattern, f"{status} {body.decode()}")
    assert json.loads(green.send("POST", "/")[1])["Code"] == "MissingAction"


@pytest.mark.parametrize("name", both("docs/local-cloud.md"))
def test_the_page_lists_every_shape_and_verdict(name):
    cells = [row for table in tables(page(name)) for row in table if row[0] in ("`verdict`", "`shape`")]
    listed = {text for row in cells for text in names_in(row[1])}
    assert {*CHOICES["verdict"], *CHOICES["shape"]} <= listed
