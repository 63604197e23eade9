"""ai_label.label: a receipt says little of a label, a response more, and a record all."""

import json

import pytest

from function.ai_label.label import (
    CONFLICT,
    DECLARED,
    METADATA,
    NOTHING,
    UNREADABLE,
    AiLabel,
    declared,
    fields,
    from_fields,
    short,
    told,
)

FULL = AiLabel(
    1,
    METADATA,
    "",
    "001191330100MA0000000X10001",
    "img-42",
    "r1",
    "p",
    "p-42",
    "r2",
    "compositeSynthetic",
    True,
)


@pytest.mark.parametrize(
    ("label", "said"),
    [
        (NOTHING, None),
        (FULL, {"label": 1, "source": "metadata"}),
        (AiLabel(2, DECLARED), {"label": 2, "source": "declared"}),
        (AiLabel(None, METADATA, c2pa=True), {"label": None, "source": "metadata"}),
        (AiLabel(problem=CONFLICT), {"label": None, "problem": "conflict"}),
        (AiLabel(problem=UNREADABLE, c2pa=True), {"label": None, "problem": "unreadable"}),
    ],
)
def test_a_receipt_says_a_label_its_source_or_its_problem(label, said):
    assert short(label) == said


def test_a_response_adds_the_texts_that_there_are():
    assert told(FULL) == {
        "label": 1,
        "source": "metadata",
        "producer": "001191330100MA0000000X10001",
        "produceId": "img-42",
        "propagator": "p",
        "propagateId": "p-42",
        "digitalSourceType": "compositeSynthetic",
        "c2pa": True,
    }
    assert told(AiLabel(3, "reviewed")) == {"label": 3, "source": "reviewed", "c2pa": False}
    assert told(NOTHING) is None


@pytest.mark.parametrize(
    "label", [NOTHING, FULL, AiLabel(2, DECLARED), declared(), FULL._replace(is_whole=False)]
)
def test_a_record_gives_back_what_was_written(label):
    assert from_fields(json.loads(json.dumps(fields(label)))) == label


def test_a_record_has_what_differs_from_nothing():
    assert (fields(NOTHING), from_fields({})) == ({}, NOTHING)
    assert fields(AiLabel(1, METADATA)) == {"label": 1, "source": "metadata"}
    every = FULL._replace(problem=CONFLICT, is_whole=False)
    assert list(fields(every)) == list(AiLabel._fields)
    assert from_fields(fields(every)) == every
    assert (AiLabel(1).reserved1, AiLabel(1).reserved2, AiLabel(1).is_whole) == ("", "", True)


@pytest.mark.parametrize(
    "found",
    [
        None,
        [],
        {"other": 1},
        {"label": 4},
        {"label": True},
        {"label": "1"},
        {"label": 1.0},
        {"source": "detected"},
        {"problem": "other"},
        {"producer": 5},
        {"producer": "a b"},
        {"digital_source_type": "a b"},
        {"producer": "a\\b"},
        {"producer": "x" * 65},
        {"producer": "标识"},
        {"c2pa": 1},
        {"is_whole": None},
    ],
)
def test_a_record_of_another_shape_is_refused(found):
    with pytest.raises(ValueError):
        from_fields(found)
