"""Sessions of the local STS: what it hands out, to whom, what it refuses, and its bad days."""

import contextlib
import http.client
import json
import re
from datetime import UTC, datetime, timedelta

import pytest

from local.common.accounts import AccessKey, Accounts
from local.common.faults import Faults
from local.sts.server import StsServer
from tests.local.sts.conftest import StsCaller
from tests.support.cases import cases_beside

cases = cases_beside(__file__)
ROLE = StsCaller.role_arn
OTHER = "acs:ram::1234567890123456:role/archive"
USER = {"AccessKeyId": "LTAIuser", "secret": "user-secret"}


def policy(**changed):
    statement = {"Effect": "Allow", "Action": ["oss:PutObject"], "Resource": ["acs:oss:*:*:bucket/uploads/*"]}
    statement = {name: value for name, value in (statement | changed).items() if value is not None}
    return {"Version": "1", "Statement": [statement]}


def test_answers_in_the_documented_shape_and_the_key_is_good_at_oss(sts_call, sts_accounts):
    status, answer = sts_call(DurationSeconds="900", Policy=json.dumps(policy()))
    given, user = answer["Credentials"], answer["AssumedRoleUser"]
    assert (status, set(answer)) == (200, {"RequestId", "AssumedRoleUser", "Credentials"})
    assert user["Arn"] == ROLE + "/uploads" and re.fullmatch(r"\d{18}:uploads", user["AssumedRoleId"])
    assert re.fullmatch(r"STS\.N[A-Za-z0-9]{24}", given["AccessKeyId"])
    assert re.fullmatch(r"[A-Za-z0-9+/]{899}=", given["SecurityToken"])
    assert given.pop("Expiration") == "2026-11-24T14:15:00Z"
    end = datetime(2026, 11, 24, 14, 15, tzinfo=UTC)
    key = AccessKey(
        *(given[name] for name in ("AccessKeyId", "AccessKeySecret", "SecurityToken")), end, (policy(),)
    )
    assert sts_accounts.find(given["AccessKeyId"]) == key
    other = sts_call()[1]["Credentials"]
    assert other.pop("Expiration") == "2026-11-24T15:00:00Z"
    assert not {*other.values()} & {*given.values()} and len(given) == 3


@pytest.fixture
def two_roles(sts_accounts, clock, started):
    """A caller of a server with two roles, each with a document of its own, and the server."""
    home, archive = (policy(Action="oss:*", Resource=f"acs:oss:*:*:{name}/*") for name in ("home", "archive"))
    server = started(StsServer(sts_accounts, ROLE, role_policy=home, now=clock, more_roles={OTHER: archive}))
    return StsCaller(server.origin, clock), server


def test_a_session_has_the_policy_of_its_own_role_and_its_own(two_roles, sts_accounts):
    call, _ = two_roles
    for role, bucket in ((ROLE, "home"), (OTHER, "archive")):
        for given in ({}, {"Policy": json.dumps(policy())}):
            answer = call(RoleArn=role, **given)[1]
            of_role, *of_session = sts_accounts.find(answer["Credentials"]["AccessKeyId"]).policies
            assert answer["AssumedRoleUser"]["Arn"] == f"{role}/uploads"
            assert of_role["Statement"][0]["Resource"] == f"acs:oss:*:*:{bucket}/*"
            assert of_session == ([policy()] if given else [])


def test_a_user_assumes_what_its_policies_name_and_learns_nothing_of_others(two_roles, sts_accounts):
    call, _ = two_roles
    for policies, statuses in (
        ((policy(Action="sts:AssumeRole", Resource=ROLE),), "200 403 403"),
        ((policy(Action="sts:*", Resource="*"), policy()), "403 403 403"),
        ((policy(),), "403 403 403"),
        ((), "200 200 404"),
    ):
        sts_accounts.add(AccessKey("LTAIuser", "user-secret", policies=policies))
        answers = [call.said(RoleArn=arn, **USER) for arn in (ROLE, OTHER, OTHER + "-2")]
        assert [answer[:3] for answer in answers] == statuses.split()
        assert {answer for answer in answers if answer[:3] == "403"} <= {"403 NoPermission"}


