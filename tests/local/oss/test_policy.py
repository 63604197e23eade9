"""The policy grammar, row by row, and what each kind of condition lets through."""

import base64
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from local.oss.errors import OssError
from local.oss.policy import parse_policy
from tests.support.cases import cases_beside

cases = cases_beside(__file__)

VECTORS = json.loads(Path(__file__).parents[2].joinpath("vectors/post_policy.json").read_text("utf-8"))
EXPIRATION = "2030-01-01T00:00:00.000Z"


def _encoded(text):
    return base64.b64encode(text.encode()).decode()


def _policy(*conditions, expiration=EXPIRATION):
    return parse_policy(_encoded(json.dumps({"expiration": expiration, "conditions": conditions})))


def _check(condition, fields, **options):
    _policy(condition).check_conditions(fields.get, **{"absent_meets_not_in": False, **options})


@pytest.mark.parametrize(
    "vector", VECTORS["v1"] + VECTORS["v4"] + VECTORS["published"], ids=lambda vector: vector["name"]
)
def test_policies_of_other_signers_are_well_formed(vector):
    policy = parse_policy(vector["policy_base64"])
    assert policy.expires_at.utcoffset() == timedelta(0)
    assert policy.conditions or policy.sizes


@cases("text", "cause", "message")
def test_each_broken_document_has_its_cause(text, cause, message):
    _is_broken(text, cause, message)


def test_a_number_of_5000_digits_is_no_json():
    _is_broken('{"expiration":' + "9" * 5000 + ',"conditions":[]}', "01", None)


def _is_broken(text, cause, message):
    with pytest.raises(OssError) as refused:
        parse_policy(_encoded(text))
    assert refused.value.refusal.code == "InvalidPolicyDocument"
    assert refused.value.refusal.ec == f"0006-000002{cause}"
    assert refused.value.message.startswith("Invalid Policy: ")
    assert message in (None, refused.value.message)


GOOD = _encoded(f'{{"expiration":"{EXPIRATION}","conditions":[{{"a":"b"}}]}}')


@pytest.mark.parametrize(
    "encoded",
    [
        *("%%%", GOOD[:-1], GOOD + "\n", GOOD[:8] + " " + GOOD[8:], "//79"),
        *(
            _encoded(f'{{"expiration":"{EXPIRATION}","conditions":[{condition}]}}')
            for condition in ("{}", '{"key":"a","acl":"b"}', '{"key":"a","key":"b"}')
        ),
    ],
)
def test_a_policy_is_base64_of_utf8_and_its_simple_conditions_have_one_property(encoded):
    parse_policy(GOOD)
    with pytest.raises(OssError) as refused:
        parse_policy(encoded)
    assert refused.value.refusal.code == "InvalidPolicyDocument"


@cases("conditions", "cause")
def test_each_broken_condition_has_its_cause(conditions, cause):
    with pytest.raises(OssError) as refused:
        parse_policy(_encoded(json.dumps({"expiration": EXPIRATION, "conditions": conditions})))
    assert refused.value.refusal.code == "InvalidPolicyDocument"
    assert refused.value.refusal.ec == f"0006-000002{cause}"


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2030-01-01T00:00:00.000Z", datetime(2030, 1, 1, tzinfo=UTC)),
        ("2030-01-01T00:00:23Z", datetime(2030, 1, 1, 0, 0, 23, tzinfo=UTC)),
        ("2028-02-29T23:59:59.999Z", datetime(2028, 2, 29, 23, 59, 59, 999000, tzinfo=UTC)),
    ],
)
def test_expiration_is_read_with_and_without_milliseconds(text, instant):
    assert _policy({"a": "b"}, expiration=text).expires_at == instant


@pytest.mark.parametrize(
    "text", ["2030-01-01", "2030-01-01T00:00:00", "2030-01-01T00:00:00+08:00", "2030-02-30T00:00:00Z", "soon"]
)
def test_an_expiration_that_is_no_gmt_instant_is_refused(text):
    with pytest.raises(OssError) as refused:
        _policy({"a": "b"}, expiration=text)
    assert refused.value.refusal.code == "InvalidPolicyDocument"


def test_a_policy_ends_at_its_second():
    policy = _policy({"a": "b"})
    policy.check_expiry(policy.expires_at - timedelta(seconds=1))
    with pytest.raises(OssError) as refused:
        policy.check_expiry(policy.expires_at)
    assert refused.value.message == "Invalid according to Policy: Policy expired."


@cases("condition", "good", "bad", "printed")
def test_each_condition_lets_the_good_through_and_the_bad_not(condition, good, bad, printed):
    _check(condition, {"key": good})
    with pytest.raises(OssError) as refused:
        _check(condition, {"key": bad})
    assert refused.value.refusal.ec == "0006-00000227"
    assert refused.value.message == f"Invalid according to Policy: Policy Condition failed: {printed}"
    with pytest.raises(OssError) as refused:
        _check(condition, {})
    assert refused.value.refusal.ec == "0006-00000226"


def test_an_absent_field_can_be_read_as_meeting_not_in_but_nothing_else():
    _check(["not-in", "$cache-control", ["no-cache"]], {}, absent_meets_not_in=True)
    with pytest.raises(OssError):
        _check(["starts-with", "$cache-control", ""], {}, absent_meets_not_in=True)


def test_the_dollar_can_be_demanded():
    encoded = _encoded(json.dumps({"expiration": EXPIRATION, "conditions": [["eq", "key", "a"]]}))
    with pytest.raises(OssError) as refused:
        parse_policy(encoded, dollar_optional=False)
    assert refused.value.refusal.ec == "0006-00000224"


def test_the_escaped_dollar_of_the_documentation_is_a_dollar():
    text = rf'{{"expiration":"{EXPIRATION}","conditions":[["eq","$key","a\/\${{filename}}\\$"]]}}'
    (condition,) = parse_policy(_encoded(text)).conditions
    assert condition.operand == "a/${filename}\\$"


def test_sizes_are_inclusive_and_several_ranges_must_all_hold():
    policy = _policy(["content-length-range", 1, 10], ["content-length-range", 5, 20])
    for size in (5, 10):
        policy.check_smallest(size)
        policy.check_largest(size)
    with pytest.raises(OssError) as refused:
        policy.check_smallest(4)
    assert refused.value.refusal.code == "EntityTooSmall"
    with pytest.raises(OssError) as refused:
        policy.check_largest(11)
    assert refused.value.refusal.code == "EntityTooLarge"


def test_a_required_field_without_a_condition_is_refused():
    policy = _policy({"x-oss-date": "20291231T000000Z"})
    policy.require(["x-oss-date"])
    with pytest.raises(OssError) as refused:
        policy.require(["x-oss-date", "x-oss-security-token"])
    assert refused.value.message.endswith('Policy Condition failed: ["eq", "$x-oss-security-token", ""]')
