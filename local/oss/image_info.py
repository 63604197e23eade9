"""
Width, height and format of a picture, from its first bytes: what OSS tells a callback.

Formats: PNG (RFC 2083), JPEG (ITU T.81), GIF89a, WebP (RFC 9649). Nothing is decoded.
"""

import math
import re
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

HEAD_BYTES = 32
HEIC_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"mif1", b"msf1")
# Its sizes, of tiles and previews too, are in boxes before the data.
HEIC_HEAD_BYTES = 64 * 1024
HEIC_SIZE = re.compile(rb"ispe\0{4}(.{8})", re.DOTALL)
# Frame headers carry the size; C4, C8 and CC in the same range are tables.
JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
JPEG_WITHOUT_LENGTH = frozenset({0x01, *range(0xD0, 0xD9)})


@dataclass(frozen=True)
class ImageInfo:
    """
    Args:
        format: ``png``, ``jpg``, ``gif`` or ``webp``.
    """

    width: int
    height: int
    format: str


def read_image_info(path: Path) -> ImageInfo | None:
    """``None`` for what is no picture of a known format, whatever its content type says."""
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
        try:
            if head.startswith(b"\x89PNG\r\n\x1a\n") and head[12:16] == b"IHDR":
                width, height = struct.unpack(">II", head[16:24])
                return ImageInfo(width, height, "png")
            if head[:6] in (b"GIF87a", b"GIF89a"):
                width, height = struct.unpack("<HH", head[6:10])
                return ImageInfo(width, height, "gif")
            if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
                return _webp(head)
            if head.startswith(b"\xff\xd8"):
                return _jpeg(file)
        except struct.error:  # cut off in the middle of its header
            return None
    return None


def heic_size(file: BinaryIO) -> tuple[int, int] | None:
    """Width and height of a HEIC picture (ISO/IEC 23008-12), the largest in it; ``None`` for other files."""
    head = file.read(HEIC_HEAD_BYTES)
    file.seek(0)
    if head[4:8] != b"ftyp" or head[8:12] not in HEIC_BRANDS:
        return None
    sizes: list[tuple[int, int]] = [struct.unpack(">II", found) for found in HEIC_SIZE.findall(head)]
    return max(sizes, key=math.prod, default=None)


def _webp(head: bytes) -> ImageInfo | None:
    kind = head[12:16]
    if kind == b"VP8 ":
        width, height = struct.unpack("<HH", head[26:30])
        return ImageInfo(width & 0x3FFF, height & 0x3FFF, "webp")
    if kind == b"VP8L":
        (bits,) = struct.unpack("<I", head[21:25])
        return ImageInfo((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1, "webp")
    if kind == b"VP8X" and len(head) >= 30:
        width, height = (int.from_bytes(head[at : at + 3], "little") + 1 for at in (24, 27))
        return ImageInfo(width, height, "webp")
    return None


def _jpeg(file: BinaryIO) -> ImageInfo | None:
    file.seek(2)
    while True:
        if file.read(1) != b"\xff":
            return None
        marker = file.read(1)
        while marker == b"\xff":  # fill bytes
            marker = file.read(1)
        if not marker or marker[0] == 0xDA:  # the picture data itself: no frame header came before it
            return None
        if marker[0] in JPEG_WITHOUT_LENGTH:
            continue
        (length,) = struct.unpack(">H", file.read(2))
        if marker[0] in JPEG_FRAMES:
            height, width = struct.unpack(">xHH", file.read(5))
            return ImageInfo(width, height, "jpg")
        file.seek(length - 2, 1)
