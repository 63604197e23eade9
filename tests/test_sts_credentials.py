"""AssumeRole through the SDK, and every odd response to it."""

import json
import logging
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from urllib.parse import parse_qs, urlsplit

import pytest
import responses

from function.credentials import AccessKeys, StsCredentials
from function.errors import Misconfigured, StsRejected, StsUnavailable
from sts_credentials import StsClient, own_access_keys
from tests.support.cases import cases_beside

cases = cases_beside(__file__)

URL = "https://sts.cn-hangzhou.aliyuncs.com/"
OWN = AccessKeys("STS.NTown", "OwnSecretCanary", "OwnTokenCanary/+==")
POLICY = '{"Version":"1","Statement":[]}'


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
    return {
        name: values[0] for name, values in parse_qs(urlsplit(sts.calls[index].request.url).query).items()
    }


def test_assume_role_sends_the_session_policy_and_the_own_token(sts, client, clock, reply):
    sts.post(URL, json=reply(clock() + timedelta(hours=1)))
    credentials = assume(client, clock)
    assert credentials.access_key_id == "STS.NTRoleSessionKeyId"
    assert credentials.expires_at == clock() + timedelta(hours=1)
    asked = sent(sts)
    assert len(sts.calls) == 1
    assert sts.calls[0].request.url.startswith(URL)
    assert asked["Action"] == "AssumeRole"
    assert asked["RoleArn"] == "acs:ram::1:role/upload"
    assert asked["DurationSeconds"] == "3600"
    assert json.loads(asked["Policy"]) == json.loads(POLICY)
    assert asked["AccessKeyId"] == "STS.NTown"
    assert asked["SecurityToken"] == "OwnTokenCanary/+=="
    assert asked["RoleSessionName"] == "oss-direct-upload"


def test_a_key_pair_without_a_token_sends_none(sts, client, clock, reply):
    sts.post(URL, json=reply(clock() + timedelta(hours=1)))
    client.assume_role(POLICY, AccessKeys("LTAIown", "secret", None), clock(), attempts=1)
    assert "SecurityToken" not in sent(sts)


def test_timeouts_are_short_and_certificates_verified(sts, client, clock, reply):
    seen = {}

    def answer(request):
        seen.update(request.req_kwargs)
        return 200, {}, json.dumps(reply(clock() + timedelta(hours=1)))

    sts.add_callback("POST", URL, callback=answer)
    assume(client, clock)
    assert seen["timeout"] == (1.5, 3)
    assert seen["verify"] is not False


@pytest.mark.parametrize(
    ("status", "body", "error", "attempts"),
    [
        (403, {"Code": "NoPermission", "Message": "no", "RequestId": "r"}, StsRejected, 1),
        (404, {"Code": "EntityNotExist.Role", "Message": "no", "RequestId": "r"}, StsRejected, 1),
        (400, {"Code": "InvalidParameter.RoleArn", "Message": "no", "RequestId": "r"}, StsRejected, 1),
        (429, {"Code": "Throttling.User", "Message": "slow", "RequestId": "r"}, StsUnavailable, 2),
        (400, {"Code": "Throttling.User", "Message": "slow", "RequestId": "r"}, StsUnavailable, 2),
        (503, {"Code": "ServiceUnavailable", "Message": "x", "RequestId": "r"}, StsUnavailable, 2),
        (500, {"Code": "InternalError", "Message": "x", "RequestId": "r"}, StsUnavailable, 1),
        (500, b"<html>oops</html>", StsUnavailable, 1),
        (500, b"null", StsUnavailable, 1),
        (502, b"\xff\xfe\xff", StsUnavailable, 1),
        (400, {"Code": "SignatureDoesNotMatch", "Message": "no colon"}, StsRejected, 1),
        (400, {"Code": "SignatureDoesNotMatch", "Message": None}, StsRejected, 1),
        (302, b"", StsUnavailable, 1),
    ],
)
def test_refusals_of_sts_are_mapped_to_errors(sts, client, clock, slept, status, body, error, attempts):
    body = body if isinstance(body, bytes) else json.dumps(body)
    for _ in range(attempts):
        sts.post(URL, status=status, body=body)
    with pytest.raises(error) as raised:
        assume(client, clock)
    assert len(sts.calls) == attempts
    assert slept == [0.2] * (attempts - 1)
    assert raised.value.__cause__ is None
    assert raised.value.__suppress_context__


@pytest.mark.parametrize(
    "failure",
    [
        TimeoutError("timed out"),
        ConnectionResetError("reset"),
        ConnectionRefusedError("refused"),
    ],
)
def test_a_network_failure_is_retried_once_with_a_fresh_request(sts, client, clock, reply, slept, failure):
    sts.post(URL, body=failure)
    sts.post(URL, json=reply(clock() + timedelta(hours=1)))
    assert assume(client, clock).access_key_id == "STS.NTRoleSessionKeyId"
    assert len(sts.calls) == 2
    assert slept == [0.2]
    assert sent(sts, 0)["SignatureNonce"] != sent(sts, 1)["SignatureNonce"]
    assert [call.request.headers["User-Agent"] for call in sts.calls].count(
        sts.calls[0].request.headers["User-Agent"]
    ) == 2


def test_throttling_is_retried(sts, client, clock, reply):
    sts.post(URL, status=429, json={"Code": "Throttling.User", "Message": "slow", "RequestId": "r"})
    sts.post(URL, json=reply(clock() + timedelta(hours=1)))
    assume(client, clock)
    assert len(sts.calls) == 2


