"""wechat.media_check: the files that WeChat can check, and in which form."""

import pytest

from function.wechat.media_check import (
    AS_JPEG,
    AUDIO,
    MAX_BYTES,
    MAX_PROCESSED_BYTES,
    PICTURE,
    Media,
    media_of,
)

JPEG = b"\xff\xd8\xff\xe0"
AS_STORED, MADE_ANEW, SOUND = Media(PICTURE), Media(PICTURE, AS_JPEG), Media(AUDIO)


def test_wechat_s_bound_and_oss_s_are_these():
    assert (MAX_BYTES, MAX_PROCESSED_BYTES) == (10_000_000, 20_971_520)
    assert AS_JPEG == "image/resize,m_lfit,w_2048,h_2048/format,jpg"


@pytest.mark.parametrize(
    ("content_type", "size", "media"),
    [
        *(
            (f"image/{name}", 9, AS_STORED)
            for name in ("jpeg", "jpg", "pjpeg", "png", "gif", "bmp", "x-ms-bmp")
        ),
        ("image/jpeg", MAX_BYTES, AS_STORED),
        ("image/jpeg", MAX_BYTES + 1, MADE_ANEW),
        ("image/png", MAX_PROCESSED_BYTES, MADE_ANEW),
        ("image/png", MAX_PROCESSED_BYTES + 1, None),
        *((f"image/{name}", 9, MADE_ANEW) for name in ("webp", "heic", "heif", "avif", "tiff", "x-unknown")),
        ("image/webp", MAX_PROCESSED_BYTES + 1, None),
        *((f"audio/{name}", 9, SOUND) for name in ("mpeg", "mp3", "aac", "aacp", "x-aac", "ac3", "x-ms-wma")),
        *(
            (f"audio/{name}", 9, SOUND)
            for name in ("flac", "x-flac", "ogg", "vorbis", "opus", "wav", "x-wav")
        ),
        *((f"audio/{name}", 9, SOUND) for name in ("wave", "vnd.wave")),
        ("audio/mpeg", MAX_BYTES, SOUND),
        ("audio/mpeg", MAX_BYTES + 1, None),
        *((kind, 9, None) for kind in ("audio/mp4", "audio/x-m4a", "audio/amr", "audio/midi")),
        *(
            (kind, 9, None)
            for kind in ("video/mp4", "application/pdf", "text/html", "", "images/png", "image")
        ),
    ],
)
def test_each_upload_is_shown_as_wechat_can_take_it(content_type, size, media):
    begins_with = JPEG if content_type.startswith("image/") else b"anything"
    assert media_of(content_type, size, begins_with) == media


def padded(*parts):
    return b"".join(parts).ljust(16, b"-")


FOREIGN = [
    padded(b"RIFF", b"\x10\0\0\0", b"WEBPVP8 "),
    padded(b"\0\0\0\x18", b"ftypheic"),
    padded(b"\0\0\0\x1c", b"ftypavif"),
    padded(b"\0\0\0\x20", b"ftypisom"),
    padded(b"II*\0"),
    padded(b"MM\0*"),
    padded(b"\x1a\x45\xdf\xa3"),
    padded(b"\0\0\1\0"),
    padded(b"\xff\x0a"),
    padded(b"\0\0\0\x0c", b"JXL "),
    padded(b"<svg xmlns="),
    padded(b"\xef\xbb\xbf<html>"),
]
TAKEN = [
    padded(b"\xff\xd8\xff\xe0"),
    padded(b"\x89PNG\r\n"),
    padded(b"GIF89a"),
    padded(b"GIF87a"),
    padded(b"BM"),
]
OF_SOUND = [
    padded(b"ID3"),
    padded(b"\xff\xfb\x90"),
    padded(b"RIFF", b"\x10\0\0\0", b"WAVE"),
    padded(b"OggS"),
    b"",
]


@pytest.mark.parametrize("begins_with", FOREIGN)
def test_what_only_calls_itself_a_jpeg_is_shown_as_what_it_is(begins_with):
    """A phone would show it, and what WeChat answers about bytes it cannot read nobody knows."""
    assert media_of("image/jpeg", 9, begins_with) == MADE_ANEW
    assert media_of("audio/mpeg", 9, begins_with) is None


@pytest.mark.parametrize("begins_with", TAKEN)
def test_a_picture_is_no_sound(begins_with):
    assert media_of("image/png", 9, begins_with) == AS_STORED
    assert media_of("audio/mpeg", 9, begins_with) is None


@pytest.mark.parametrize(
    "begins_with", [*OF_SOUND, b"what nobody knows", b"--<ftypWEBP-----", b"WEBP", b"ftyp"]
)
def test_of_what_nobody_knows_wechat_gets_the_picture_that_oss_sees_in_it_or_none(begins_with):
    """There are pictures that a phone shows and WeChat cannot open, such as JPEG 2000."""
    assert media_of("image/jpeg", 9, begins_with) == MADE_ANEW
    assert media_of("audio/mpeg", 9, begins_with) == SOUND


@pytest.mark.parametrize("encoding", ["br", "gzip", "deflate", "GZIP", "identity, br", "x"])
def test_what_a_phone_would_unpack_is_left_to_a_human(encoding):
    """Packed bytes are one thing to whoever unpacks them, and may be a good picture to whoever does not."""
    assert media_of("image/jpeg", 9, JPEG, encoding) is None
    assert media_of("image/webp", 9, JPEG, encoding) is None
    assert media_of("audio/mpeg", 9, b"ID3", encoding) is None


@pytest.mark.parametrize("encoding", ["", "identity", " Identity"])
def test_what_is_not_packed_is_shown(encoding):
    assert media_of("image/jpeg", 9, JPEG, encoding) == AS_STORED
