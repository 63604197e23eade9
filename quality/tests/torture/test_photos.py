"""torture.photos: finds a picture that is published with metadata or turned."""

import pytest

from function.holding import clean_copy, picture_metadata
from function.moderation import pictures
from quality.torture import photos


def test_no_photo_is_published_with_metadata_or_turned():
    result = photos.run(30, seed=1)
    assert result.problems == []
    assert set(result.totals.values()) == {0}


@pytest.mark.parametrize(
    ("name", "broken", "total"),
    [
        ("metadata_in", lambda *_: ("", []), "published with metadata"),
        ("why_not_cleaned", lambda *_: "", "published turned"),
    ],
)
def test_a_broken_look_is_detected(name, broken, total, monkeypatch):
    monkeypatch.setattr(picture_metadata, name, broken)
    result = photos.run(60, seed=1)
    assert result.problems
    assert result.totals[total]


def test_a_picture_that_is_not_turned_is_detected(monkeypatch):
    jpeg = ("image/jpeg", "image/format,jpg/quality,q_90")
    monkeypatch.setitem(clean_copy.PROCESSES, pictures.JPEG, jpeg)
    assert photos.run(30, seed=1).totals["published turned"]