def keys_of(answer):
    given = answer[1]["Credentials"]
    names = {"AccessKeyId": "AccessKeyId", "secret": "AccessKeySecret", "SecurityToken": "SecurityToken"}
    return {name: given[theirs] for name, theirs in names.items()}


def test_get_caller_identity_names_account_user_or_assumed_role(two_roles, sts_accounts):
    call, _ = two_roles
    sts_accounts.add(AccessKey("LTAIuser", "user-secret", policies=(policy(Action="*", Resource="*"),)))
    whoami = {"Action": "GetCallerIdentity", "RoleArn": None, "RoleSessionName": None}
    sessions = [call(RoleArn=role, **USER) for role in (ROLE, OTHER)]
    told = [call(**whoami, **keys)[1] for keys in ({}, USER, *map(keys_of, sessions))]
    root, user, *arns = [who["Arn"] for who in told]
    assert (root, user) == ("acs:ram::1234567890123456:root", "acs:ram::1234567890123456:user/LTAIuser")
    assumed = [answer["AssumedRoleUser"] for _, answer in sessions]
    assert arns == [each["Arn"] for each in assumed]
    assert [who["PrincipalId"] for who in told[2:]] == [each["AssumedRoleId"] for each in assumed]
    assert [f"{who['RoleId']}:uploads" for who in told[2:]] == [each["AssumedRoleId"] for each in assumed]
    assert told[2]["RoleId"] != told[3]["RoleId"]
    kinds = [who["IdentityType"] for who in told]
    assert kinds == ["Account", "RAMUser", "AssumedRoleUser", "AssumedRoleUser"]
    assert {who["AccountId"] for who in told} == {"1234567890123456"}


@cases("changed", "refusal")
def test_each_wrong_parameter_has_its_code(sts_call, changed, refusal):
    assert sts_call.said(**changed) == refusal


@cases("changed", "outcome")
def test_takes_a_session_policy_or_refuses_a_statement_that_breaks_the_grammar(
    sts_call, sts_accounts, changed, outcome
):
    status, answer = sts_call(Policy=json.dumps(policy(**changed)))
    if outcome == "taken":
        found = sts_accounts.find(answer["Credentials"]["AccessKeyId"]).policies
        assert found == (policy(**changed),)
    else:
        assert (status, answer["Code"]) == (400, "InvalidParameter.PolicyGrammar")


@cases("text")
def test_refuses_a_document_that_breaks_the_grammar(sts_call, text):
    good = json.dumps(policy()["Statement"][0])
    assert sts_call.said(Policy=text.replace("%s", good)) == "400 InvalidParameter.PolicyGrammar"


def test_a_session_policy_has_at_most_2048_characters(sts_call):
    empty = json.dumps(policy(Resource="acs:oss:*:*:b/"), ensure_ascii=False)
    longest = empty.replace(":b/", ":b/" + "上" * (2048 - len(empty)))
    assert sts_call.said(Policy=longest) == "200"
    assert sts_call.said(Policy=longest + " ") == "400 InvalidParameter.PolicySize"


def test_calls_are_recorded_without_secrets_and_printed_nowhere(sts_call, sts_server, clock, capfd):
    sts_call(DurationSeconds="900", SecurityToken="", Surprise="keep-me-out")
    clock.tick(seconds=5)
    sts_call(secret="wrong")
    sts_call.send("GET", "/?Action=AssumeRole")
    sts_call.send("GET", "/elsewhere")
    first, second, third, fourth = sts_server.calls
    assert (first.action, first.path, first.time) == ("AssumeRole", "/", clock.instant - timedelta(seconds=5))
    assert (first.parameters["RoleArn"], first.parameters["DurationSeconds"]) == (ROLE, "900")
    assert not set(first.parameters) & {"Signature", "SignatureNonce", "SecurityToken", "Surprise"}
    assert second.time == clock.instant
    assert (third.parameters, fourth.action, fourth.path) == ({"Action": "AssumeRole"}, "", "/elsewhere")
    assert capfd.readouterr() == ("", "")


