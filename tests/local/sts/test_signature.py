"""Who gets past the gateway of the local STS and content moderation: signatures, nonces, tokens, attacks."""

import hashlib
import hmac
import json
import urllib.parse
from datetime import timedelta

import pytest
from alibabacloud_sts20150401.client import Client as TeaClient
from alibabacloud_sts20150401.models import AssumeRoleRequest as TeaAssumeRole
from alibabacloud_tea_openapi.exceptions import ClientException as TeaException
from alibabacloud_tea_openapi.utils_models import Config

from local.common.accounts import AccessKey
from local.rpc.errors import RpcError
from local.rpc.request import HttpRequest
from local.rpc.signature import read_acs3
from local.sts.server import StsServer
from tests.local.sts.conftest import StsCaller, said
from tests.support.cases import cases_beside

cases = cases_beside(__file__)
FORM = "application/x-www-form-urlencoded"


def published_acs3(**changed):
    """The RunInstances example of the V3 signature page."""
    headers = {
        "host": "ecs.cn-shanghai.aliyuncs.com",
        "x-acs-action": "RunInstances",
        "x-acs-content-sha256": hashlib.sha256(b"").hexdigest(),
        "x-acs-date": "2023-10-26T10:22:32Z",
        "x-acs-signature-nonce": "3156853299f313e23d1673dc12e1703d",
        "x-acs-version": "2014-05-26",
    }
    authorization = (
        f"ACS3-HMAC-SHA256 Credential=YourAccessKeyId,SignedHeaders={';'.join(headers)},"
        "Signature=06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0"
    )
    fields = {
        "method": "POST",
        "path": "/",
        "query": "RegionId=cn-shanghai&ImageId=win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd",
        "headers": tuple(({"Authorization": authorization} | headers | changed.pop("headers", {})).items()),
        "body": b"",
    }
    return HttpRequest(**(fields | changed))


def test_agrees_with_the_published_acs3_example_and_shows_neither_signature_nor_text():
    signed = read_acs3(published_acs3())
    assert signed.is_signed_with("YourAccessKeySecret") and not signed.is_signed_with("YourAccessKeySecre")
    assert signed.access_key_id == "YourAccessKeyId"
    assert signed.signature not in repr(signed) and signed.string_to_sign not in repr(signed)


@cases("changed")
def test_an_acs3_signature_covers_everything_it_should(changed):
    assert not read_acs3(published_acs3(**changed)).is_signed_with("YourAccessKeySecret")


@cases("changed", "code")
def test_refuses_an_acs3_request_that_signs_too_little(changed, code):
    with pytest.raises(RpcError) as caught:
        read_acs3(published_acs3(**changed))
    assert caught.value.refusal.code == code


@pytest.fixture
def acs3(sts_call, clock):
    """Send an ACS3 call as the V3 page signs it; ``signed`` replaces the list of signed headers."""

    def send(body="", secret="long-secret", signed=None, content_type=None, in_form=False, **changed):
        pairs = {"RoleArn": sts_call.role_arn, "RoleSessionName": "uploads"}
        query = "&".join(f"{name}={urllib.parse.quote(pairs[name], safe='~')}" for name in sorted(pairs))
        query, body = ("", query) if in_form else (query, body)
        headers = {
            "host": sts_call.origin.removeprefix("http://"),
            "x-acs-action": "AssumeRole",
            "x-acs-version": "2015-04-01",
            "x-acs-date": f"{clock.instant:%Y-%m-%dT%H:%M:%SZ}",
            "x-acs-signature-nonce": "n1",
            "x-acs-content-sha256": hashlib.sha256(body.encode()).hexdigest(),
        } | changed
        names = sorted(headers) if signed is None else signed
        lines = "".join(f"{name}:{headers[name]}\n" for name in names)
        canonical = f"POST\n/\n{query}\n{lines}\n{';'.join(names)}\n{headers['x-acs-content-sha256']}"
        text = "ACS3-HMAC-SHA256\n" + hashlib.sha256(canonical.encode()).hexdigest()
        signature = hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()
        named = f"Credential=LTAIlong,SignedHeaders={';'.join(names)},Signature={signature}"
        headers |= {"Authorization": f"ACS3-HMAC-SHA256 {named}", "Content_Type": content_type}
        return said(sts_call.send("POST", f"/?{query}", body, **headers))

    return send


def test_an_acs3_call_with_parameters_in_query_or_form_works_once(acs3):
    assert [acs3(), acs3()] == ["200", "400 SignatureNonceUsed"]
    form = {"content-type": FORM, "x-acs-signature-nonce": "n2"}
    assert acs3(in_form=True, **form) == "200"


def test_an_acs3_form_cannot_be_lost_by_changing_its_unsigned_content_type(acs3):
    """Without its form the call would lose the session policy and get all that the role may do."""
    assert acs3("Policy=%7B%7D", content_type=FORM) == "400 IncompleteSignature"
    assert acs3("Policy=%7B%7D", content_type="text/plain") == "400 UnsupportedContentType"


def test_takes_rpc_parameters_from_query_form_or_both_and_each_once(sts_call):
    target = "/?" + urllib.parse.urlencode(sts_call.signed(method="GET"))
    assert said(sts_call.send("GET", f"{target}&RoleSessionName=other")) == "400 InvalidParameter"
    for authorization in ("ACS3-RSA-SHA256 Credential=x", "Bearer abc", " "):
        assert said(sts_call.send("GET", target, Authorization=authorization)) == "400 IncompleteSignature"
    assert said(sts_call.send("GET", target)) == "200"
    assert said(sts_call.send("POST", "/?" + urllib.parse.urlencode(sts_call.signed()))) == "200"
    given = sts_call.signed()
    target = "/?" + urllib.parse.urlencode({name: given.pop(name) for name in ("Action", "Signature")})
    assert said(sts_call.send("POST", target, urllib.parse.urlencode(given), Content_Type=FORM)) == "200"


