"""multipart.part_urls: how a file is cut, to the byte, and what of it is missing."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from function.multipart.part_urls import missing_parts
from function.oss.multipart import StoredPart
from function.uploads.tickets import MultipartTicket
from tests.support.cases import cases_beside

cases = cases_beside(__file__)

NOW = datetime(2026, 11, 24, tzinfo=UTC)


def upload_of(size, part_size=10):
    cut = ("id", "oss-id", "videos/a.mp4", size, part_size, "video/mp4")
    return MultipartTicket(*cut, "video", "me", "owner", None, None, NOW, NOW)


def lengths(upload):
    return [upload.bytes_of(number) for number in range(1, upload.part_count + 1)]


@pytest.mark.parametrize(
    ("size", "expected"), [(1, [1]), (9, [9]), (10, [10]), (11, [10, 1]), (20, [10, 10]), (29, [10, 10, 9])]
)
def test_every_part_is_as_long_as_the_others_but_the_last_one(size, expected):
    assert lengths(upload_of(size)) == expected


@given(st.integers(1, 48 * 1024**3), st.integers(102_400, 100 * 1024**2))
def test_the_parts_make_the_file_whatever_its_size(size, part_size):
    upload = upload_of(size, part_size)
    assert (upload.part_count - 1) * part_size + upload.bytes_of(upload.part_count) == size
    assert 1 <= upload.bytes_of(upload.part_count) <= part_size


@cases("stored", "missing")
def test_a_part_is_missing_until_it_is_there_in_full(stored, missing):
    parts = [StoredPart(number, size, "ETAG") for number, size in stored]
    assert missing_parts(upload_of(25), parts) == list(missing)