def test_a_client_that_leaves_early_does_no_harm(sts_call, sts_server, capfd):
    connection = http.client.HTTPConnection(sts_server.origin.removeprefix("http://"), timeout=60)
    connection.putrequest("POST", "/")
    connection.putheader("Content-Length", "60000")
    connection.endheaders(b"Action=AssumeRole&SecurityToken=half")
    connection.close()
    assert sts_call.said() == "200"
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(("arn", "longest"), [("uploader", 3600), (ROLE + "\n", 3600), (ROLE, 899)])
def test_does_not_start_with_a_role_that_cannot_be(arn, longest):
    with pytest.raises(ValueError, match="role ARN|max_session_seconds"):
        StsServer(Accounts(), arn, max_session_seconds=longest)


@cases("kind", "pattern")
def test_a_planned_fault_is_the_answer_to_one_call(sts_call, sts_server, kind, pattern):
    sts_server.faults.plan(kind, times=1)
    status, body = sts_call.send("POST", "/")
    assert re.fullmatch(pattern, f"{status} {body.decode('latin-1')}", re.S)
    assert sts_call.said() == "200"
    assert len(sts_server.calls) == 2


@cases("kind", "expiration")
def test_a_planned_expiry_holds_at_oss_too(sts_call, sts_server, sts_accounts, kind, expiration):
    sts_server.faults.plan(kind, times=1)
    given = sts_call()[1]["Credentials"]
    assert given["Expiration"] == expiration
    assert f"{sts_accounts.find(given['AccessKeyId']).expires_at:%Y-%m-%dT%H:%M:%SZ}" == expiration


def test_a_planned_fault_omits_the_token_redirects_or_drops_the_connection(sts_call, sts_server, pending):
    sts_server.faults.plan("missing_field", times=1)
    assert set(sts_call()[1]["Credentials"]) == {"AccessKeyId", "AccessKeySecret", "Expiration"}
    sts_server.faults.plan("redirect", times=1)
    answer, port = pending().getresponse(), sts_server.origin.rpartition(":")[2]
    assert (answer.status, answer.headers["Location"]) == (302, f"http://localhost:{port}/redirected")
    sts_server.faults.plan("drop", times=1)
    with pytest.raises(http.client.RemoteDisconnected):
        sts_call()
    assert len(sts_server.calls) == 3
    assert sts_call.said() == "200"


@pytest.fixture
def pending(sts_server):
    """Send a request whose answer has not been read."""
    with contextlib.ExitStack() as open_ones:

        def ask():
            connection = http.client.HTTPConnection(sts_server.origin.removeprefix("http://"), timeout=60)
            open_ones.callback(connection.close)
            connection.request("POST", "/")
            return connection

        yield ask


@cases("body")
def test_the_switchboard_refuses_an_unknown_fault(sts_call, body):
    for sent, expected in ((body, 400), ('{"kind": "' + "a" * 4096 + '"}', 413)):
        status, answer = sts_call.send("PUT", "/-/faults", sent)
        assert status == expected and json.loads(answer)["error"]
    assert sts_call.said() == "200"


def test_a_fault_happens_as_often_as_planned_and_its_rate_is_met_and_reproducible():
    with pytest.raises(ValueError, match="meteor"):
        Faults(["slow", "meteor"])

    def struck(seed):
        faults = Faults(["drop"], seed)
        faults.plan("drop", rate=0.3)
        return [faults.take() is not None for _ in range(1000)]

    assert struck(1) == struck(1) != struck(2)
    assert 250 < sum(struck(1)) < 350
