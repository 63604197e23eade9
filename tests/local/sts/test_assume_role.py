"""What the local STS hands out, to whom, and what it refuses."""

import http.client
import json
import re
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from local.common.accounts import AccessKey, Accounts
from local.sts.server import StsServer
from tests.local.sts.conftest import StsCaller
from tests.support.cases import cases_beside

cases = cases_beside(__file__)

ROLE = "acs:ram::1234567890123456:role/uploader"


def policy(**changed):
    statement = {"Effect": "Allow", "Action": ["oss:PutObject"], "Resource": ["acs:oss:*:*:bucket/uploads/*"]}
    statement = {name: value for name, value in (statement | changed).items() if value is not None}
    return {"Version": "1", "Statement": [statement]}


def test_answers_in_the_documented_shape(sts_call, sts_accounts):
    status, answer = sts_call(DurationSeconds="900")
    given = answer["Credentials"]
    assert status == 200
    assert set(answer) == {"RequestId", "AssumedRoleUser", "Credentials"}
    assert re.fullmatch(r"[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}", answer["RequestId"])
    assert answer["AssumedRoleUser"]["Arn"] == ROLE + "/uploads"
    assert re.fullmatch(r"\d{18}:uploads", answer["AssumedRoleUser"]["AssumedRoleId"])
    assert set(given) == {"AccessKeyId", "AccessKeySecret", "SecurityToken", "Expiration"}
    assert re.fullmatch(r"STS\.N[A-Za-z0-9]{24}", given["AccessKeyId"])
    assert re.fullmatch(r"[A-Za-z0-9]{44}", given["AccessKeySecret"])
    assert re.fullmatch(r"[A-Za-z0-9+/]{899}=", given["SecurityToken"])
    assert given["Expiration"] == "2026-11-24T14:15:00Z"


def test_the_local_oss_accepts_the_new_key(sts_call, sts_accounts):
    given = sts_call(DurationSeconds="900", Policy=json.dumps(policy()))[1]["Credentials"]
    key = sts_accounts.find(given["AccessKeyId"])
    assert key == AccessKey(
        given["AccessKeyId"],
        given["AccessKeySecret"],
        given["SecurityToken"],
        datetime(2026, 11, 24, 14, 15, tzinfo=UTC),
        (policy(),),
    )


def test_no_two_sessions_share_anything(sts_call):
    sessions = [sts_call()[1]["Credentials"] for _ in range(20)]
    for name in ("AccessKeyId", "AccessKeySecret", "SecurityToken"):
        assert len({session[name] for session in sessions}) == 20


def test_a_session_has_the_policy_of_its_role_and_its_own(sts_accounts, clock, sts_call):
    of_role = policy(Action="oss:*", Resource="*")
    server = StsServer(sts_accounts, ROLE, role_policy=of_role, now=clock).start()
    sts_call.origin = server.origin
    try:
        both = sts_call(Policy=json.dumps(policy()))[1]["Credentials"]["AccessKeyId"]
        only_role = sts_call()[1]["Credentials"]["AccessKeyId"]
    finally:
        server.stop()
    assert sts_accounts.find(both).policies == (of_role, policy())
    assert sts_accounts.find(only_role).policies == (of_role,)


OTHER = "acs:ram::1234567890123456:role/archive"


@pytest.fixture
def two_roles(sts_accounts, clock):
    """Each with a document of its own; a caller of the server."""
    documents = {
        name: policy(Action="oss:*", Resource=f"acs:oss:*:*:{name}/*") for name in ("home", "archive")
    }
    server = StsServer(
        sts_accounts, ROLE, role_policy=documents["home"], now=clock, more_roles={OTHER: documents["archive"]}
    ).start()
    yield StsCaller(server.origin, clock), server
    server.stop()


def test_a_session_has_the_policy_of_its_own_role(two_roles, sts_accounts):
    call, _ = two_roles
    for role, bucket in ((ROLE, "home"), (OTHER, "archive")):
        status, answer = call(RoleArn=role, Policy=json.dumps(policy()))
        assert (status, answer["AssumedRoleUser"]["Arn"]) == (200, f"{role}/uploads")
        of_role, of_session = sts_accounts.find(answer["Credentials"]["AccessKeyId"]).policies
        assert (of_role["Statement"][0]["Resource"], of_session) == (f"acs:oss:*:*:{bucket}/*", policy())
    assert call.code(RoleArn=ROLE + "-2") == (404, "EntityNotExist.Role")


