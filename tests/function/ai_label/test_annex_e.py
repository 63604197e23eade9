"""ai_label.annex_e: a label's JSON is taken as writers write it, and no further."""

import json

import pytest

from function.ai_label.annex_e import is_label, label_of, values_in
from function.ai_label.label import AiLabel
from tests.function.ai_label import files
from tests.function.ai_label.files import VALUES

WRAPPED = json.dumps({"AIGC": VALUES})


@pytest.mark.parametrize(
    "text",
    [
        files.text_of(),
        WRAPPED,
        files.text_of(Label=1),
        files.text_of(Other="", Next=7),
        files.text_of().ljust(4096),
        files.text_of(Other="x" * 256),
    ],
)
def test_a_label_is_read_bare_and_wrapped_and_with_numbers(text):
    assert values_in(text) == VALUES


@pytest.mark.parametrize("label", ["1", "2", "3"])
def test_a_label_alone_is_a_label(label):
    values = values_in(json.dumps({"Label": label}))
    assert label_of(values) == AiLabel(int(label), "metadata")


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        "[]",
        '{"AIGC": "1"}',
        "[" * 4000,
        '{"Label": "1"',
        *(files.text_of(Label=label) for label in ("4", "0", "1 ", True, 1.0)),
        files.text_of(ProduceID="x" * 257),
        files.text_of().ljust(4097),
        json.dumps({**VALUES, "Other": "某" * 250}, ensure_ascii=False).ljust(3700),
        *(files.text_of(ProduceID=value) for value in (None, False, {}, [])),
        files.text_of(Other={"Label": "1"}),
        files.text_of(**{f"N{n}": "x" * 250 for n in range(17)}),
        '{"Label": "1", "Label": "1"}',
        '{"Label": 1, "ProduceID": NaN}',
    ],
)
def test_a_text_that_cannot_be_read_is_refused(text):
    with pytest.raises(ValueError):
        values_in(text)


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        (WRAPPED, True),
        ('{"AIGC": ', True),
        ('{"Label": "1"}', False),
        ('my "AIGC"', False),
    ],
)
def test_a_text_of_any_meaning_is_taken_for_a_label_only_if_it_looks_like_one(text, is_one):
    assert is_label(text) is is_one
