"""ai_label.pictures: each place of a label in JPEG, PNG and WebP is read, and each other is none."""

import struct

import pytest

from function.ai_label.label import NOTHING, UNREADABLE
from tests.function.ai_label.files import (
    MORE_XMP,
    VECTORS,
    XMP,
    chunk,
    element,
    exif,
    jpeg,
    label_of,
    png,
    text_of,
    webp,
    with_xmp,
)

FOUND = label_of(VECTORS["J1.jpg"])
BARE = text_of().encode()
WRAPPED = b'{"AIGC":' + BARE + b"}"
PACKET = element(text_of())
KEYWORD = b"XML:com.adobe.xmp\0"
COMMENT = exif((0x9286, 7, b"ASCII\0\0\0" + WRAPPED))
LONG = b" " * 70_000
TEXT = exif((0x010E, 2, WRAPPED))


@pytest.mark.parametrize(
    "data",
    [
        with_xmp(PACKET),
        jpeg((0xFE, b"AIGC"), (0xE1, b"else"), (0xEB, b"else"), (0xE1, XMP + PACKET)),
        jpeg((0xE1, MORE_XMP + b"x"), (0xE1, XMP + PACKET)),
        jpeg((0xEB, b"AIGC" + BARE)),
        jpeg((0xE1, b"Exif\0\0" + COMMENT)),
        png((b"tEXt", b"AIGC\0" + BARE)),
        png((b"tEXt", b"Title\0x"), (b"tEXt", b"AIGC\0" + BARE)),
        png((b"iTXt", KEYWORD + b"\0\0en\0AIGC\0" + PACKET)),
        png((b"iTXt", b"AIGC\0\0\0\0\0" + BARE + b"\0")),
        png((b"iTXt", b"AIGC\0\0\0zh\0AI\0" + WRAPPED)),
        png((b"iTXt", KEYWORD + bytes(4) + PACKET), at=55),
        png((b"eXIf", COMMENT)),
        png((b"tEXt", b"AIGC\0" + BARE)).replace(chunk(b"tEXt", b"AIGC\0" + BARE)[-4:], b"CRC!"),
        webp((b"XMP ", PACKET), (b"ELSE", b"")),
        webp((b"ELSE", LONG), (b"XMP ", PACKET)),
        VECTORS["J0.jpg"].replace(b"\xff\xc0", with_xmp(PACKET)[20:][: len(PACKET) + 33] + b"\xff\xc0", 1),
        png((b"iTXt", (KEYWORD + bytes(4) + PACKET).ljust(65536))),
        webp((b"EXIF", COMMENT)),
    ],
)
def test_a_label_is_read_in_each_place(data):
    assert label_of(data) == FOUND


@pytest.mark.parametrize(
    "data",
    [
        jpeg((0xE1, MORE_XMP + b"x")),
        jpeg((0xEB, b"AIGC" + BARE + b" " * 4096 + b"x")),
        with_xmp(b"<!DOCTYPE a>" + PACKET),
        png((b"iTXt", KEYWORD + b"\1\0\0\0" + b"deflated")),
        png((b"iTXt", b"AIGC\0\1\0\0\0" + b"deflated")),
        png((b"zTXt", b"AIGC\0\0" + BARE)),
        png((b"tEXt", b"AIGC\0" + BARE[:-1])),
    ],
)
def test_a_label_that_cannot_be_read_is_a_problem(data):
    assert label_of(data).problem == UNREADABLE


@pytest.mark.parametrize(
    "data",
    [
        jpeg((0xE2, XMP + PACKET), (0xE1, b"AIGC" + BARE), (0xEE, b"AIGC" + BARE)),
        jpeg((0xE1, b"Exif\0\0" + exif((0x010E, 2, BARE.replace(b"Content", b"X"))))),
        VECTORS["J0.jpg"] + with_xmp(PACKET)[20:],
        png((b"tEXt", b"Title\0" + BARE), (b"tEXt", b"AIGCs\0" + BARE), (b"zTXt", b"Title\0\0x")),
        png((b"caBX", b"jumb")),
        png((b"prVt", b"AIGC\0" + BARE)),
        jpeg((0xE2, b"JP\0\1\0\0\0\1" + VECTORS["P4.png"][41:81])),
    ],
)
def test_elsewhere_the_same_bytes_are_no_label(data):
    assert label_of(data) == NOTHING


@pytest.mark.parametrize(
    "data",
    [
        png((b"iTXt", (KEYWORD + bytes(4) + PACKET).ljust(65537))),
        png((b"eXIf", COMMENT + LONG)),
        webp((b"XMP ", PACKET + LONG)),
    ],
)
def test_of_more_than_a_packet_has_nothing_can_be_said(data):
    assert label_of(data) is None


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize(
    "entry",
    [
        (0x010E, 2, WRAPPED + b"\0"),
        (0x9286, 7, b"ASCII\0\0\0" + BARE),
        (0x9286, 7, bytes(8) + WRAPPED),
        (0x9286, 7, b"UNICODE\0" + WRAPPED.decode().encode("utf-16")),
        (0x9286, 7, b"UNICODE\0" + WRAPPED.decode().encode("utf-16-be")),
    ],
)
def test_a_text_of_exif_is_read_in_either_order(order, entry):
    plain = (0x010F, 2, b"Maker 9\0"), (0x0110, 2, b"X9\0")
    assert label_of(jpeg((0xE1, b"Exif\0\0" + exif(*plain, entry, order=order)))) == FOUND


@pytest.mark.parametrize(
    "tiff",
    [
        b"",
        b"MM\0*\0\0\0\x08",
        b"MM\0*\0\0\0\x08\xff\xff\x87\x69",
        b"XX*\0" + exif((0x010E, 2, WRAPPED), order="<")[4:],
        b"XX*\0" + exif((0x010E, 2, WRAPPED))[4:],
        TEXT.replace(b"MM\0*\0\0\0\x08\0\2", b"MM\0*\0\0\0\x08\0\0"),
        exif(*[(0x010F, 2, b"maker")] * 12, (0x010E, 2, WRAPPED)).replace(b"\x08\0\x0e", b"\x08\0\x0c"),
        exif((0x9286, 7, b"JIS\0\0\0\0\0" + WRAPPED)),
        exif((0x9286, 3, b"ASCII\0\0\0" + WRAPPED)),
        exif((0x9004, 7, b"ASCII\0\0\0" + WRAPPED)),
        # Without a second folder: the header, read as one, would have a comment.
        b"II*\0\x1a"
        + bytes(9)
        + struct.pack("<HHII2x", 0x9286, 7, 8 + len(WRAPPED), 28)
        + bytes(8)
        + WRAPPED,
    ],
)
def test_exif_that_is_malformed_or_of_another_kind_has_no_label(tiff):
    assert label_of(jpeg((0xE1, b"Exif\0\0" + tiff))) == NOTHING


@pytest.mark.parametrize(("before", "found"), [(199, FOUND), (200, NOTHING)])
def test_no_more_than_200_entries_of_a_directory_are_read(before, found):
    tiff = exif(*[(0x010F, 2, b"X9\0")] * before, (0x010E, 2, WRAPPED))
    assert label_of(jpeg((0xE1, b"Exif\0\0" + tiff))) == found
