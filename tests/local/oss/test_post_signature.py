"""The signatures, against vectors made by ali-oss and published with the Java SDK."""

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from local.common.accounts import AccessKey, Accounts
from local.oss.errors import OssError
from local.oss.form import Form
from local.oss.post_signature import authenticate, sign_v1, sign_v4
from local.oss.rules import OssRules
from tests.support.cases import cases_beside

cases = cases_beside(__file__)

VECTORS = json.loads(Path(__file__).parents[2].joinpath("vectors/post_policy.json").read_text("utf-8"))
V1 = VECTORS["v1"] + VECTORS["published"]
V4 = VECTORS["v4"]
RULES = OssRules()


def _names(vector):
    return vector["name"]


def _accounts(vector, **changes):
    key = AccessKey(vector["access_key_id"], vector["access_key_secret"], vector.get("security_token"))
    return Accounts(replace(key, **changes))


def _v1_form(vector, **changes):
    fields = {
        "ossaccesskeyid": vector["access_key_id"],
        "policy": vector["policy_base64"],
        "signature": vector["signature"],
    }
    if "security_token" in vector:
        fields["x-oss-security-token"] = vector["security_token"]
    return Form({**fields, **changes})


def _v4_form(vector, **changes):
    fields = {
        "x-oss-signature-version": "OSS4-HMAC-SHA256",
        "x-oss-credential": vector["x_oss_credential"],
        "x-oss-date": vector["x_oss_date"],
        "x-oss-signature": vector["x_oss_signature"],
        "policy": vector["policy_base64"],
    }
    return Form({**fields, **{name.replace("_", "-"): value for name, value in changes.items()}})


def _signed_at(vector):
    return datetime.fromisoformat(vector["date_iso"])


def _changed(text):
    """Another text of the same kind, one character away."""
    return ("B" if text[0] == "A" else "A") + text[1:]


@pytest.mark.parametrize("vector", V1, ids=_names)
def test_v1_signatures_of_other_signers_are_reproduced_and_accepted(vector):
    assert sign_v1(vector["access_key_secret"], vector["policy_base64"]) == vector["signature"]
    now = datetime(2026, 11, 24, tzinfo=UTC)
    signer = authenticate(_v1_form(vector), _accounts(vector), "cn-hangzhou", now, RULES)
    assert signer.access_key.access_key_id == vector["access_key_id"]


@pytest.mark.parametrize("vector", V4, ids=_names)
def test_v4_signatures_of_other_signers_are_reproduced_and_accepted(vector):
    region, day = vector["sign_region"], vector["x_oss_date"][:8]
    signature = sign_v4(vector["access_key_secret"], day, region, vector["policy_base64"])
    assert signature == vector["x_oss_signature"]
    signer = authenticate(_v4_form(vector), _accounts(vector), region, _signed_at(vector), RULES)
    assert signer.bound_fields == ("x-oss-signature-version", "x-oss-credential", "x-oss-date")


@pytest.mark.parametrize("vector", V1 + V4, ids=_names)
@pytest.mark.parametrize("what", ["signature", "policy", "secret", "respelled policy"])
def test_one_changed_character_is_refused(vector, what):
    v4 = "x_oss_signature" in vector
    form = _v4_form(vector) if v4 else _v1_form(vector)
    accounts = _accounts(vector)
    if what == "secret":
        accounts = _accounts(vector, access_key_secret=_changed(vector["access_key_secret"]))
    elif what == "respelled policy":  # the same JSON in other bytes
        respelled = json.dumps(json.loads(vector["policy_json"]), indent=1)
        form.fields["policy"] = base64.b64encode(respelled.encode()).decode()
    else:
        field = "x-oss-signature" if v4 and what == "signature" else what
        form.fields[field] = _changed(form.fields[field])
    now = _signed_at(vector) if v4 else datetime(2026, 11, 24, tzinfo=UTC)
    with pytest.raises(OssError) as refused:
        authenticate(form, accounts, vector.get("sign_region", "cn-hangzhou"), now, RULES)
    assert refused.value.refusal.code == "SignatureDoesNotMatch"


def test_a_refusal_does_not_reveal_the_correct_signature():
    vector = V4[0]
    form = _v4_form(vector, x_oss_signature="0" * 64)
    with pytest.raises(OssError) as refused:
        authenticate(form, _accounts(vector), vector["sign_region"], _signed_at(vector), RULES)
    told = refused.value.message + json.dumps(refused.value.details)
    assert vector["x_oss_signature"] not in told
    assert vector["access_key_secret"] not in told


