"""holding.picture_size: pixels by the header of a picture; too many where that says nothing."""

import io
import struct

import pytest
from PIL import Image

from function.holding.picture_size import MAX_PIXELS, UNKNOWN, pixels_of
from function.moderation.picture_structure import PictureFile


def encoded(kind, size, mode="RGB", **options):
    file = io.BytesIO()
    Image.new(mode, size).save(file, kind, **options)
    return file.getvalue()


def pixels(data, range_bytes=100):
    file = PictureFile(len(data), lambda at, count: data[at : at + count], range_bytes)
    return pixels_of(data[:64], file)


@pytest.mark.parametrize("size", [(1, 1), (640, 480), (7, 4000)], ids=str)
@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("JPEG", {"progressive": True, "exif": b"Exif\0\0" + bytes(60_000)}),
        ("PNG", {}),
        ("WEBP", {}),
        ("WEBP", {"lossless": True}),
        ("WEBP", {"lossless": True, "mode": "RGBA"}),
        ("WEBP", {"mode": "RGBA"}),
    ],
    ids=str,
)
def test_the_header_says_how_many_pixels(kind, options, size):
    assert pixels(encoded(kind, size, **options)) == size[0] * size[1]


def test_a_webp_that_is_to_be_scaled_has_the_pixels_that_it_has():
    data = bytearray(encoded("WEBP", (7, 9)))
    data[27] |= 0x40
    data[29] |= 0x40
    assert pixels(bytes(data)) == 7 * 9


@pytest.mark.parametrize("code", [0xC4, 0xC8, 0xCC, 0xDA, 0xEF])
def test_an_empty_segment_of_a_jpeg_hides_no_frame(code):
    data = encoded("JPEG", (7, 9))
    assert pixels(data[:2] + bytes([0xFF, code, 0, 2]) + data[2:]) == 7 * 9


FTYP = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"


def extent(side, flags=bytes(4), height=None):
    return b"ispe" + flags + struct.pack(">2I", side, height or side)


def meta(data, more_bytes=0):
    return struct.pack(">I", len(data) + 8 + more_bytes) + b"meta" + data


@pytest.mark.parametrize("flags", [bytes(4), b"\1\0\0\0"])
def test_the_largest_extent_of_a_heic_counts(flags):
    assert pixels(FTYP + meta(extent(512) + extent(8000, flags) + extent(512))) == 64_000_000 > MAX_PIXELS
    assert pixels(FTYP + meta(extent(10) + extent(100, flags, height=9))) == 900


def test_properties_have_a_largest_length():
    data = extent(9).ljust(64 * 1024 - 8, b"\0")
    assert (pixels(FTYP + meta(data)), pixels(FTYP + meta(data + b"\0"))) == (81, UNKNOWN)


def test_an_extent_begun_inside_another_counts():
    assert pixels(FTYP + meta(b"ispe" + bytes(4) + extent(8000))) == 64_000_000


@pytest.mark.parametrize(
    "data",
    [
        FTYP + meta(bytes(20)),
        b"\0\0\0\x28ftypheic\0\0\0\0" + extent(9)[:16].ljust(24) + extent(9),
        FTYP + b"\0\0\0\x18free" + extent(9) + meta(extent(8000)),
        FTYP + meta(extent(9), more_bytes=64 * 1024),
        FTYP + meta(extent(9), more_bytes=9),
        FTYP + b"\0\0\0\0meta" + extent(9) + bytes(8),
    ],
    ids=["none", "in the first box", "before them", "long", "cut off", "without a length"],
)
def test_an_extent_that_no_decoder_goes_by_does_not_count(data):
    assert pixels(data) == UNKNOWN


@pytest.mark.parametrize("code", [0xFF, 0x01, 0xD0])
def test_a_marker_without_length_hides_no_frame(code):
    """A decoder goes on behind it, with a large frame; a length read there would lead to a small one."""
    large = b"\xff\xc0\0\x11\x08" + struct.pack(">2H", 60_000, 60_000)
    behind = large[code == 0xFF :]
    skipped = behind.ljust(int.from_bytes(behind[:2]), b"\0")
    small = b"\xff\xc0\0\x11\x08" + struct.pack(">2H", 9, 9)
    assert pixels(b"\xff\xd8\xff" + bytes([code]) + skipped + small) == UNKNOWN


@pytest.mark.parametrize(
    "data",
    [
        b"\xff\xd8\xff",
        b"\xff\xd8\xff\xe0\0\1",
        b"\xff\xd8\xff\xe0\0\2\0\xc0\0\x11\x08\0\x09\0\x09",
        b"\xff\xd8\xff\xc0\0\0\x08\0\x09\0\x09",
        b"\0\0\0\x18ftypheic",
        encoded("PNG", (9, 9))[:20],
        encoded("PNG", (9, 9)).replace(struct.pack(">2I", 9, 9), struct.pack(">2I", 0, 9)),
    ],
)
def test_a_header_that_says_nothing_is_too_much(data):
    assert pixels(data) == UNKNOWN > MAX_PIXELS == 50_000_000
