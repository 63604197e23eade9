"""Who gets past the gateway in front of the local content moderation; its refusals have a text as Code."""

import json
import urllib.parse
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from local.common.accounts import AccessKey
from local.common.clock import StandingClock
from tests.local.green.conftest import ON_ALL
from tests.support.cases import cases_beside

cases = cases_beside(__file__)
VECTOR = json.loads((Path(__file__).parents[2] / "vectors" / "rpc_v1.json").read_text())["image_moderation"]
FORM = "application/x-www-form-urlencoded"


@pytest.fixture
def published(accounts, start_green):
    """A caller at the instant of the vector, to whose key everything is allowed."""
    key = AccessKey(VECTOR["access_key_id"], VECTOR["access_key_secret"], VECTOR["security_token"])
    accounts.add(key)
    instant = datetime.fromisoformat(VECTOR["timestamp"]).astimezone(UTC)
    return start_green(callers_now=StandingClock(instant))


def test_a_request_of_the_official_sdk_is_let_in(published):
    """It is answered by the service: this account lets it read no bucket."""
    status, body = published.send("POST", VECTOR["target"], VECTOR["body"], Content_Type=FORM)
    assert (status, json.loads(body)["Code"]) == (200, 403)
    assert published.server.calls[-1].data_id == "u42-a"


@pytest.mark.parametrize("part", ["target", "body"])
def test_the_signature_covers_query_and_form(published, part):
    sent = {name: VECTOR[name] for name in ("target", "body")}
    sent[part] = sent[part].replace("ImageModeration", "VideoModeration").replace("a.jpg", "b.jpg")
    status, body = published.send("POST", sent["target"], sent["body"], Content_Type=FORM)
    assert (status, json.loads(body)["Code"]) == (400, "SignatureDoesNotMatch")


def test_a_wrong_signature_is_answered_with_the_string_to_sign(published):
    target = VECTOR["target"].replace("9onF", "8onF")
    _, body = published.send("POST", target, VECTOR["body"], Content_Type=FORM)
    assert json.loads(body)["Message"].endswith(f":{VECTOR['string_to_sign']}")


def test_a_nonce_is_taken_once(green, site):
    sent = green.signed(
        Action="ImageModeration",
        Version="2022-03-02",
        Service="baselineCheck",
        ServiceParameters=json.dumps({"imageUrl": f"{site.origin}/held/sunset.png"}),
        RoleArn=None,
        RoleSessionName=None,
    )
    assert green.post(sent)[1]["Code"] == 200
    assert green.post(sent)[1]["Code"] == "SignatureNonceUsed"


@cases("changed", "status", "code")
def test_a_bad_request_is_refused_with_a_text_code(green, changed, status, code):
    answered, body = green.picture({"imageUrl": "http://127.0.0.1/a.png"}, **changed)
    assert (answered, body["Code"]) == (status, code)
    assert set(body) == {"RequestId", "HostId", "Code", "Message", "Recommend"}
    assert not green.server.calls


@pytest.mark.parametrize(("method", "code"), [("GET", "UnsupportedHTTPMethod"), ("POST", 400)])
def test_only_post_is_allowed_and_its_query_may_hold_everything(green, method, code):
    given = green.signed(method, Action="ImageModeration", Version="2022-03-02", RoleArn=None)
    status_and_body = green.send(method, f"/?{urllib.parse.urlencode(given)}")
    assert json.loads(status_and_body[1])["Code"] == code


def may(*statements):
    return AccessKey("LTAIlong", "long-secret", policies=({"Version": "1", "Statement": list(statements)},))


@cases("action", "effect", "resource", "code")
def test_only_who_may_is_answered(green, accounts, site, action, effect, resource, code):
    accounts.add(may({"Effect": effect, "Action": [action], "Resource": resource}))
    _, body = green.picture({"imageUrl": f"{site.origin}/held/sunset.png"})
    assert body["Code"] == code


def test_every_action_has_a_right_of_its_own(green, accounts):
    accounts.add(may(ON_ALL))
    for action in ("VideoModeration", "VideoModerationResult", "VoiceModeration", "VoiceModerationResult"):
        assert green.ask(action, {}, "x")[1]["Code"] == "NoPermission"


def test_a_session_asks_only_as_far_as_each_of_its_policies_goes(green, accounts, clock):
    key = may(ON_ALL)
    store = {"Version": "1", "Statement": [{**ON_ALL, "Action": "oss:GetObject"}]}
    accounts.add(replace(key, policies=(*key.policies, store)))
    assert green.picture({})[1]["Code"] == "NoPermission"


def test_the_service_may_refuse_a_missing_right_itself(start_green, accounts):
    green = start_green(rules={"moderation_rights_by_gateway": False})
    accounts.add(may())
    status, body = green.picture({})
    assert (status, body["Code"], body["Msg"]) == (200, 408, "No permissions.")


@cases("kind", "status", "code")
def test_a_planned_refusal_has_a_text_code(green, kind, status, code):
    green.server.faults.plan(kind, times=1)
    answered, body = green.picture({})
    assert (answered, body["Code"]) == (status, code)
    assert green.picture({})[1]["Code"] == 400


@cases("kind", "status", "begin")
def test_a_planned_answer_is_sent_as_it_is(green, kind, status, begin):
    green.server.faults.plan(kind, times=1)
    answered, body = green.send("POST", "/")
    assert (answered, body[: len(begin)]) == (status, begin)
    assert json.loads(green.send("POST", "/")[1])["Code"] == "MissingAction"
