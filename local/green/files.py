"""
Files that Content Moderation looks at: it downloads them, and knows these formats and sizes.

Source: https://help.aliyun.com/zh/document_detail/467829.html
"""

import io

from PIL import Image, UnidentifiedImageError

from local.common.outgoing import Answer, Loss, fetch
from local.green.codes import DOWNLOAD_TIMEOUT, NOT_DOWNLOADED, NOT_SUPPORTED, TOO_LARGE, GreenError
from local.oss.image_info import heic_size

LARGEST_BYTES = 20 * 1024 * 1024
LONGEST_SIDE = 16_384
LONGEST_SIDE_OF_HEIC = 8_191
MOST_PIXELS = 167_000_000
READABLE = ("PNG", "JPEG", "BMP", "WEBP", "TIFF", "ICO", "GIF")
# Held against the limits here, before anything is decoded.
Image.MAX_IMAGE_PIXELS = None

HEAD_BYTES = 4096
# What a file of each begins with, after so many bytes.
VIDEO = ((4, b"ftyp"), (0, b"\x1a\x45\xdf\xa3"), (0, b"FLV"), (0, b"RIFF"), (0, b"\0\0\1\xba"), (0, b"G"))
SOUND = (
    *((0, b"ID3"), (0, b"\xff\xfb"), (0, b"\xff\xf3"), (0, b"\xff\xf2"), (0, b"\xff\xf1"), (0, b"\xff\xf9")),
    *((0, b"fLaC"), (0, b"OggS"), (0, b"RIFF"), (0, b"#!AMR"), (4, b"ftyp")),
)


def look_at_picture(url: str, seconds: float, wide_is_too_large: bool) -> None:
    """
    Download a picture, and see whether it is one.

    Args:
        wide_is_too_large: a rule, ``moderation_wide_is_too_large``.

    Raises:
        GreenError: 404, 405, 406 or 407.
    """
    body = _downloaded(fetch(url, seconds, LARGEST_BYTES), (200,))
    if _is_svg(body):
        return
    longest = LONGEST_SIDE
    if size := heic_size(io.BytesIO(body)):
        longest = LONGEST_SIDE_OF_HEIC
    else:
        try:
            with Image.open(io.BytesIO(body), formats=READABLE) as image:
                size = image.size
        except (UnidentifiedImageError, OSError, SyntaxError, ValueError):  # what Pillow says of broken data
            raise GreenError(NOT_SUPPORTED) from None
    if max(size) > longest or size[0] * size[1] > MOST_PIXELS:
        raise GreenError(TOO_LARGE if wide_is_too_large else NOT_SUPPORTED)


def look_at_media(url: str, seconds: float, beginnings: tuple[tuple[int, bytes], ...]) -> None:
    """
    See whether the file begins as video or sound does; more of it is not read.

    Raises:
        GreenError: 404, 405 or 407.
    """
    head = fetch(url, seconds, HEAD_BYTES, headers={"Range": f"bytes=0-{HEAD_BYTES - 1}"})
    body = _downloaded(head, (200, 206))
    if not any(body[skipped:].startswith(begins) for skipped, begins in beginnings):
        raise GreenError(NOT_SUPPORTED)


def _downloaded(answer: Answer | Loss, good: tuple[int, ...]) -> bytes:
    if answer is Loss.SLOW:
        raise GreenError(DOWNLOAD_TIMEOUT)
    if answer is Loss.TOO_LONG:
        raise GreenError(TOO_LARGE)
    if isinstance(answer, Loss) or answer.status not in good:
        raise GreenError(NOT_DOWNLOADED)
    return answer.body


def _is_svg(body: bytes) -> bool:
    return body.lstrip().startswith((b"<svg", b"<?xml")) and b"<svg" in body[:HEAD_BYTES]
