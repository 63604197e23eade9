"""explain on what is held back: forms, answers about where an upload stands, and profiles."""

import json
from datetime import timedelta

import pytest

from function.auth.tokens import RECEIPT, issue_token
from ops.explain.pasted import Unreadable
from tests.ops.explain.pastes import FIELDS, NOW, answer, policy_for, said
from tests.ops.words import chinese_in, english_in
from tests.support.cases import cases_beside, text_beside

cases = cases_beside(__file__)

STATES = ["held", "checking", "review", "published", "rejected", "gone"]
POST = text_beside(__file__)


def receipt_until(days):
    return issue_token({}, audience=RECEIPT, secrets=["s" * 32], now=NOW, life=timedelta(days=days))


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_held_form_shows_its_published_key(language):
    def notes(key):
        fields = {**FIELDS, "key": key}
        lines = said(answer(fields, policy_for(fields)), language).splitlines()
        return [
            line
            for line in lines
            if line.startswith("  - ") and "held/" not in line and f" {FIELDS['key']}" in line
        ]

    assert len(notes(f"held/{FIELDS['key']}")) == 1
    assert notes(FIELDS["key"]) == []


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_each_state_is_a_sentence_of_its_own(state, language):
    texts = {one: said(json.dumps({"key": "posts/a", "state": one, "url": None}), language) for one in STATES}
    first = {one: text.splitlines()[0] for one, text in texts.items()}
    assert len(set(first.values())) == len(STATES)
    strangers = english_in if language == "zh" else chinese_in
    assert not strangers(first[state])


@pytest.mark.parametrize(
    ("state", "until"), [("held", "2026-11-26T14:02:00Z"), ("review", "2026-11-24T13:02:00Z")]
)
def test_a_held_upload_shows_when_it_expires(state, until):
    text = said(json.dumps({"key": "a", "state": state, "url": None, "heldUntil": until}))
    assert f"  gone       {until.replace('T', ' ').replace('Z', ' UTC')}, " in text


def test_a_confirmation_shows_the_expiry_but_not_the_receipt():
    receipt = receipt_until(days=4)
    text = said(json.dumps({"status": "ok", "key": "a", "state": "held", "receipt": receipt}))
    assert "2026-11-27 14:02:00 UTC" in text
    assert receipt not in text


@pytest.mark.parametrize("state", ["published", "rejected", "gone", "stored"])
def test_a_decided_upload_shows_no_end(state):
    text = said(json.dumps({"key": "a", "state": state, "receipt": receipt_until(days=4)}))
    assert "UTC" not in text


@cases("broken")
def test_an_upload_without_times_is_explained_without_them(broken):
    assert "UTC" not in said(json.dumps({"key": "a", "state": "held", **broken}))


def test_several_are_explained_one_by_one_errors_among_them():
    results = [
        {"key": "a", "state": "published", "url": "https://b.example/a"},
        {"error": {"code": "already_exists", "message": "m"}},
    ]
    text = said(json.dumps({"results": results}))
    assert "https://b.example/a" in text
    assert "already_exists" in text


def lines_of(profile, language="en"):
    return {line[2:15].strip(): line[15:] for line in said(profile, language).splitlines()[1:]}


def test_a_profile_with_hold_is_explained_with_its_steps():
    lines = lines_of(POST)
    assert lines["admits"] == "image/*, 1 byte to 10 MiB"
    assert lines["stored as"].startswith("held/posts/{owner}/{id}{ext}, private")
    assert all(name in lines["published"] for name in ("POST /commit", "scene 2", "acl public-read"))
    assert lines["gone"].startswith("3 d after")
    assert lines["form keys"] == "PutObject, PutObjectAcl (held/posts/*)"
    assert lines["own calls"] == (
        "DeleteObject (held/.due/*, held/.review/*); DeleteObject, GetObject (held/posts/*);"
        " DeleteObject, GetObject, PutObject, PutObjectAcl (posts/*);"
        " GetObject, PutObject, PutObjectAcl (held/.*); ListObjects (held/.due/*, held/.review/*)"
    )
    plain = lines_of(POST[: POST.index("hold =")])
    assert "acl public-read" in plain["published"] and "/commit" not in plain["published"]
    assert plain["form keys"] == "PutObject, PutObjectAcl (posts/*)"
    assert plain["own calls"] == "GetObject (posts/*); ListObjects (held/.due/*)"
    assert "gone" not in plain


@cases("steps", "expected")
def test_the_explanation_names_the_awaited_decision(steps, expected):
    profile = f"{POST[: POST.index('hold =')]}{steps}\n"
    assert lines_of(profile)["published"].startswith(expected)


CONTRACT = """
[contract]
key = "contracts/{owner}/{id}{ext}"
max_size = "10MiB"
content_types = ["application/pdf"]
"""


def test_a_profile_without_its_own_bucket_has_no_bucket_line():
    assert "in bucket" not in lines_of(CONTRACT)


@cases("options", "expected")
def test_a_profile_shows_its_own_bucket_options(options, expected):
    assert lines_of(CONTRACT + options)["in bucket"] == expected
    chinese = said(CONTRACT + options, "zh")
    [line] = [line for line in chinese.splitlines() if "所在的桶" in line]
    assert not english_in(line)


def test_the_explanation_is_written_in_chinese():
    assert not [
        line for line in said(POST, "zh").splitlines()[1:] if "Object" not in line and english_in(line)
    ]


def test_an_invalid_profile_is_explained_beside_valid_ones():
    text = said(
        POST + '[clip]\nkey = "clips/{id}"\nmax_size = 1\ncontent_types = ["video/mp4"]\nhold = ["check"]\n'
    )
    assert "[post]" in text
    assert "[clip]: hold" in text


@pytest.mark.parametrize("other", ['["a", "b"]', "[1]", "[x]\ny = 1", "# no\n[key]"])
def test_other_texts_in_brackets_are_no_profiles(other):
    with pytest.raises(Unreadable):
        said(other)
