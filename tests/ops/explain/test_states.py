"""states: explain on forms and responses of held uploads."""

import json

import pytest

from tests.ops.explain.pastes import FIELDS, answer, policy_for, said
from tests.ops.words import chinese_in, english_in

STATES = ["held", "checking", "review", "published", "rejected", "gone"]


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


def test_several_are_explained_one_by_one_errors_among_them():
    results = [
        {"key": "a", "state": "published", "url": "https://b.example/a"},
        {"error": {"code": "already_exists", "message": "m"}},
    ]
    text = said(json.dumps({"results": results}))
    assert "https://b.example/a" in text
    assert "already_exists" in text
