"""The policy grammar, row by row, and what each kind of condition lets through."""

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest

from local.oss.errors import OssError
from local.oss.policy import parse_policy
from tests.local.oss.conftest import refusal_of, vectors
from tests.support.cases import cases_beside

cases = cases_beside(__file__)

VECTORS = vectors("post_policy")
EXPIRATION = "2030-01-01T00:00:00.000Z"


def encoded(text):
    return base64.b64encode(text.encode()).decode()


def policy(*conditions, expiration=EXPIRATION, **options):
    text = json.dumps({"expiration": expiration, "conditions": conditions})
    return parse_policy(encoded(text), **options)


def check(condition, fields, **options):
    policy(condition).check_conditions(fields.get, **{"absent_meets_not_in": False, **options})


@pytest.mark.parametrize(
    "vector", VECTORS["v1"] + VECTORS["v4"] + VECTORS["published"], ids=lambda vector: vector["name"]
)
def test_policies_of_other_signers_are_well_formed(vector):
    policy = parse_policy(vector["policy_base64"])
    assert policy.expires_at.utcoffset() == timedelta(0)
    assert policy.conditions or policy.sizes


@cases("text", "cause")
def test_each_broken_document_has_its_cause(text, cause):
    assert refusal_of(parse_policy, encoded(text)) == f"400 InvalidPolicyDocument 0006-000002{cause}"


GOOD = encoded(f'{{"expiration":"{EXPIRATION}","conditions":[{{"a":"b"}}]}}')


@pytest.mark.parametrize(
    "text",
    [
        *("%%%", GOOD[:-1], GOOD + "\n", GOOD[:8] + " " + GOOD[8:], "//79"),
        *(
            encoded(f'{{"expiration":"{EXPIRATION}","conditions":[{condition}]}}')
            for condition in ("{}", '{"key":"a","acl":"b"}', '{"key":"a","key":"b"}')
        ),
    ],
)
def test_a_policy_is_base64_of_utf8_and_its_simple_conditions_have_one_property(text):
    parse_policy(GOOD)
    assert "InvalidPolicyDocument" in refusal_of(parse_policy, text)


@cases("conditions", "cause")
def test_each_broken_condition_has_its_cause(conditions, cause):
    text = json.dumps({"expiration": EXPIRATION, "conditions": conditions})
    assert refusal_of(parse_policy, encoded(text)) == f"400 InvalidPolicyDocument 0006-000002{cause}"


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2030-01-01T00:00:00.000Z", datetime(2030, 1, 1, tzinfo=UTC)),
        ("2030-01-01T00:00:23Z", datetime(2030, 1, 1, 0, 0, 23, tzinfo=UTC)),
        ("2028-02-29T23:59:59.999Z", datetime(2028, 2, 29, 23, 59, 59, 999000, tzinfo=UTC)),
        *((text, None) for text in ("2030-01-01", "2030-01-01T00:00:00", "2030-01-01T00:00:00+08:00")),
        *((text, None) for text in ("2030-02-30T00:00:00Z", "soon")),
    ],
)
def test_an_expiration_is_a_gmt_instant_with_or_without_milliseconds(text, instant):
    if instant:
        assert policy({"a": "b"}, expiration=text).expires_at == instant
    else:
        assert "InvalidPolicyDocument" in refusal_of(policy, {"a": "b"}, expiration=text)


def test_a_policy_ends_at_its_second():
    found = policy({"a": "b"})
    found.check_expiry(found.expires_at - timedelta(seconds=1))
    assert refusal_of(found.check_expiry, found.expires_at) == "403 AccessDenied 0006-00000213"


@cases("condition", "good", "bad", "printed")
def test_each_condition_lets_the_good_through_and_the_bad_not(condition, good, bad, printed):
    check(condition, {"key": good})
    with pytest.raises(OssError) as refused:
        check(condition, {"key": bad})
    assert refused.value.refusal.ec == "0006-00000227"
    assert refused.value.message == f"Invalid according to Policy: Policy Condition failed: {printed}"
    assert refusal_of(check, condition, {}).endswith("0006-00000226")


def test_an_absent_field_can_be_read_as_meeting_not_in_alone_and_the_dollar_be_demanded():
    check(["not-in", "$cache-control", ["no-cache"]], {}, absent_meets_not_in=True)
    assert refusal_of(check, ["starts-with", "$cache-control", ""], {}, absent_meets_not_in=True)
    assert refusal_of(policy, ["eq", "key", "a"], dollar_optional=False).endswith("0006-00000224")


def test_the_escaped_dollar_of_the_documentation_is_a_dollar():
    text = rf'{{"expiration":"{EXPIRATION}","conditions":[["eq","$key","a\/\${{filename}}\\$"]]}}'
    (condition,) = parse_policy(encoded(text)).conditions
    assert condition.operand == "a/${filename}\\$"


def test_sizes_are_inclusive_and_several_ranges_must_all_hold():
    found = policy(["content-length-range", 1, 10], ["content-length-range", 5, 20])
    for size in (5, 10):
        found.check_smallest(size)
        found.check_largest(size)
    assert "EntityTooSmall" in refusal_of(found.check_smallest, 4)
    assert "EntityTooLarge" in refusal_of(found.check_largest, 11)