@cases("signed", "change")
def test_a_parameter_changed_added_or_removed_after_signing_is_noticed(sts_call, signed, change):
    given = sts_call.signed(**signed) | change
    given = {name: value for name, value in given.items() if value is not None}
    assert said(sts_call.post(given)) == "400 SignatureDoesNotMatch"
    assert said(sts_call.post({**given, "Signature": ""})) == "400 MissingSignature"


def test_a_wrong_secret_is_answered_with_the_string_to_sign(sts_call):
    status, answer = sts_call(secret="wrong", RoleSessionName="a@b")
    _, _, text = answer["Message"].partition(":")
    assert (status, set(answer)) == (400, {"RequestId", "HostId", "Code", "Message", "Recommend"})
    assert text.startswith("POST&%2F&AccessKeyId%3DLTAIlong%26Action%3DAssumeRole") and ":" not in text
    assert "long-secret" not in str(answer)
    assert answer["HostId"] == sts_call.origin.removeprefix("http://")


@cases("changed", "refusal")
def test_each_wrong_common_parameter_has_its_code(sts_call, changed, refusal):
    assert sts_call.said(**changed) == refusal


def test_a_nonce_is_stored_until_its_request_expires(sts_call, clock):
    """A timestamp 15 minutes ahead keeps a caught request fresh for half an hour."""
    given = sts_call.signed(Timestamp="2026-11-24T14:15:00Z")
    assert said(sts_call.post(given)) == "200"
    clock.tick(minutes=29)
    assert said(sts_call.post(given)) == "400 SignatureNonceUsed"
    clock.tick(minutes=2)
    assert said(sts_call.post(given)) == "400 InvalidTimeStamp.Expired"
    assert sts_call.said(SignatureNonce=given["SignatureNonce"]) == "200"


def test_a_nonce_is_its_key_s_and_a_forged_request_uses_up_none(sts_call, sts_accounts):
    sts_accounts.add(AccessKey("LTAIsecond", "second-secret"))
    assert sts_call.said(secret="wrong", SignatureNonce="mine") == "400 SignatureDoesNotMatch"
    assert sts_call.said(SignatureNonce="mine") == "200"
    assert sts_call.said(SignatureNonce="mine", AccessKeyId="LTAIsecond", secret="second-secret") == "200"


@cases("token", "minutes", "refusal")
def test_temporary_keys_need_their_token_while_it_lasts(
    sts_call, clock, sts_accounts, token, minutes, refusal
):
    ends = clock.instant + timedelta(hours=1)
    sts_accounts.add(AccessKey("STS.N1", "temporary", security_token="good+/token=", expires_at=ends))
    clock.tick(minutes=minutes)
    assert sts_call.said(AccessKeyId="STS.N1", secret="temporary", SecurityToken=token) == refusal


@cases("method", "target", "body", "headers", "refusal")
def test_an_invalid_call_is_refused(sts_call, method, target, body, headers, refusal):
    assert said(sts_call.send(method, target, body, **headers)) == refusal


ROLE = StsCaller.role_arn
UPLOADS = {"Effect": "Allow", "Action": ["oss:PutObject"], "Resource": ["acs:oss:*:*:b/it's (1) + ~上传!/*"]}
ASSUMES = {"Effect": "Allow", "Action": ["sts:AssumeRole"], "Resource": ["*"]}
POLICY = {"Version": "1", "Statement": [UPLOADS, ASSUMES]}


@pytest.fixture
def live(sts_accounts, started):
    """A local STS on the wall clock, for SDKs that read that themselves."""
    return started(StsServer(sts_accounts, ROLE))


# The Tea SDK reads the clock in a way that Python 3.12 deprecates. It signs with ACS3-HMAC-SHA256.
@pytest.mark.filterwarnings("ignore:datetime.datetime.utcnow:DeprecationWarning")
def test_the_tea_sdk_gets_credentials_and_uses_them_and_reads_refusals(live, sts_accounts):
    def tea(secret, key_id="LTAIlong", token=None):
        where = {"endpoint": live.origin.removeprefix("http://"), "protocol": "http", "region_id": "x"}
        keys = {"access_key_id": key_id, "access_key_secret": secret, "security_token": token}
        return TeaClient(Config(**keys, **where))

    asked = TeaAssumeRole(role_arn=ROLE, role_session_name="tea", policy=json.dumps(POLICY))
    given = tea("long-secret").assume_role(asked).body.credentials
    assert sts_accounts.find(given.access_key_id).policies == (POLICY,)
    session = given.access_key_secret, given.access_key_id
    assert tea(*session, given.security_token).get_caller_identity().body.arn == ROLE + "/tea"
    for call, code in (
        (lambda: tea("wrong").assume_role(asked), "SignatureDoesNotMatch"),
        (lambda: tea(*session, "x").get_caller_identity(), "InvalidSecurityToken.MismatchWithAccessKey"),
        (lambda: tea(*session).get_caller_identity(), "MissingSecurityToken"),
    ):
        with pytest.raises(TeaException) as caught:
            call()
        assert caught.value.code == code