def test_a_session_s_length_is_its_own_role_s(two_roles):
    call, server = two_roles
    server.roles[OTHER] = replace(server.roles[OTHER], max_session_seconds=900)
    assert call.code(RoleArn=OTHER, DurationSeconds="901") == (400, "InvalidParameter.DurationSeconds")
    assert call.code(RoleArn=OTHER, DurationSeconds="900") == (200, "")
    assert call.code(RoleArn=ROLE, DurationSeconds="43200") == (200, "")
    assert call.code(RoleArn=ROLE + "-2", DurationSeconds="43200") == (404, "EntityNotExist.Role")
    assert call.code(RoleArn=ROLE + "-2", DurationSeconds="43201") == (
        400,
        "InvalidParameter.DurationSeconds",
    )


def test_permission_for_one_role_does_not_cover_the_other(two_roles, sts_accounts):
    call, _ = two_roles
    may = policy(Action="sts:AssumeRole", Resource=ROLE)
    sts_accounts.add(AccessKey("LTAIlong", "long-secret", policies=(may,)))
    assert call.code(RoleArn=ROLE) == (200, "")
    assert call.code(RoleArn=OTHER) == call.code(RoleArn=OTHER + "-2") == (403, "NoPermission")


def test_get_caller_identity_names_the_assumed_role(two_roles):
    call, _ = two_roles
    told = set()
    for role in (ROLE, OTHER):
        answer = call(RoleArn=role)[1]
        given, assumed = answer["Credentials"], answer["AssumedRoleUser"]
        identity = call(Action="GetCallerIdentity", **keys_of(given))[1]
        assert (identity["Arn"], identity["PrincipalId"]) == (assumed["Arn"], assumed["AssumedRoleId"])
        assert assumed["AssumedRoleId"].startswith(identity["RoleId"] + ":")
        told.add(identity["RoleId"])
    assert len(told) == 2


@cases("changed", "expected")
def test_invalid_parameters_have_their_error_code(sts_call, changed, expected):
    assert sts_call.code(**changed) == expected


def test_a_session_lasts_an_hour_by_default(sts_call):
    assert sts_call()[1]["Credentials"]["Expiration"] == "2026-11-24T15:00:00Z"


def test_the_roles_longest_session_is_the_limit_and_the_default(sts_accounts, clock, sts_call):
    server = StsServer(sts_accounts, ROLE, now=clock, max_session_seconds=1800).start()
    sts_call.origin = server.origin
    try:
        assert sts_call.code(DurationSeconds="1801") == (400, "InvalidParameter.DurationSeconds")
        assert sts_call()[1]["Credentials"]["Expiration"] == "2026-11-24T14:30:00Z"
    finally:
        server.stop()


@cases("document")
def test_takes_a_session_policy(sts_call, sts_accounts, document):
    status, answer = sts_call(Policy=json.dumps(document))
    assert status == 200
    assert sts_accounts.find(answer["Credentials"]["AccessKeyId"]).policies == (document,)


@cases("text")
def test_refuses_a_policy_that_breaks_the_grammar(sts_call, text):
    assert sts_call.code(Policy=text) == (400, "InvalidParameter.PolicyGrammar")


@pytest.mark.parametrize("letter", ["x", "上"])
def test_a_session_policy_has_at_most_2048_characters(sts_call, letter):
    empty = json.dumps(policy(Resource="acs:oss:*:*:bucket/"), ensure_ascii=False)
    filler = letter * (2048 - len(empty))
    longest = json.dumps(policy(Resource="acs:oss:*:*:bucket/" + filler), ensure_ascii=False)
    assert len(longest) == 2048
    assert sts_call.code(Policy=longest) == (200, "")
    assert sts_call.code(Policy=longest + " ") == (400, "InvalidParameter.PolicySize")


ASSUME = {"Version": "1", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}]}


def ram(*statements):
    return {"Version": "1", "Statement": list(statements)}


@cases("policies", "allowed")
def test_assuming_the_role_needs_permission(sts_call, sts_accounts, policies, allowed):
    sts_accounts.add(AccessKey("LTAIuser", "user-secret", policies=policies))
    expected = (200, "") if allowed else (403, "NoPermission")
    assert sts_call.code(AccessKeyId="LTAIuser", secret="user-secret") == expected


