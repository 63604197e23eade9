"""Who gets past the local STS: signatures of both kinds, timestamps, nonces, tokens, and attacks on them."""

import hashlib
import hmac
import json
import urllib.parse
from datetime import timedelta

import pytest

from local.common.accounts import AccessKey
from local.rpc.errors import RpcError
from local.rpc.request import HttpRequest
from local.rpc.signature import SignedRequest, read_acs3
from tests.support.cases import cases_beside

cases = cases_beside(__file__)

FORM = "application/x-www-form-urlencoded"


def test_agrees_with_the_published_rpc_example():
    """The DescribeRegions example of the RPC signature page: testid, testsecret."""
    signed = SignedRequest(
        access_key_id="testid",
        action="DescribeRegions",
        version="2014-05-26",
        parameters={},
        timestamp="2016-02-23T12:46:24Z",
        nonce="3ee8c1b8-83d3-44af-a94f-4e0ad82fd6cf",
        security_token="",
        algorithm="HMAC-SHA1",
        string_to_sign="GET&%2F&AccessKeyId%3Dtestid%26Action%3DDescribeRegions%26Format%3DXML"
        "%26SignatureMethod%3DHMAC-SHA1%26SignatureNonce%3D3ee8c1b8-83d3-44af-a94f-4e0ad82fd6cf"
        "%26SignatureVersion%3D1.0%26Timestamp%3D2016-02-23T12%253A46%253A24Z%26Version%3D2014-05-26",
        signature="OLeaidS1JvxuMvnyHOwuJ+uX5qY=",
    )
    assert signed.is_signed_with("testsecret")
    assert not signed.is_signed_with("testsecret2")


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


def test_agrees_with_the_published_acs3_example():
    signed = read_acs3(published_acs3())
    assert signed.is_signed_with("YourAccessKeySecret")
    assert not signed.is_signed_with("YourAccessKeySecre")
    assert signed.access_key_id == "YourAccessKeyId"


@cases("changed")
def test_an_acs3_signature_covers_everything_it_should(changed):
    assert not read_acs3(published_acs3(**changed)).is_signed_with("YourAccessKeySecret")


@cases("changed", "code")
def test_refuses_an_acs3_request_that_signs_too_little(changed, code):
    with pytest.raises(RpcError) as caught:
        read_acs3(published_acs3(**changed))
    assert caught.value.refusal.code == code


def acs3_headers(clock, query, body="", secret="long-secret", signed=None, **extra):
    """Sign as the V3 page says; ``signed`` replaces the list of signed headers."""
    headers = {
        "host": extra.pop("host"),
        "x-acs-action": "AssumeRole",
        "x-acs-version": "2015-04-01",
        "x-acs-date": f"{clock.instant:%Y-%m-%dT%H:%M:%SZ}",
        "x-acs-signature-nonce": extra.pop("nonce", "n1"),
        "x-acs-content-sha256": hashlib.sha256(body.encode()).hexdigest(),
    } | extra
    names = sorted(headers) if signed is None else signed
    lines = "".join(f"{name}:{headers[name]}\n" for name in names)
    canonical = f"POST\n/\n{query}\n{lines}\n{';'.join(names)}\n{headers['x-acs-content-sha256']}"
    text = "ACS3-HMAC-SHA256\n" + hashlib.sha256(canonical.encode()).hexdigest()
    signature = hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()
    headers["Authorization"] = (
        f"ACS3-HMAC-SHA256 Credential=LTAIlong,SignedHeaders={';'.join(names)},Signature={signature}"
    )
    return headers


def acs3_query(role_arn, **more):
    pairs = {"RoleArn": role_arn, "RoleSessionName": "uploads"} | more
    return "&".join(f"{name}={urllib.parse.quote(pairs[name], safe='~')}" for name in sorted(pairs))


@pytest.fixture
def acs3(sts_call, clock):
    """Sign an ACS3 call whose parameters are in the query: its target and its headers."""

    def sign(body="", **changed):
        query = acs3_query(sts_call.role_arn)
        host = sts_call.origin.removeprefix("http://")
        return "/?" + query, acs3_headers(clock, query, body, host=host, **changed)

    return sign