def test_gives_up_after_two_network_failures(sts, client, clock):
    sts.post(URL, body=TimeoutError())
    sts.post(URL, body=TimeoutError())
    with pytest.raises(StsUnavailable):
        assume(client, clock)
    assert len(sts.calls) == 2


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


def test_an_expiration_is_limited_to_the_session_life(sts, client, clock, reply):
    sts.post(URL, json=reply(clock(), Expiration="2999-01-01T00:00:00Z"))
    assert assume(client, clock).expires_at == clock() + timedelta(hours=1)


def test_own_keys_may_change_between_calls(sts, client, clock, reply):
    for _ in range(2):
        sts.post(URL, json=reply(clock() + timedelta(hours=1)))
    assume(client, clock)
    client.assume_role(POLICY, AccessKeys("STS.new", "new", "new"), clock(), attempts=1)
    assert [sent(sts, call)["AccessKeyId"] for call in (0, 1)] == [OWN.access_key_id, "STS.new"]
    assert sent(sts, 1)["SecurityToken"] == "new"


def test_tls_uses_sni_on_every_python(sts, client, clock, reply, monkeypatch):
    import aliyunsdkcore.vendored.requests.packages.urllib3.util.ssl_ as sdk_ssl

    monkeypatch.setattr(sdk_ssl, "HAS_SNI", False)
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


@pytest.mark.parametrize(
    ("code", "is_said"), [("InvalidSecurityToken.Expired", True), ("InvalidSecurityToken.Malformed", False)]
)
def test_expired_own_keys_are_explained_in_the_log(sts, client, clock, code, is_said):
    sts.post(URL, status=400, json={"Code": code, "Message": "m", "RequestId": "r"})
    with pytest.raises(StsRejected) as raised:
        assume(client, clock)
    assert ("the function's own keys have expired" in raised.value.reason) is is_said


def test_an_upstream_code_cannot_break_a_log_line(sts, client, clock):
    sts.post(URL, status=403, json={"Code": 'x"\n{"a', "Message": "m", "RequestId": "r\r\nr"})
    with pytest.raises(StsRejected) as raised:
        assume(client, clock)
    assert "\n" not in raised.value.reason
    assert '"' not in raised.value.reason


def context(**credentials):
    return SimpleNamespace(credentials=SimpleNamespace(**credentials))


def test_own_keys_of_the_context_come_first(environment):
    given = context(access_key_id="STS.ctx", access_key_secret="s", security_token="t")
    assert own_access_keys(environment, given) == AccessKeys("STS.ctx", "s", "t")


@pytest.mark.parametrize(
    "given",
    [
        None,
        SimpleNamespace(request_id="x"),
        SimpleNamespace(credentials=None),
        context(access_key_id=None, access_key_secret=None, security_token=None),
        context(access_key_id="", access_key_secret="s", security_token="t"),
    ],
)
def test_own_keys_fall_back_to_the_environment(environment, given):
    assert own_access_keys(environment, given).access_key_id == "STS.NTFunctionOwnKeyId"


def test_an_empty_token_is_no_token(environment):
    environment["ALIBABA_CLOUD_SECURITY_TOKEN"] = ""
    assert own_access_keys(environment, None).security_token is None


def test_a_function_without_a_role_is_misconfigured():
    with pytest.raises(Misconfigured) as raised:
        own_access_keys({}, None)
    assert "ALIBABA_CLOUD_ACCESS_KEY_ID" in raised.value.reason
    assert [problem.setting for problem in raised.value.problems] == ["ALIBABA_CLOUD_ACCESS_KEY_ID"]


def test_the_sdk_needs_a_stub_of_its_own():
    """The reason for ``SDK_ADAPTER``: the SDK has its own copy of requests."""
    from aliyunsdkcore.vendored.requests.adapters import HTTPAdapter as SdkAdapter
    from requests.adapters import HTTPAdapter

    assert SdkAdapter is not HTTPAdapter
    assert responses.RequestsMock().target != "aliyunsdkcore.vendored.requests.adapters.HTTPAdapter.send"


@pytest.mark.parametrize(("seconds", "kept"), [(3599, 3599), (3600, 3600), (3601, 3600)])
def test_an_expiration_is_never_extended(sts, client, clock, reply, seconds, kept):
    sts.post(URL, json=reply(clock() + timedelta(seconds=seconds)))
    assert assume(client, clock).expires_at == clock() + timedelta(seconds=kept)


PAIR = {
    "ALIBABA_CLOUD_ACCESS_KEY_ID": "id",
    "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "secret",
    "ALIBABA_CLOUD_SECURITY_TOKEN": "token",
}


def test_an_incomplete_pair_in_the_context_falls_back_to_the_environment():
    for half in ({"access_key_id": "c"}, {"access_key_secret": "c"}):
        context = SimpleNamespace(credentials=SimpleNamespace(**half))
        assert own_access_keys(PAIR, context) == AccessKeys("id", "secret", "token")


@pytest.mark.parametrize("missing", ["ALIBABA_CLOUD_ACCESS_KEY_ID", "ALIBABA_CLOUD_ACCESS_KEY_SECRET"])
def test_an_incomplete_pair_is_misconfigured(missing):
    with pytest.raises(Misconfigured):
        own_access_keys({name: value for name, value in PAIR.items() if name != missing}, None)