def test_a_missing_role_looks_like_a_forbidden_one(sts_call, sts_accounts):
    sts_accounts.add(AccessKey("LTAIuser", "user-secret", policies=(policy(),)))
    for arn in (ROLE, ROLE + "2"):
        user = {"AccessKeyId": "LTAIuser", "secret": "user-secret"}
        assert sts_call.code(RoleArn=arn, **user) == (403, "NoPermission")


def keys_of(credentials):
    names = {"AccessKeyId": "AccessKeyId", "secret": "AccessKeySecret", "SecurityToken": "SecurityToken"}
    return {name: credentials[theirs] for name, theirs in names.items()}


def test_an_upload_session_cannot_assume_the_role_again(sts_call):
    given = sts_call(Policy=json.dumps(policy()))[1]["Credentials"]
    assert sts_call.code(DurationSeconds="43200", **keys_of(given)) == (403, "NoPermission")


def test_get_caller_identity_names_the_caller(sts_call, sts_accounts):
    sts_accounts.add(AccessKey("LTAIuser", "user-secret", policies=(ASSUME,)))
    whoami = {"Action": "GetCallerIdentity", "RoleArn": None, "RoleSessionName": None}
    account = sts_call(**whoami)[1]
    user = sts_call(AccessKeyId="LTAIuser", secret="user-secret", **whoami)[1]
    given = sts_call(AccessKeyId="LTAIuser", secret="user-secret")[1]["Credentials"]
    session = sts_call(**keys_of(given), **whoami)[1]
    assert account["Arn"] == "acs:ram::1234567890123456:root"
    assert user["Arn"] == "acs:ram::1234567890123456:user/LTAIuser"
    assert session["Arn"] == ROLE + "/uploads"
    kinds = [who["IdentityType"] for who in (account, user, session)]
    assert kinds == ["Account", "RAMUser", "AssumedRoleUser"]
    assert {who["AccountId"] for who in (account, user, session)} == {"1234567890123456"}


def test_calls_are_recorded_without_secrets(sts_call, sts_server, clock):
    sts_call(DurationSeconds="900", SecurityToken="", Surprise="keep-me-out")
    clock.tick(seconds=5)
    sts_call(secret="wrong")
    sts_call.get({"Action": "AssumeRole"})
    sts_call.send("GET", "/elsewhere")
    first, second, third, fourth = sts_server.calls
    assert (first.action, first.path, first.time) == ("AssumeRole", "/", clock.instant - timedelta(seconds=5))
    assert first.parameters["RoleArn"] == ROLE
    assert first.parameters["DurationSeconds"] == "900"
    assert set(first.parameters) & {"Signature", "SignatureNonce", "SecurityToken", "Surprise"} == set()
    assert second.time == clock.instant
    assert (third.parameters, fourth.action, fourth.path) == ({"Action": "AssumeRole"}, "", "/elsewhere")


def test_writes_nothing_on_stderr(sts_call, capfd):
    sts_call()
    sts_call(secret="wrong")
    sts_call.send("POST", "/", "\0" * 100)
    assert capfd.readouterr() == ("", "")


def test_a_client_that_leaves_early_does_no_harm(sts_call, sts_server, capfd):
    connection = http.client.HTTPConnection(sts_server.origin.removeprefix("http://"), timeout=60)
    connection.putrequest("POST", "/")
    connection.putheader("Content-Length", "60000")
    connection.endheaders(b"Action=AssumeRole&SecurityToken=half")
    connection.close()
    assert sts_call.code() == (200, "")
    assert capfd.readouterr().err == ""


def test_serves_many_callers_at_once(sts_call, sts_server):
    results = []

    def ask():
        results.append(sts_call.code())

    threads = [threading.Thread(target=ask) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [(200, "")] * 16
    assert len(sts_server.calls) == 16


@pytest.mark.parametrize(
    ("role_arn", "max_session_seconds"), [("uploader", 3600), (ROLE + "\n", 3600), (ROLE, 899)]
)
def test_does_not_start_with_a_role_that_cannot_be(role_arn, max_session_seconds):
    with pytest.raises(ValueError, match="role ARN|max_session_seconds"):
        StsServer(Accounts(), role_arn, max_session_seconds=max_session_seconds)