def test_an_acs3_call_with_query_parameters_works_once(sts_call, acs3):
    target, headers = acs3()
    status, body = sts_call.send("POST", target, **headers)
    assert (status, b"SecurityToken" in body) == (200, True)
    status, body = sts_call.send("POST", target, **headers)
    assert (status, b"SignatureNonceUsed" in body) == (400, True)


def test_an_acs3_call_with_form_parameters_works(sts_call, clock):
    body = acs3_query(sts_call.role_arn)
    host = sts_call.origin.removeprefix("http://")
    headers = acs3_headers(clock, "", body, host=host, **{"content-type": FORM})
    status, _ = sts_call.send("POST", "/", body, **headers)
    assert status == 200


def test_an_acs3_form_cannot_be_lost_by_changing_its_unsigned_content_type(sts_call, acs3):
    """Without its form the call would lose the session policy and get all that the role may do."""
    body = "Policy=%7B%7D"
    target, headers = acs3(body)
    status, answer = sts_call.send("POST", target, body, **headers, Content_Type=FORM)
    assert (status, b"IncompleteSignature" in answer) == (400, True)
    assert sts_call.send("POST", target, body, **headers, Content_Type="text/plain")[0] == 400


@cases("changed", "code")
def test_refuses_a_bad_acs3_call(sts_call, acs3, sts_accounts, changed, code):
    target, headers = acs3(**changed)
    status, answer = sts_call.send("POST", target, **headers)
    assert status >= 400
    assert b'"' + code + b'"' in answer
    assert b'SecurityToken":' not in answer


def test_an_unknown_authorization_is_refused_even_beside_a_good_rpc_signature(sts_call):
    for authorization in ("ACS3-RSA-SHA256 Credential=x", "Bearer abc", ""):
        target = "/?" + urllib.parse.urlencode(sts_call.signed(method="GET"))
        status, answer = sts_call.send("GET", target, Authorization=authorization)
        assert (status, json.loads(answer)["Code"]) == (400, "IncompleteSignature")


def test_takes_rpc_parameters_from_query_form_or_both(sts_call):
    assert sts_call.get(sts_call.signed(method="GET"))[0] == 200
    assert sts_call.post(sts_call.signed())[0] == 200
    given = sts_call.signed()
    in_query = {name: given.pop(name) for name in ("Action", "Signature", "Timestamp")}
    target = "/?" + urllib.parse.urlencode(in_query)
    assert sts_call.send("POST", target, urllib.parse.urlencode(given), Content_Type=FORM)[0] == 200
    assert sts_call.send("POST", "/?" + urllib.parse.urlencode(sts_call.signed()))[0] == 200


@pytest.mark.parametrize(
    "name", ["RoleArn", "RoleSessionName", "DurationSeconds", "SignatureNonce", "Timestamp"]
)
def test_an_rpc_signature_covers_every_parameter(sts_call, name):
    given = sts_call.signed(DurationSeconds="900")
    given[name] = {"Timestamp": "2026-11-24T14:00:01Z", "DurationSeconds": "901"}.get(name, given[name] + "x")
    status, answer = sts_call.post(given)
    assert (status, answer["Code"]) == (400, "SignatureDoesNotMatch")


POLICY = '{"Version":"1","Statement":[{"Effect":"Allow","Action":"oss:PutObject","Resource":"*"}]}'


@pytest.mark.parametrize(
    ("signed", "change", "code"),
    [
        ({}, {"Policy": "{}"}, "SignatureDoesNotMatch"),
        ({"Policy": POLICY}, {"Policy": None}, "SignatureDoesNotMatch"),
        ({}, {"Signature": None}, "MissingSignature"),
    ],
)
def test_a_parameter_added_or_removed_after_signing_is_noticed(sts_call, signed, change, code):
    given = sts_call.signed(**signed) | change
    given = {name: value for name, value in given.items() if value is not None}
    assert sts_call.post(given)[1]["Code"] == code


def test_a_request_signed_for_post_is_invalid_as_get(sts_call):
    assert sts_call.get(sts_call.signed(method="POST"))[1]["Code"] == "SignatureDoesNotMatch"


