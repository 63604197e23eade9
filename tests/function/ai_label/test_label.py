"""ai_label.label: a receipt says little of a label, a response more, and a record all."""

import pytest

from function.ai_label.label import (
    CONFLICT,
    DECLARED,
    METADATA,
    NOTHING,
    REVIEWED,
    AiLabel,
    declared,
    fields,
    from_fields,
    from_short,
    reviewed,
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
MARKED = AiLabel(None, METADATA, c2pa=True)


@pytest.mark.parametrize("said", [{}, {"label": 1, "source": "metadata", "producer": "p"}, {"label": 4}])
def test_a_label_that_no_receipt_says_is_refused(said):
    with pytest.raises(ValueError):
        from_short(said)


@pytest.mark.parametrize(
    ("label", "by_uploader", "by_reviewer"),
    [
        (None, AiLabel(2, DECLARED, c2pa=None), AiLabel(3, REVIEWED, c2pa=None)),
        (MARKED, MARKED._replace(label=2, source=DECLARED), MARKED._replace(label=3, source=REVIEWED)),
        (FULL, FULL, FULL),
    ],
)
def test_a_label_that_is_there_stays_and_an_uploader_s_word_goes_before_a_reviewer_s(
    label, by_uploader, by_reviewer
):
    assert (declared(label), reviewed(label)) == (by_uploader, by_reviewer)


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
    assert told(declared()) == {"label": 2, "source": "declared"}
    assert told(NOTHING) is None


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
        *({"label": value} for value in (4, True, "1", 1.0)),
        *({"producer": value} for value in (5, "a b", "a\\b", "x" * 65, "标识")),
        *({"other": 1}, {"source": "detected"}, {"problem": "other"}, {"digital_source_type": "a b"}),
        *({"c2pa": 1}, {"is_whole": None}),
    ],
)
def test_a_record_of_another_shape_is_refused(found):
    with pytest.raises(ValueError):
        from_fields(found)
