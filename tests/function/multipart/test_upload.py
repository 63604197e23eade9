"""parts.upload: how a file is cut, to the byte, and what of it is missing."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from function.multipart.upload import missing_parts
from function.oss.multipart import StoredPart
from function.uploads.tickets import MultipartTicket

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


def part(number, size):
    return StoredPart(number, size, "ETAG")


@pytest.mark.parametrize(
    ("stored", "missing"),
    [
        ([], [1, 2, 3]),
        ([part(2, 10)], [1, 3]),
        ([part(1, 10), part(2, 10), part(3, 5)], []),
        ([part(1, 10), part(2, 9), part(3, 5)], [2]),
        ([part(1, 10), part(2, 10), part(3, 10)], [3]),
        ([part(1, 11), part(2, 10), part(3, 6)], [1, 3]),
        ([part(1, 10), part(2, 10), part(3, 5), part(4, 10)], []),
    ],
    ids=["all", "two", "none", "a short one", "a long last one", "two of another size", "one too many"],
)
def test_a_part_is_missing_until_it_is_there_in_full(stored, missing):
    assert missing_parts(upload_of(25), stored) == missing
