"""wechat.media_check: the files that WeChat can check, and in which form."""

import pytest

from function.moderation.wechat import (
    AS_JPEG,
    AUDIO,
    FIRST_BYTES,
    MAX_BYTES,
    MAX_PROCESSED_BYTES,
    PICTURE,
    Media,
    media_of,
)
from tests.support.cases import cases_beside

cases = cases_beside(__file__)

JPEG = b"\xff\xd8\xff\xe0"
AS_STORED = Media(PICTURE)


def test_the_limits_of_wechat_and_oss():
    assert (MAX_BYTES, MAX_PROCESSED_BYTES) == (10_000_000, 20_971_520)
    assert AS_JPEG == "image/resize,m_lfit,w_2048,h_2048/format,jpg"


KINDS = {
    "as stored": Media(PICTURE),
    "converted": Media(PICTURE, AS_JPEG),
    "sound": Media(AUDIO),
    "none": None,
}


@cases("kind", "size", "content_types")
def test_each_type_and_size_has_its_form(kind, size, content_types):
    for content_type in content_types.split():
        first_bytes = JPEG if content_type.startswith("image/") else b"anything"
        assert media_of(content_type, size, first_bytes) == KINDS[kind], content_type
    assert media_of("", 9, b"anything") is None


@cases("first_bytes", "picture", "sound")
def test_the_first_bytes_decide_the_form(first_bytes, picture, sound):
    """A phone shows more formats than WeChat opens: of any other, WeChat gets the JPEG that OSS makes."""
    for begins_with in (first_bytes, first_bytes.ljust(16, b"-")):
        assert media_of("image/jpeg", 9, begins_with) == KINDS[picture]
        assert media_of("audio/mpeg", 9, begins_with) == KINDS[sound]


def chunk(kind, size=0):
    return size.to_bytes(4) + kind + bytes(size + 4)


@pytest.mark.parametrize("content_type", ["image/png", "image/jpeg", "image/webp"])
@pytest.mark.parametrize(
    ("chunks", "is_still"),
    [
        ([chunk(b"IHDR", 13), chunk(b"IDAT", 9), chunk(b"acTL", 8)], True),
        ([chunk(b"IHDR", 13), chunk(b"acTL", 8), chunk(b"IDAT", 9)], False),
        ([chunk(b"IHDR", 13), chunk(b"iCCP", 40_000), chunk(b"acTL", 8)], False),
        ([chunk(b"IHDR", 13), chunk(b"iCCP", 40_000), chunk(b"IDAT", 8)], True),
        ([chunk(b"IHDR", 13), chunk(b"iTXt", FIRST_BYTES), chunk(b"IDAT", 9)], False),
        ([chunk(b"IHDR", 13), b"\xff\xff\xff\xffiTXt"], True),
        ([b"acTL"], True),
        ([], True),
    ],
)
def test_an_animated_png_is_left_to_a_human(chunks, is_still, content_type):
    """WeChat sees its still picture, which phones need not show."""
    first_bytes = (b"\x89PNG\r\n\x1a\n" + b"".join(chunks))[:FIRST_BYTES]
    process = AS_JPEG if content_type == "image/webp" else ""
    assert media_of(content_type, 9, first_bytes) == (Media(PICTURE, process) if is_still else None)


@pytest.mark.parametrize("encoding", ["br", "gzip", "deflate", "GZIP", "identity, br", "x"])
def test_compressed_files_are_left_to_a_human(encoding):
    """WeChat may check the compressed bytes, and a phone shows the decompressed ones."""
    for content_type, first_bytes in (("image/jpeg", JPEG), ("image/webp", JPEG), ("audio/mpeg", b"ID3")):
        assert media_of(content_type, 9, first_bytes, encoding) is None
    for none in ("", "identity", " Identity"):
        assert media_of("image/jpeg", 9, JPEG, none) == AS_STORED
