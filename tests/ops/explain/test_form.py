"""Policies and forms that ``explain`` reads: each condition, and what OSS would refuse."""

import json
from datetime import timedelta

import pytest

from ops.explain.policy import policy_rows
from tests.ops.explain.pastes import CREDENTIAL, FIELDS, NOW, TOKEN, answer, encoded, policy_for, said
from tests.support.cases import cases_beside

cases = cases_beside(__file__)


def test_a_good_form_is_explained_without_advice_until_it_has_expired():
    text = said(answer())
    for value in ("2026-11-24 14:05:00 UTC", "= uploads/q3f/2026/11/24/9Jx.jpg", "1 to 10,485,760 bytes"):
        assert value in text
    assert "What to do" not in text
    assert "What to do" in said(answer(), now=NOW + timedelta(days=1, hours=2))


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_held_form_names_its_published_key(language):
    fields = {**FIELDS, "key": f"held/{FIELDS['key']}"}
    notes = said(answer(fields, policy_for(fields)), language).splitlines()
    found = [one for one in notes if one.startswith("  - ") and f" {FIELDS['key']}" in one]
    assert len(found) == 1


@pytest.mark.parametrize("field", sorted(FIELDS))
def test_marks_a_changed_and_a_missing_field_as_the_condition_that_fails(field):
    for fields in ({**FIELDS, field: "other"}, {name: FIELDS[name] for name in FIELDS if name != field}):
        assert said(answer(fields)).count("\n  ! ") == 1


@cases("field", "option")
def test_a_field_that_the_client_left_out_is_sent_back_to_the_option_that_decides_it(field, option):
    text = said(answer({name: value for name, value in FIELDS.items() if name != field}))
    assert f"({option} in profiles.toml)" in text


@cases("condition", "value", "holds")
def test_judges_each_mode_of_condition_as_oss_does(condition, value, holds):
    text = said(answer({**FIELDS, "x-a": value}, policy_for(FIELDS, extra=[condition])))
    assert ("\n  ! " not in text) is holds


def test_names_the_fields_that_no_condition_mentions():
    assert "x-oss-meta-a" in said(answer({**FIELDS, "x-oss-meta-a": "1"}))
    thin = {"expiration": "2026-11-24T14:05:00Z", "conditions": [{"bucket": "my-bucket"}]}
    advice = said(answer(policy=thin)).partition("What to do")[2]
    for field in ("x-oss-signature-version", "x-oss-credential", "x-oss-date", "x-oss-security-token"):
        assert field in advice


def test_sees_a_clock_that_runs_ahead():
    ahead = {**FIELDS, "x-oss-date": "20261125T140000Z"}
    assert "x-oss-date" in said(answer(ahead, policy_for(ahead))).partition("What to do")[2]


SAMPLE_POLICY = {"expiration": "2026-11-24T14:05:00Z", "conditions": [["starts-with", "$key", "test/"]]}
SIGNED = ("x-oss-signature-version", "x-oss-credential", "x-oss-date", "x-oss-security-token")
VERSION_1 = {
    "accessid": "STS.abc",
    "host": "https://b.oss-cn-hangzhou.aliyuncs.com",
    "policy": encoded(SAMPLE_POLICY),
    "signature": "c2lnbmF0dXJl" * 3,
    "expire": 1,
    "dir": "test/",
    "security_token": TOKEN,
}
VERSION_4 = {
    "policy": encoded(policy_for({name: FIELDS[name] for name in SIGNED})),
    "security_token": TOKEN,
    "x_oss_signature_version": "OSS4-HMAC-SHA256",
    "x_oss_credential": CREDENTIAL,
    "x_oss_date": "20261124T140000Z",
    "signature": "ab" * 32,
    "host": "https://my-bucket.oss-cn-hangzhou.aliyuncs.com",
    "dir": "test/",
}


@pytest.mark.parametrize(("sample", "version"), [(VERSION_1, "version 1"), (VERSION_4, "version 4")])
def test_explains_a_form_in_the_shape_of_the_sample_servers(sample, version):
    text = said(json.dumps(sample))
    assert version in text and '"test/"' in text
    assert "\n  ! " not in text
    assert sample["signature"] not in text


@pytest.mark.parametrize("wrap", [json.dumps, encoded, lambda document: json.dumps(encoded(document))])
def test_reads_a_policy_as_json_and_as_base64(wrap):
    assert "A policy" in said(wrap(policy_for(FIELDS)))


@cases("document", "problem")
def test_a_policy_oss_would_refuse_is_explained(document, problem):
    assert problem in said(json.dumps(document))


def test_a_damaged_policy_has_advice():
    form = {**FIELDS, "policy": "eyJl eHBpcm!", "x-oss-signature": "ab" * 32}
    assert "JSON" in said(json.dumps({"url": "", "formData": form}))


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
    assert "= my-bucket" in text and "= my-contracts" in text and THERE in text
    assert "What to do" not in text


@pytest.mark.parametrize(
    "form",
    [
        answer(url="https://other.oss-cn-hangzhou.aliyuncs.com"),
        form_of_another_bucket(THERE.replace("my-contracts", "my-bucket")),
    ],
)
def test_a_form_sent_to_another_bucket_than_its_own_is_marked(form):
    assert said(form).count("\n  ! ") == 1


def test_each_condition_is_a_row_with_a_reason():
    policy = {
        "expiration": "2030-01-01T00:00:00.000Z",
        "conditions": [
            {"bucket": "b"},
            ["content-length-range", 7, 7],
            ["starts-with", "$key", "test/"],
            ["in", "$x-oss-content-type", ["image/png", "image/jpeg"]],
            {"x-oss-meta-a": "1"},
            {"x-oss-security-token": "T" * 900},
            {"other": "x"},
        ],
    }
    expiration, rows = policy_rows(json.dumps(policy))
    assert expiration == "2030-01-01T00:00:00Z"
    assert [(field, value) for field, value, _ in rows] == [
        ("bucket", "= b"),
        ("size", "= 7 bytes"),
        ("key", "starts with test/"),
        ("x-oss-content-type", 'in ["image/png", "image/jpeg"]'),
        ("x-oss-meta-a", "= 1"),
        ("x-oss-security-token", rows[5][1]),
        ("other", "= x"),
    ]
    assert all(reason for _, _, reason in rows)
    assert "T" * 20 not in rows[5][1]


@pytest.mark.parametrize("policy", ["", "[]", "{}", "not json"])
def test_an_invalid_policy_has_one_row(policy):
    assert policy_rows(policy) == ("?", [("(none)", "", "")])