def test_a_wrong_secret_is_answered_with_the_string_to_sign(sts_call):
    status, answer = sts_call.post(sts_call.signed(secret="wrong", RoleSessionName="a@b"))
    sentence, _, text = answer["Message"].partition(":")
    assert status == 400
    assert sentence.startswith("Specified signature is not matched with our calculation")
    assert text.startswith("POST&%2F&AccessKeyId%3DLTAIlong%26Action%3DAssumeRole")
    assert ":" not in text
    assert "long-secret" not in str(answer)
    assert answer["HostId"] == sts_call.origin.removeprefix("http://")
    assert set(answer) == {"RequestId", "HostId", "Code", "Message", "Recommend"}


@cases("name")
@pytest.mark.parametrize("value", [None, ""])
def test_names_the_parameter_that_is_missing(sts_call, name, value):
    assert sts_call.code(**{name: value}) == (400, f"Missing{name}")


@cases("changed", "expected")
def test_common_parameters(sts_call, changed, expected):
    assert sts_call.code(**changed) == expected


@cases("timestamp", "code")
def test_timestamps(sts_call, timestamp, code):
    assert sts_call.code(Timestamp=timestamp)[1] == code


def test_a_nonce_is_stored_until_its_request_expires(sts_call, clock):
    """A timestamp 15 minutes ahead keeps a caught request fresh for half an hour."""
    given = sts_call.signed(Timestamp="2026-11-24T14:15:00Z")
    assert sts_call.post(given)[0] == 200
    clock.tick(minutes=29)
    assert sts_call.post(given)[1]["Code"] == "SignatureNonceUsed"
    clock.tick(minutes=2)
    assert sts_call.post(given)[1]["Code"] == "InvalidTimeStamp.Expired"
    assert sts_call.code(SignatureNonce=given["SignatureNonce"])[0] == 200


def test_a_forged_request_uses_up_nobodys_nonce(sts_call):
    assert sts_call.post(sts_call.signed(secret="wrong", SignatureNonce="mine"))[0] == 400
    assert sts_call.code(SignatureNonce="mine") == (200, "")


def test_two_keys_may_choose_the_same_nonce(sts_call, sts_accounts):
    sts_accounts.add(AccessKey("LTAIsecond", "second-secret"))
    assert sts_call.code(SignatureNonce="same")[0] == 200
    assert sts_call.code(SignatureNonce="same", AccessKeyId="LTAIsecond", secret="second-secret")[0] == 200


@cases("token", "minutes", "expected")
def test_temporary_keys_need_their_token_while_it_lasts(
    sts_call, clock, sts_accounts, token, minutes, expected
):
    ends = clock.instant + timedelta(hours=1)
    sts_accounts.add(AccessKey("STS.N1", "temporary", security_token="good+/token=", expires_at=ends))
    clock.tick(minutes=minutes)
    assert sts_call.code(AccessKeyId="STS.N1", secret="temporary", SecurityToken=token) == expected


def test_a_parameter_given_twice_is_refused(sts_call):
    good = urllib.parse.urlencode(sts_call.signed(method="GET"))
    status, answer = sts_call.send("GET", f"/?{good}&RoleSessionName=other")
    assert (status, b"given twice" in answer) == (400, True)
    status, answer = sts_call.send("POST", "/?Action=AssumeRole", "Action=AssumeRole", Content_Type=FORM)
    assert (status, b"given twice" in answer) == (400, True)


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", "multipart/form-data", None])
def test_a_body_that_does_not_call_itself_a_form_is_not_read_as_one(sts_call, content_type):
    headers = {"Content_Type": content_type} if content_type else {}
    body = urllib.parse.urlencode(sts_call.signed())
    status, answer = sts_call.send("POST", "/", body, **headers)
    assert (status, json.loads(answer)["Code"]) == (400, "UnsupportedContentType")


@cases("method", "target", "body", "content_type", "status")
def test_an_invalid_call_is_refused(sts_call, method, target, body, content_type, status):
    headers = {"Content_Type": content_type} if content_type else {}
    assert sts_call.send(method, target, body, **headers)[0] == status


@cases("headers", "status")
def test_a_body_of_unknown_length_is_not_read(sts_call, headers, status):
    assert sts_call.send("POST", "/", **headers)[0] == status


def test_the_secret_is_in_no_repr(sts_call):
    signed = read_acs3(published_acs3())
    assert signed.signature not in repr(signed)
    assert signed.string_to_sign not in repr(signed)