@cases("changes", "code", "ec")
def test_each_wrong_v4_field_has_its_refusal(changes, code, ec):
    vector = V4[0]
    with pytest.raises(OssError) as refused:
        authenticate(_v4_form(vector, **changes), _accounts(vector), "cn-hangzhou", _signed_at(vector), RULES)
    assert (refused.value.refusal.code, refused.value.refusal.ec) == (code, ec)


@cases("field", "ec")
def test_each_missing_v4_field_has_its_refusal(field, ec):
    form = _v4_form(V4[0])
    del form.fields[field]
    with pytest.raises(OssError) as refused:
        authenticate(form, _accounts(V4[0]), "cn-hangzhou", _signed_at(V4[0]), RULES)
    assert (refused.value.refusal.code, refused.value.refusal.ec) == ("InvalidArgument", ec)


@pytest.mark.parametrize(
    ("age", "strict", "accepted"),
    [
        (timedelta(minutes=-15), False, True),
        (timedelta(minutes=-15, seconds=-1), False, False),
        (timedelta(minutes=15), True, True),
        (timedelta(minutes=15, seconds=1), True, False),
        (timedelta(minutes=15, seconds=1), False, True),
        (timedelta(days=7), False, True),
        (timedelta(days=7, seconds=1), False, False),
    ],
)
def test_the_date_window_closes_on_both_sides(age, strict, accepted):
    now = _signed_at(V4[0]) + age
    rules = OssRules(strict_date_window=strict)
    try:
        authenticate(_v4_form(V4[0]), _accounts(V4[0]), "cn-hangzhou", now, rules)
        assert accepted
    except OssError as error:
        assert not accepted
        assert error.refusal.ec == "0002-00000709"


@cases("field", "value", "ec", "text")
def test_v1_wants_all_three_fields(field, value, ec, text):
    vector = VECTORS["v1"][0]
    form = _v1_form(vector)
    form.fields.pop(field)
    if value is not None:
        form.fields[field] = value
    with pytest.raises(OssError) as refused:
        authenticate(form, _accounts(vector), "cn-hangzhou", datetime(2026, 1, 1, tzinfo=UTC), RULES)
    assert (refused.value.refusal.status, refused.value.refusal.ec) == (400, ec)
    assert text in refused.value.message


@cases("token", "code", "ec")
def test_a_temporary_key_is_nothing_without_its_token(token, code, ec):
    vector = VECTORS["v1"][1]
    form = _v1_form(vector)
    form.fields.pop("x-oss-security-token")
    if token is not None:
        form.fields["x-oss-security-token"] = token
    accounts = _accounts(vector)
    accounts.add(AccessKey("STS.NTAnother", "secret", "CAISanother/+=="))
    with pytest.raises(OssError) as refused:
        authenticate(form, accounts, "cn-hangzhou", datetime(2026, 1, 1, tzinfo=UTC), RULES)
    assert (refused.value.refusal.code, refused.value.refusal.ec) == (code, ec)


def test_a_token_expires_at_its_second():
    vector = VECTORS["v1"][1]
    end = datetime(2026, 1, 1, 1, tzinfo=UTC)
    accounts = _accounts(vector, expires_at=end)
    authenticate(_v1_form(vector), accounts, "cn-hangzhou", end - timedelta(seconds=1), RULES)
    with pytest.raises(OssError) as refused:
        authenticate(_v1_form(vector), accounts, "cn-hangzhou", end, RULES)
    assert (refused.value.refusal.code, refused.value.refusal.ec) == ("SecurityTokenExpired", "0002-00000007")


def test_a_v4_form_of_a_temporary_key_must_bind_its_token():
    accounts = _accounts(V4[0], security_token="CAIS")
    form = _v4_form(V4[0], x_oss_security_token="CAIS")
    signer = authenticate(form, accounts, "cn-hangzhou", _signed_at(V4[0]), RULES)
    assert "x-oss-security-token" in signer.bound_fields


def test_retired_v1_is_refused_and_v4_is_not():
    vector, rules = VECTORS["v1"][0], OssRules(v1_retired=True)
    with pytest.raises(OssError) as refused:
        authenticate(
            _v1_form(vector), _accounts(vector), "cn-hangzhou", datetime(2026, 1, 1, tzinfo=UTC), rules
        )
    assert (refused.value.refusal.status, refused.value.refusal.ec) == (403, "0002-00000080")
    authenticate(_v4_form(V4[0]), _accounts(V4[0]), "cn-hangzhou", _signed_at(V4[0]), rules)


def test_an_unsigned_form_meets_a_private_bucket():
    with pytest.raises(OssError) as refused:
        authenticate(Form({"key": "a"}), Accounts(), "cn-hangzhou", datetime(2026, 1, 1, tzinfo=UTC), RULES)
    assert refused.value.message == "You have no right to access this object because of bucket acl."
