"""AssumeRole through the SDK, and every odd response to it."""

import logging
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from urllib.parse import parse_qsl, urlsplit

import pytest

from function.errors import Misconfigured, StsRejected, StsUnavailable
from function.sts import aliyun_sdk, assume_role
from function.sts.assume_role import StsClient, own_access_keys
from function.sts.credentials import AccessKeys, StsCredentials
from tests.support.cases import cases_beside

cases = cases_beside(__file__)

URL = "https://sts.cn-hangzhou.aliyuncs.com/"
OWN = AccessKeys("STS.NTown", "OwnSecretCanary", "OwnTokenCanary/+==")
POLICY = '{"Version":"1","Statement":[]}'
SENT = {
    "Action": "AssumeRole",
    "RoleArn": "acs:ram::1:role/upload",
    "DurationSeconds": "3600",
    "Policy": POLICY,
    "AccessKeyId": "STS.NTown",
    "SecurityToken": "OwnTokenCanary/+==",
    "RoleSessionName": "oss-direct-upload",
}
PAIR = {
    "ALIBABA_CLOUD_ACCESS_KEY_ID": "id",
    "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "secret",
    "ALIBABA_CLOUD_SECURITY_TOKEN": "token",
}


@pytest.fixture
def slept():
    return []


@pytest.fixture
def client(slept):
    return StsClient(
        endpoint="https://sts.cn-hangzhou.aliyuncs.com",
        region="cn-hangzhou",
        role_arn="acs:ram::1:role/upload",
        session_life=timedelta(hours=1),
        sleep=slept.append,
    )


def assume(client, clock, attempts=2):
    return client.assume_role(POLICY, OWN, clock(), attempts=attempts)


def sent(sts, index=0):
    return dict(parse_qsl(urlsplit(sts.calls[index].request.url).query))


def test_assume_role_sends_the_session_policy_and_the_own_token(sts, client, clock, reply):
    sts.post(URL, json=reply(clock() + timedelta(hours=1)))
    credentials = assume(client, clock)
    assert credentials.access_key_id == "STS.NTRoleSessionKeyId"
    assert credentials.expires_at == clock() + timedelta(hours=1)
    assert len(sts.calls) == 1
    assert sts.calls[0].request.url.startswith(URL)
    assert sent(sts).items() >= SENT.items()


@pytest.mark.parametrize(
    "failure",
    [
        *({"body": kind()} for kind in (TimeoutError, ConnectionResetError, ConnectionRefusedError)),
        {"status": 429, "json": {"Code": "Throttling.User", "Message": "slow", "RequestId": "r"}},
    ],
)
def test_a_transient_failure_is_retried_once_with_a_fresh_request(sts, client, clock, reply, slept, failure):
    sts.post(URL, **failure)
    sts.post(URL, json=reply(clock() + timedelta(hours=1)))
    assert assume(client, clock).access_key_id == "STS.NTRoleSessionKeyId"
    assert slept == [0.2]
    first, second = sts.calls
    assert sent(sts, 0)["SignatureNonce"] != sent(sts, 1)["SignatureNonce"]
    assert first.request.headers["User-Agent"] == second.request.headers["User-Agent"]


@cases("body", "reason")
def test_a_200_without_credentials_is_unavailable(sts, client, clock, body, reason):
    sts.post(URL, body=body)
    with pytest.raises(StsUnavailable) as raised:
        assume(client, clock)
    assert raised.value.reason == f"STS: HTTP 200 {reason}"
    assert len(sts.calls) == 1


@pytest.mark.parametrize("name", ["AccessKeyId", "AccessKeySecret", "SecurityToken", "Expiration"])
@pytest.mark.parametrize("value", [None, "", 5])
def test_missing_fields_are_named_without_any_values(sts, client, clock, reply, name, value):
    sts.post(URL, json=reply(clock() + timedelta(hours=1), **{name: value}))
    with pytest.raises(StsUnavailable) as raised:
        assume(client, clock)
    assert name in raised.value.reason
    assert "Canary" not in raised.value.reason


