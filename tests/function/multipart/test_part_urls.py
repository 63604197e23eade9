"""multipart.part_urls: how a file is cut, to the byte, and what of it is missing."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from function.uploads.tickets import MultipartTicket

NOW = datetime(2026, 11, 24, tzinfo=UTC)


def upload_of(size, part_size=10):
    cut = ("id", "oss-id", "videos/a.mp4", size, part_size, "video/mp4")
    return MultipartTicket(*cut, "video", "me", "owner", None, None, NOW, NOW)


@given(st.integers(1, 48 * 1024**3), st.integers(102_400, 100 * 1024**2))
def test_the_parts_make_the_file_whatever_its_size(size, part_size):
    upload = upload_of(size, part_size)
    assert (upload.part_count - 1) * part_size + upload.bytes_of(upload.part_count) == size
    assert 1 <= upload.bytes_of(upload.part_count) <= part_size
