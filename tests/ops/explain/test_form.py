"""Policies and forms that ``explain`` reads: each condition, and what OSS would refuse."""

import json
from datetime import timedelta

import pytest

from tests.ops.explain.pastes import CREDENTIAL, FIELDS, NOW, TOKEN, answer, encoded, policy_for, said
from tests.support.cases import cases_beside

cases = cases_beside(__file__)


def test_says_what_each_condition_of_a_good_form_means_and_when_it_ends():
    text = said(answer())
    assert "2026-11-24 14:05:00 UTC, in 3 min" in text
    assert 'the object key must be exactly "uploads/q3f/2026/11/24/9Jx.jpg"' in text
    assert "the file must have 1 byte to 10 MiB" in text
    assert "What to do" not in text


def test_an_answer_of_many_files_explains_each_form():
    both = json.dumps({"uploads": [json.loads(answer()), json.loads(answer())], "serverTime": "x"})
    assert said(both).count("A signed form, version 4") == 2


def test_says_how_long_ago_a_form_expired():
    text = said(answer(), now=NOW + timedelta(days=1, hours=2))
    assert "expired 1 d 1 h ago" in text
    assert "fresh form" in text


@pytest.mark.parametrize("field", sorted(FIELDS))
def test_marks_a_changed_and_a_missing_field_as_the_condition_that_fails(field):
    changed = said(answer({**FIELDS, field: "other"}))
    missing = said(answer({name: value for name, value in FIELDS.items() if name != field}))
    assert changed.count("\n  ! ") == 1
    assert missing.count("\n  ! ") == 1
    assert "the form does not send it" in missing


@cases("field", "option")
def test_a_field_that_the_client_left_out_is_sent_back_to_the_option_that_decides_it(field, option):
    text = said(answer({name: value for name, value in FIELDS.items() if name != field}))
    assert f"({option} in profiles.toml)" in text


@cases("condition", "value", "holds")
def test_judges_each_mode_of_condition_as_oss_does(condition, value, holds):
    text = said(answer({**FIELDS, "x-a": value}, policy_for(FIELDS, extra=[condition])))
    assert ("\n  ! " not in text) is holds


def test_the_bucket_of_the_address_is_compared_with_the_policys():
    text = said(answer(url="https://other.oss-cn-hangzhou.aliyuncs.com"))
    assert '! the bucket must be exactly "my-bucket"' in text


def test_says_which_fields_oss_does_not_check():
    assert "No condition mentions x-oss-meta-a" in said(answer({**FIELDS, "x-oss-meta-a": "1"}))


def test_says_that_version_4_needs_conditions_on_its_own_fields():
    thin = {"expiration": "2026-11-24T14:05:00Z", "conditions": [{"bucket": "my-bucket"}]}
    text = said(answer(policy=thin))
    for field in ("x-oss-signature-version", "x-oss-credential", "x-oss-date", "x-oss-security-token"):
        assert f"needs a condition on {field};" in text


def test_sees_a_clock_that_runs_ahead_and_days_that_differ():
    ahead = {**FIELDS, "x-oss-date": "20261125T140000Z"}
    text = said(answer(ahead, policy_for(ahead)))
    assert "in the future" in text
    assert "differ; OSS refuses" in text


def test_warns_of_a_form_older_than_the_window_that_is_certain():
    text = said(answer(policy=policy_for(FIELDS, "2026-11-24T15:00:00Z")), now=NOW + timedelta(minutes=20))
    assert "15 minutes in another" in text


def test_explains_a_version_1_form_in_the_shape_of_the_sample_servers():
    policy = {"expiration": "2026-11-24T14:05:00Z", "conditions": [["starts-with", "$key", "test/"]]}
    sample = {
        "accessid": "STS.abc",
        "host": "https://b.oss-cn-hangzhou.aliyuncs.com",
        "policy": encoded(policy),
        "signature": "c2lnbmF0dXJl" * 3,
        "expire": 1,
        "dir": "test/",
        "security_token": TOKEN,
    }
    text = said(json.dumps(sample))
    assert "sample servers, version 1" in text
    assert 'key = "test/" + a name' in text
    assert "\n  ! " not in text
    assert sample["signature"] not in text


def test_explains_a_version_4_form_in_the_shape_of_the_sample_servers():
    signed = {name: FIELDS[name] for name in FIELDS if name.startswith(("x-oss-s", "x-oss-c", "x-oss-d"))}
    del signed["x-oss-content-type"], signed["x-oss-storage-class"]
    sample = {
        "policy": encoded(policy_for(signed)),
        "security_token": TOKEN,
        "x_oss_signature_version": "OSS4-HMAC-SHA256",
        "x_oss_credential": CREDENTIAL,
        "x_oss_date": "20261124T140000Z",
        "signature": "ab" * 32,
        "host": "https://my-bucket.oss-cn-hangzhou.aliyuncs.com",
        "dir": "test/",
    }
    text = said(json.dumps(sample))
    assert "sample servers, version 4" in text
    assert "\n  ! " not in text
    assert "What to do" not in text


@pytest.mark.parametrize("wrap", [json.dumps, encoded, lambda document: json.dumps(encoded(document))])
def test_reads_a_policy_as_json_and_as_base64(wrap):
    assert "A policy" in said(wrap(policy_for(FIELDS)))


@cases("document", "problem")
def test_says_why_oss_would_refuse_a_policy(document, problem):
    assert problem in said(json.dumps(document))


def test_a_form_whose_policy_was_damaged_is_said_to_be_refused():
    form = {**FIELDS, "policy": "eyJl eHBpcm!", "x-oss-signature": "ab" * 32}
    assert "the policy is not JSON" in said(json.dumps({"url": "", "formData": form}))


# --- a bucket of a profile's own ---

SHANGHAI = CREDENTIAL.replace("cn-hangzhou", "cn-shanghai")
THERE = "https://my-contracts.oss-cn-shanghai.aliyuncs.com"


def form_of_another_bucket(url=THERE, credential=SHANGHAI):
    fields = {**FIELDS, "x-oss-credential": credential}
    policy = policy_for(fields)
    policy["conditions"][0] = {"bucket": "my-contracts"}
    return answer(fields, policy, url)


def test_forms_of_two_buckets_in_one_answer_are_each_explained_as_their_own():
    forms = [json.loads(answer()), json.loads(form_of_another_bucket())]
    text = said(json.dumps({"uploads": forms, "serverTime": "x"}))
    assert 'the bucket must be exactly "my-bucket"' in text
    assert 'the bucket must be exactly "my-contracts"' in text
    assert THERE in text and "What to do" not in text


def test_a_form_sent_to_another_bucket_than_its_own_is_marked():
    text = said(form_of_another_bucket("https://my-bucket.oss-cn-shanghai.aliyuncs.com"))
    assert '! the bucket must be exactly "my-contracts" — the form sends my-bucket' in text
    assert "Post it to the url of the same answer" in text


@pytest.mark.parametrize("host", ["oss-cn-shanghai", "oss-cn-shanghai-internal"])
def test_a_form_signed_for_another_region_than_its_address_names_where_to_correct_it(host):
    text = said(form_of_another_bucket(f"https://my-contracts.{host}.aliyuncs.com", CREDENTIAL))
    assert "signed for cn-hangzhou, and its address is in cn-shanghai" in text
    assert "region of the profile" in text


@pytest.mark.parametrize(
    "url", ["https://my-contracts.oss-accelerate.aliyuncs.com", "https://files.example.com", "https://[x"]
)
def test_an_address_that_names_no_region_is_no_other_one(url):
    assert "its address is in" not in said(form_of_another_bucket(url, CREDENTIAL))
