"""
Pixels of a picture, by its own header; pure.

Sources: ITU-T T.81 (JPEG), PNG (third edition), RFC 9649 (WebP), ISO/IEC 23008-12 (HEIF: ``ispe``)
"""

import re
import struct

from function.moderation.picture_structure import (
    JPEG,
    PNG,
    WEBP,
    PictureFile,
    Unreadable,
    kind_of,
    webp_chunks,
)

# OSS decodes more, at the price of seconds and memory.
MAX_PIXELS = 50_000_000
UNKNOWN = MAX_PIXELS + 1
# Frames of JPEG, all of which begin alike; the other codes of that range are tables.
FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
ALONE = {*range(0xC0), *range(0xD0, 0xDA), 0xFF}
# Of the box of a HEIF file that has its properties; any of them may be an extent, also one inside another.
MAX_META_BYTES = 64 * 1024
EXTENT = re.compile(rb"(?=ispe.{4}(.{8}))", re.DOTALL)


def pixels_of(beginning: bytes, file: PictureFile) -> int:
    """
    Return how many pixels a picture says that it has; ``UNKNOWN``, which is too many, if it says nothing.

    Args:
        beginning: its first bytes.
    """
    sizes = {JPEG: _jpeg, PNG: _png, WEBP: _webp}
    try:
        width, height = sizes.get(kind_of(beginning), _heif)(file)
    except (Unreadable, ValueError):
        return UNKNOWN
    return width * height or UNKNOWN


def _jpeg(file: PictureFile) -> tuple[int, int]:
    file.skip(2)
    while True:
        prefix, code, length = struct.unpack(">BBH", file.take(4))
        # A decoder goes on directly behind a marker that has no length.
        if prefix != 0xFF or length < 2 or code in ALONE:
            raise Unreadable
        if code in FRAMES:
            _, height, width = struct.unpack(">BHH", file.take(5))
            return width, height
        file.skip(length - 2)


def _png(file: PictureFile) -> tuple[int, int]:
    width, height = struct.unpack(">16x2I", file.take(24))
    return width, height


def _webp(file: PictureFile) -> tuple[int, int]:
    name, _ = next(webp_chunks(file))
    data = file.take(10)
    if name == b"VP8X":
        return 1 + int.from_bytes(data[4:7], "little"), 1 + int.from_bytes(data[7:10], "little")
    if name == b"VP8L":
        bits = int.from_bytes(data[1:5], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    width, height = struct.unpack("<6x2H", data)
    return width & 0x3FFF, height & 0x3FFF


def _heif(file: PictureFile) -> tuple[int, int]:
    """Return the largest extent: that of the whole picture, which may consist of tiles."""
    first, _ = struct.unpack(">I4s", file.take(8))
    file.skip(first - 8)
    size, name = struct.unpack(">I4s", file.take(8))
    # In a later box, or behind what is read of it, may be the extent that a decoder goes by.
    if name != b"meta" or not 8 <= size <= MAX_META_BYTES:
        raise Unreadable
    found = EXTENT.findall(file.take(size - 8))
    return max((struct.unpack(">2I", each) for each in found), key=lambda size: size[0] * size[1])
