"""The signatures, against vectors made by ali-oss and published with the Java SDK."""

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from local.common.accounts import AccessKey, Accounts
from local.oss.errors import OssError
from local.oss.form import Form
from local.oss.post_signature import authenticate, sign_v1, sign_v4
from local.oss.rules import OssRules
from tests.local.oss.conftest import UNSIGNED, refusal_of, vectors
from tests.support.cases import cases_beside

cases = cases_beside(__file__)

VECTORS = vectors("post_policy")
V1, V4 = VECTORS["v1"] + VECTORS["published"], VECTORS["v4"]
PLAIN, TEMPORARY = VECTORS["v1"][:2]
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def name_of(vector):
    return vector["name"]


def accounts_of(vector, **changes):
    key = AccessKey(vector["access_key_id"], vector["access_key_secret"], vector.get("security_token"))
    return Accounts(replace(key, **changes))


def form_of(vector, **changes):
    """Its form, with fields changed by keyword; ``None`` leaves one out."""
    named = {"policy": "policy_base64", "x-oss-security-token": "security_token"}
    if vector in V4:
        fields = {"x-oss-signature-version": "OSS4-HMAC-SHA256"}
        named |= {
            name: name.replace("-", "_") for name in ("x-oss-credential", "x-oss-date", "x-oss-signature")
        }
    else:
        fields = {}
        named |= {"ossaccesskeyid": "access_key_id", "signature": "signature"}
    fields |= {name: vector[theirs] for name, theirs in named.items() if theirs in vector}
    fields |= {name.replace("_", "-"): value for name, value in changes.items()}
    return Form({name: value for name, value in fields.items() if value is not None})


def entered(vector, form=None, accounts=None, now=None, rules=None):
    """The signer that this form shows, at the instant of its vector."""
    if now is None:
        now = datetime.fromisoformat(vector["date_iso"]) if vector in V4 else NOW
    region = vector.get("sign_region", "cn-hangzhou")
    return authenticate(
        form or form_of(vector), accounts or accounts_of(vector), region, now, rules or OssRules()
    )


@pytest.mark.parametrize("vector", V1 + V4, ids=name_of)
def test_signatures_of_other_signers_are_reproduced_and_accepted(vector):
    secret, policy = vector["access_key_secret"], vector["policy_base64"]
    signer = entered(vector)
    if vector in V4:
        day = vector["x_oss_date"][:8]
        assert sign_v4(secret, day, vector["sign_region"], policy) == vector["x_oss_signature"]
        assert signer.bound_fields == ("x-oss-signature-version", "x-oss-credential", "x-oss-date")
    else:
        assert sign_v1(secret, policy) == vector["signature"]
        assert signer.access_key.access_key_id == vector["access_key_id"]


@pytest.mark.parametrize("vector", V1 + V4, ids=name_of)
@pytest.mark.parametrize("what", ["signature", "policy", "secret", "respelled policy"])
def test_one_changed_character_is_refused(vector, what):
    def changed(text):
        return ("B" if text[0] == "A" else "A") + text[1:]

    form, accounts = form_of(vector), accounts_of(vector)
    if what == "secret":
        accounts = accounts_of(vector, access_key_secret=changed(vector["access_key_secret"]))
    elif what == "respelled policy":  # the same JSON in other bytes
        respelled = json.dumps(json.loads(vector["policy_json"]), indent=1)
        form.fields["policy"] = base64.b64encode(respelled.encode()).decode()
    else:
        field = "x-oss-signature" if vector in V4 and what == "signature" else what
        form.fields[field] = changed(form.fields[field])
    assert "SignatureDoesNotMatch" in refusal_of(entered, vector, form, accounts)


def test_a_refusal_does_not_reveal_the_correct_signature():
    with pytest.raises(OssError) as refused:
        entered(V4[0], form_of(V4[0], x_oss_signature="0" * 64))
    said = refused.value.message + json.dumps(refused.value.details)
    assert V4[0]["x_oss_signature"] not in said and V4[0]["access_key_secret"] not in said


@cases("changes", "refusal")
def test_each_wrong_v4_field_has_its_refusal(changes, refusal):
    assert refusal_of(entered, V4[0], form_of(V4[0], **changes)) == refusal


@cases("age", "strict", "accepted")
def test_the_date_window_closes_on_both_sides(age, strict, accepted):
    now = datetime.fromisoformat(V4[0]["date_iso"]) + timedelta(seconds=age)
    refusal = refusal_of(entered, V4[0], now=now, rules=OssRules(strict_date_window=strict))
    assert refusal == ("" if accepted else "400 InvalidArgument 0002-00000709")


@cases("field", "value", "ec", "text")
def test_v1_wants_all_three_fields(field, value, ec, text):
    with pytest.raises(OssError, match=text) as refused:
        entered(PLAIN, form_of(PLAIN, **{field: value}))
    assert (refused.value.refusal.status, refused.value.refusal.ec) == (400, ec)


@cases("token", "refusal")
def test_a_temporary_key_is_nothing_without_its_token(token, refusal):
    accounts = accounts_of(TEMPORARY)
    accounts.add(AccessKey("STS.NTAnother", "secret", "CAISanother/+=="))
    assert refusal_of(entered, TEMPORARY, form_of(TEMPORARY, x_oss_security_token=token), accounts) == refusal


def test_a_token_expires_at_its_second():
    end = NOW + timedelta(hours=1)
    accounts = accounts_of(TEMPORARY, expires_at=end)
    entered(TEMPORARY, accounts=accounts, now=end - timedelta(seconds=1))
    refusal = refusal_of(entered, TEMPORARY, accounts=accounts, now=end)
    assert refusal == "403 SecurityTokenExpired 0002-00000007"


def test_a_v4_form_of_a_temporary_key_must_bind_its_token():
    form = form_of(V4[0], x_oss_security_token="CAIS")
    assert (
        "x-oss-security-token" in entered(V4[0], form, accounts_of(V4[0], security_token="CAIS")).bound_fields
    )


def test_retired_v1_is_refused_and_v4_is_not_and_an_unsigned_form_meets_a_private_bucket():
    retired = OssRules(v1_retired=True)
    assert refusal_of(entered, PLAIN, rules=retired).endswith(" 0002-00000080")
    entered(V4[0], rules=retired)
    assert refusal_of(entered, PLAIN, Form({"key": "a"})) == UNSIGNED
