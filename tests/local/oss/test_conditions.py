"""Conditions and ranges of a reader."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from local.oss.conditions import check_conditions, read_range
from local.oss.errors import OssError
from local.oss.objects import StoredObject

STORED = StoredObject(
    "a", 1000, "ABC", "text/plain", datetime(2026, 11, 24, 14, 0, 0, 500_000, tzinfo=UTC), Path("a")
)
BEFORE, SAME, AFTER = (f"Tue, 24 Nov 2026 {time} GMT" for time in ("13:59:59", "14:00:00", "14:00:01"))


def status_of(headers, prefix=""):
    try:
        check_conditions(headers, STORED, prefix)
    except OssError as error:
        return error.refusal.status
    return 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"if-match": '"ABC"'}, 200),
        ({"if-match": "ABC"}, 200),
        ({"if-match": "*"}, 200),
        ({"if-match": '"abc"'}, 412),
        ({"if-match": '"X", "ABC"'}, 200),
        ({"if-match": ""}, 412),
        ({"if-none-match": '"ABC"'}, 304),
        ({"if-none-match": 'W/"ABC"'}, 304),
        ({"if-none-match": '"X"'}, 200),
        ({"if-modified-since": BEFORE}, 200),
        ({"if-modified-since": SAME}, 304),
        ({"if-modified-since": AFTER}, 304),
        ({"if-modified-since": "yesterday"}, 200),
        ({"if-unmodified-since": BEFORE}, 412),
        ({"if-unmodified-since": SAME}, 200),
        ({"if-unmodified-since": "yesterday"}, 200),
        # A date of another zone is that instant, one without a zone is UTC.
        ({"if-modified-since": "Tue, 24 Nov 2026 22:00:00 +0800"}, 304),
        ({"if-modified-since": "Tue, 24 Nov 2026 21:59:59 +0800"}, 200),
        ({"if-modified-since": "Tue, 24 Nov 2026 14:00:00 -0000"}, 304),
        # What names the object's bytes counts more than a date of whole seconds.
        ({"if-none-match": '"X"', "if-modified-since": AFTER}, 200),
        ({"if-match": '"X"', "if-none-match": '"ABC"'}, 412),
    ],
)
def test_each_condition_has_its_answer(headers, status):
    assert status_of(headers) == status


@pytest.mark.parametrize(
    ("headers", "condition"),
    [({"if-match": "X"}, "If-Match"), ({"if-unmodified-since": BEFORE}, "If-Unmodified-Since")],
)
def test_a_failed_condition_is_named(headers, condition):
    with pytest.raises(OssError) as refused:
        check_conditions(headers, STORED)
    assert refused.value.details == {"Condition": condition}


def test_conditions_on_a_source_go_by_names_of_their_own():
    prefix = "x-oss-copy-source-"
    assert status_of({f"{prefix}if-match": '"X"'}, prefix) == 412
    assert status_of({"if-match": '"X"'}, prefix) == 200


@pytest.mark.parametrize(
    ("asked", "plain", "standard"),
    [
        ("bytes=0-99", (0, 100), (0, 100)),
        ("bytes=999-999", (999, 1), (999, 1)),
        ("bytes=500-", (500, 500), (500, 500)),
        ("bytes=-100", (900, 100), (900, 100)),
        ("bytes=-2000", (0, 1000), (0, 1000)),
        ("bytes=500-2000", None, (500, 500)),
        ("bytes=1000-2000", None, 416),
        ("bytes=1000-", None, 416),
        ("bytes=-0", None, 416),
        ("bytes=5-4", None, None),
        ("bytes=0-9,20-29", None, None),
        ("bytes=-", None, None),
        ("items=0-9", None, None),
        ("", None, None),
    ],
)
def test_a_range_that_is_not_there_is_everything_or_standard(asked, plain, standard):
    assert read_range({"range": asked}, 1000) == plain
    headers = {"range": asked, "x-oss-range-behavior": "standard"}
    if standard == 416:
        with pytest.raises(OssError) as refused:
            read_range(headers, 1000)
        assert refused.value.refusal.status == 416
    else:
        assert read_range(headers, 1000) == standard


def test_an_empty_object_has_no_range():
    assert read_range({"range": "bytes=0-0"}, 0) is None
    assert read_range({"range": "bytes=-5"}, 0) is None
