"""Conditions and ranges of a reader."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from local.oss.conditions import check_conditions, read_range
from local.oss.errors import OssError
from local.oss.versions import StoredObject
from tests.support.cases import cases_beside

cases = cases_beside(__file__)

STORED = StoredObject(
    "a", 1000, "ABC", "text/plain", datetime(2026, 11, 24, 14, 0, 0, 500_000, tzinfo=UTC), Path("a")
)
BEFORE = "Tue, 24 Nov 2026 13:59:59 GMT"


def status_of(headers, prefix=""):
    try:
        check_conditions(headers, STORED, prefix)
    except OssError as error:
        return error.refusal.status
    return 200


@cases("headers", "status")
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


@cases("asked", "plain", "standard")
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
