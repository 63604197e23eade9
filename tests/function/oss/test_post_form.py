"""oss.post_form: signatures byte for byte against others' code, policies as decoded data."""

import hashlib
import hmac
import json
from base64 import b64decode
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from function.oss.post_form import (
    UploadRule,
    encode_policy,
    exact_match,
    prepare,
    sign_folder,
    sign_object,
    sign_v1,
)
from function.sts.credentials import StsCredentials

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "post_policy.json").read_text("utf-8"))
NOW = datetime(2026, 11, 24, 14, 0, 0, tzinfo=UTC)
CREDENTIALS = StsCredentials("STS.NTkeyId", "secret+/=", "CAIStoken+/==", NOW + timedelta(hours=1))
FIELDS = {
    "success_action_status": "200",
    "x-oss-content-type": "image/jpeg",
    "x-oss-forbid-overwrite": "true",
    "x-oss-object-acl": "default",
}


def rule(**changes):
    values = {
        "bucket": "my-bucket",
        "region": "cn-hangzhou",
        "signature_version": "v4",
        "key": "uploads/public/x.jpg",
        "min_size_bytes": 1,
        "max_size_bytes": 1024,
        "expires_at": NOW + timedelta(seconds=300),
        "fields": FIELDS,
        **changes,
    }
    return UploadRule(form=prepare(values.pop("fields")), **values)


def decoded(policy: str):
    return json.loads(b64decode(policy, validate=True))


def oracle_v4(policy: str, secret: str, date: str, region: str) -> str:
    """The documented derivation, written out once more with the plain hmac module."""
    key = ("aliyun_v4" + secret).encode()
    for part in [date, region, "oss", "aliyun_v4_request"]:
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return hmac.new(key, policy.encode(), hashlib.sha256).hexdigest()


@pytest.mark.parametrize("vector", VECTORS["v1"] + VECTORS["published"], ids=lambda vector: vector["name"])
def test_signs_v1_as_ali_oss_and_the_java_sdk_do(vector):
    assert sign_v1(vector["policy_base64"], vector["access_key_secret"]) == vector["signature"]


@pytest.mark.parametrize("vector", VECTORS["v1"] + VECTORS["v4"], ids=lambda vector: vector["name"])
def test_encodes_a_policy_as_ali_oss_does(vector):
    policy = json.loads(vector["policy_json"])
    expires_at = datetime.fromisoformat(policy["expiration"])
    conditions = [
        exact_match(*next(iter(item.items())))
        if isinstance(item, dict)
        else json.dumps(item, separators=(",", ":"))
        for item in policy["conditions"]
    ]
    assert encode_policy(expires_at, conditions) == vector["policy_base64"]


@pytest.mark.parametrize("token", ['a"b\\c', "令牌", "line\nbreak", '"},{"acl":"public-read'])
def test_a_token_of_any_characters_is_one_condition_that_pins_it(token):
    credentials = StsCredentials("id", "secret", token, NOW + timedelta(hours=1))
    form = sign_object(rule(), credentials, NOW)
    assert form["x-oss-security-token"] == token
    assert decoded(form["policy"])["conditions"][-1] == {"x-oss-security-token": token}


@pytest.mark.parametrize("version", ["v4", "v1"])
def test_every_field_of_a_form_but_the_proof_has_a_condition(version):
    form = sign_object(rule(signature_version=version), CREDENTIALS, NOW)
    conditions = decoded(form["policy"])["conditions"]
    pinned = {}
    for condition in conditions:
        if isinstance(condition, dict):
            pinned |= condition
    proof = {"v4": {"policy", "x-oss-signature"}, "v1": {"policy", "signature", "OSSAccessKeyId"}}[version]
    assert pinned == {"bucket": "my-bucket"} | {k: v for k, v in form.items() if k not in proof}
    assert ["content-length-range", 1, 1024] in conditions


def test_the_v1_signature_equals_one_computed_independently():
    form = sign_object(rule(signature_version="v1"), CREDENTIALS, NOW)
    digest = hmac.new(b"secret+/=", form["policy"].encode(), hashlib.sha1).digest()
    assert b64decode(form["signature"]) == digest
    assert form["OSSAccessKeyId"] == "STS.NTkeyId"
    assert form["x-oss-security-token"] == "CAIStoken+/=="
    assert not any(name.startswith(("x-oss-signature", "x-oss-credential", "x-oss-date")) for name in form)


@pytest.mark.parametrize(
    ("instant", "date", "stamp"),
    [
        (datetime(2028, 2, 29, 23, 59, 59, tzinfo=UTC), "20280229", "20280229T235959Z"),
        (datetime(2027, 1, 1, 0, 0, 0, tzinfo=UTC), "20270101", "20270101T000000Z"),
    ],
)
def test_signature_date_credential_and_x_oss_date_are_of_one_day(instant, date, stamp):
    form = sign_object(rule(expires_at=instant + timedelta(seconds=60)), CREDENTIALS, instant)
    assert form["x-oss-date"] == stamp
    assert form["x-oss-credential"].split("/")[1] == date
    assert form["x-oss-signature"] == oracle_v4(form["policy"], "secret+/=", date, "cn-hangzhou")


@pytest.mark.parametrize("key", ["图片/猫 +%2F\"'.jpg", "a/😀.png", "a/b&c=d;e.txt"])
def test_keys_of_any_characters_survive_in_utf_8(key):
    form = sign_object(rule(key=key), CREDENTIALS, NOW)
    assert {"key": key} in decoded(form["policy"])["conditions"]
    assert key.encode() in b64decode(form["policy"]) or '"' in key


def test_the_folder_shape_pins_folder_size_token_and_proof_and_nothing_the_page_does_not_send():
    signed = sign_folder(rule(key="test/", fields={}), CREDENTIALS, NOW)
    conditions = decoded(signed.policy)["conditions"]
    assert ["starts-with", "$key", "test/"] in conditions
    of_v4 = {f"x-oss-{name}" for name in ("signature-version", "credential", "date", "security-token")}
    pinned = {name for condition in conditions if isinstance(condition, dict) for name in condition}
    assert pinned == {"bucket"} | of_v4
    assert len(conditions) == 7
