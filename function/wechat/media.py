"""What of an upload WeChat can look at: as it is stored, as a JPEG that OSS makes of it, or not at all."""

from collections.abc import Iterable
from typing import NamedTuple

AUDIO, PICTURE = 1, 2
# WeChat's bound; whether its MB has 1,000,000 bytes no page says, so the smaller one holds.
MAX_BYTES = 10_000_000
# OSS's bound for what it makes another picture of.
MAX_PROCESSED_BYTES = 20 * 1024 * 1024
# Small enough for WeChat whatever is in it, and large enough to see what it shows.
AS_JPEG = "image/resize,m_lfit,w_2048,h_2048/format,jpg"
# Of an animated GIF WeChat looks at the first frame only.
PICTURES = frozenset(f"image/{name}" for name in ("jpeg", "jpg", "pjpeg", "png", "gif", "bmp", "x-ms-bmp"))
SOUNDS = frozenset(
    f"audio/{name}"
    for name in (
        *("mpeg", "mp3", "aac", "aacp", "x-aac", "ac3", "x-ms-wma", "flac", "x-flac"),
        *("ogg", "vorbis", "opus", "wav", "x-wav", "wave", "vnd.wave"),
    )
)

# How pictures begin that WeChat takes. Phones show one for what it is, whatever type it was sent with, and
# they know more kinds than WeChat: of all else it gets the picture that OSS sees in it, or finds none there.
FIRST_BYTES = 16
OF_PICTURES = ((0, b"\xff\xd8\xff"), (0, b"\x89PNG"), (0, b"GIF8"), (0, b"BM"))
# What says that bytes are no sound, by where it stands: WebP; the family of HEIC, AVIF and MP4; TIFF; WebM;
# icons; JPEG XL; what browsers run.
FOREIGN = (
    *((8, b"WEBP"), (4, b"ftyp"), (0, b"II*\0"), (0, b"MM\0*"), (0, b"\x1a\x45\xdf\xa3")),
    *((0, b"\0\0\1\0"), (0, b"\xff\x0a"), (4, b"JXL "), (0, b"<"), (0, b"\xef\xbb\xbf<")),
)
NOT_PACKED = ("", "identity")


class Media(NamedTuple):
    """
    What WeChat is asked to look at.

    Args:
        media_type: WeChat's number; it does not notice a wrong one.

        process: what OSS makes of the object first, a value of ``x-oss-process``; empty for nothing.
    """

    media_type: int
    process: str = ""


def media_of(content_type: str, size_bytes: int, first_bytes: bytes, encoding: str = "") -> Media | None:
    """
    How this upload can be shown to WeChat; ``None`` where only a human can judge it.

    What WeChat does not list is not sent to it: of videos it is known that it passes each of them.

    Args:
        content_type: without parameters, in lower case; it is what the uploader said.

        first_bytes: ``FIRST_BYTES`` of the object.

        encoding: its ``Content-Encoding``, which no form pins.

    Source: https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/sec-center/sec-check/mediaCheckAsync.html
    """
    # A phone unpacks it, and shows what comes of that; whether WeChat does, or OSS for its JPEG, nobody says.
    if encoding.strip().lower() not in NOT_PACKED:
        return None
    if content_type in SOUNDS:
        is_sound = not _begins_with(first_bytes, (*FOREIGN, *OF_PICTURES))
        return Media(AUDIO) if is_sound and size_bytes <= MAX_BYTES else None
    if not content_type.startswith("image/") or size_bytes > MAX_PROCESSED_BYTES:
        return None
    is_taken = content_type in PICTURES and _begins_with(first_bytes, OF_PICTURES)
    return Media(PICTURE, "" if is_taken and size_bytes <= MAX_BYTES else AS_JPEG)


def _begins_with(first_bytes: bytes, marks: Iterable[tuple[int, bytes]]) -> bool:
    return any(first_bytes.startswith(mark, at) for at, mark in marks)
