"""What of an upload WeChat can look at: as it is stored, as a JPEG that OSS makes of it, or not at all."""

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


class Media(NamedTuple):
    """
    What WeChat is asked to look at.

    Args:
        media_type: WeChat's number; it does not notice a wrong one.

        process: what OSS makes of the object first, a value of ``x-oss-process``; empty for nothing.
    """

    media_type: int
    process: str = ""


def media_of(content_type: str, size_bytes: int) -> Media | None:
    """
    How this upload can be shown to WeChat; ``None`` where only a human can judge it.

    What WeChat does not list is not sent to it: of videos it is known that it passes each of them.

    Args:
        content_type: without parameters, in lower case.

    Source: https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/sec-center/sec-check/mediaCheckAsync.html
    """
    if content_type in SOUNDS:
        return Media(AUDIO) if size_bytes <= MAX_BYTES else None
    if not content_type.startswith("image/") or size_bytes > MAX_PROCESSED_BYTES:
        return None
    is_taken = content_type in PICTURES and size_bytes <= MAX_BYTES
    return Media(PICTURE, "" if is_taken else AS_JPEG)