@cases("text", "what")
def test_an_invalid_expiration_is_unavailable(sts, client, clock, reply, text, what):
    sts.post(URL, json=reply(clock(), Expiration=text))
    with pytest.raises(StsUnavailable) as raised:
        assume(client, clock)
    assert raised.value.reason == f"STS: HTTP 200 with {what}"
    assert len(sts.calls) == 1


@pytest.mark.parametrize(("seconds", "kept"), [(3599, 3599), (3600, 3600), (3601, 3600), (10**10, 3600)])
def test_an_expiration_is_never_extended_beyond_the_session_life(sts, client, clock, reply, seconds, kept):
    sts.post(URL, json=reply(clock() + timedelta(seconds=seconds)))
    assert assume(client, clock).expires_at == clock() + timedelta(seconds=kept)


def test_tls_uses_sni_on_every_python(sts, client, clock, reply, monkeypatch):
    import aliyunsdkcore.vendored.requests.packages.urllib3.util.ssl_ as sdk_ssl

    monkeypatch.setattr(sdk_ssl, "HAS_SNI", False)
    aliyun_sdk._import_once.cache_clear()
    sts.post(URL, json=reply(clock() + timedelta(hours=1)))
    assume(client, clock)
    assert sdk_ssl.HAS_SNI is True


def test_the_repr_of_credentials_has_the_key_id_only():
    until = datetime(2026, 11, 24, 15, tzinfo=UTC)
    assert repr(AccessKeys("id", "secret", "token")) == "AccessKeys(id)"
    held = StsCredentials("id", "secret", "token", until)
    assert repr(held) == f"{held}" == "StsCredentials(id, until 2026-11-24 15:00:00+00:00)"


@pytest.mark.parametrize("level", [logging.DEBUG, logging.INFO])
@pytest.mark.parametrize("fails", [False, True])
def test_no_secret_reaches_a_log_or_an_error(sts, client, clock, reply, caplog, capfd, level, fails):
    caplog.set_level(level)
    if fails:
        sts.post(URL, body=ConnectionResetError())
        sts.post(URL, body=ConnectionResetError())
        with pytest.raises(StsUnavailable) as raised:
            assume(client, clock)
        shown = f"{raised.value!r} {raised.value} {raised.value.reason}"
    else:
        sts.post(URL, json=reply(clock() + timedelta(hours=1)))
        shown = repr(assume(client, clock)) + repr(OWN)
    shown += caplog.text + "".join(capfd.readouterr())
    assert "Canary" not in shown
    assert "CAISRoleSessionToken" not in shown
    assert "Signature=" not in shown


@cases("code", "is_said")
def test_expired_own_keys_are_explained_in_the_log(sts, client, clock, code, is_said):
    sts.post(URL, status=400, json={"Code": code, "Message": "m", "RequestId": "r"})
    with pytest.raises(StsRejected) as raised:
        assume(client, clock)
    assert ("the function's own keys have expired" in raised.value.reason) is is_said


@cases("credentials", "expected")
def test_own_keys_are_those_of_the_context_or_else_of_the_environment(credentials, expected):
    given = credentials and SimpleNamespace(**credentials)
    assert own_access_keys(PAIR, SimpleNamespace(credentials=given)) == AccessKeys(*expected)


@pytest.mark.parametrize("context", [None, SimpleNamespace(request_id="x")])
def test_an_empty_token_of_the_environment_is_no_token(context):
    environ = {**PAIR, "ALIBABA_CLOUD_SECURITY_TOKEN": ""}
    assert own_access_keys(environ, context) == AccessKeys("id", "secret", None)


@pytest.mark.parametrize("found", [[], ["ALIBABA_CLOUD_ACCESS_KEY_ID"], ["ALIBABA_CLOUD_ACCESS_KEY_SECRET"]])
def test_an_incomplete_pair_is_misconfigured(found):
    with pytest.raises(Misconfigured) as raised:
        own_access_keys({name: PAIR[name] for name in found}, None)
    assert [problem.setting for problem in raised.value.problems] == ["ALIBABA_CLOUD_ACCESS_KEY_ID"]


def test_the_public_name_has_what_a_caller_of_the_role_needs():
    import sts_credentials

    assert [getattr(sts_credentials, name) for name in sts_credentials.__all__] == [
        *(assume_role.StsClient, assume_role.own_access_keys, assume_role.parse_response)
    ]
