"""Policies and forms that ``explain`` reads: each condition, and what OSS would refuse."""

import json
from datetime import timedelta

import pytest

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


OPTIONS = {
    "x-oss-forbid-overwrite": "(overwrite in profiles.toml)",
    "Content-Disposition": "(content_disposition in profiles.toml)",
    "x-oss-storage-class": "(storage_class in profiles.toml)",
}


@pytest.mark.parametrize("field", sorted(FIELDS))
def test_marks_a_changed_and_a_missing_field_as_the_condition_that_fails(field):
    for fields in ({**FIELDS, field: "other"}, {name: FIELDS[name] for name in FIELDS if name != field}):
        text = said(answer(fields))
        assert text.count("\n  ! ") == 1 and OPTIONS.get(field, "") in text


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


def test_reads_a_policy_with_half_a_surrogate_pair():
    assert "= a\ufffd" in said(json.dumps(policy_for({"key": "a\ud83d"})))


def test_a_form_with_half_a_policy_is_not_called_empty():
    fields = {"formData": {**FIELDS, "policy": encoded(policy_for(FIELDS))[:-3]}}
    text = said(json.dumps({"url": "https://my-bucket.oss-cn-hangzhou.aliyuncs.com", **fields}))
    assert "base64" in text and "empty" not in text


@cases("document", "problem")
def test_a_policy_oss_would_refuse_is_explained(document, problem):
    assert problem in said(json.dumps(document))


def test_a_form_sent_to_another_bucket_than_its_own_is_marked():
    assert said(answer(url="https://other.oss-cn-hangzhou.aliyuncs.com")).count("\n  ! ") == 1
