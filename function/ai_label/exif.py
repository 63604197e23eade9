"""
Texts in EXIF that may hold a label: the description of a picture, and the user's comment; pure.

Source: TIFF 6.0, EXIF 2.32
"""

import struct
from collections.abc import Iterator

DESCRIPTION, COMMENT, EXIF_FOLDER = 0x010E, 0x9286, 0x8769
# Types of one byte each: text, and bytes without a meaning.
BYTES = (2, 7)
# Before the comment stands its encoding.
ENCODINGS = (b"ASCII\0\0\0", b"UNICODE\0", bytes(8))


def texts(data: bytes) -> Iterator[bytes]:
    """Yield the texts that there are; of what is malformed none."""
    tiff = data.removeprefix(b"Exif\0\0")
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(tiff[:4], "")
    if not order or len(tiff) < 8:
        return
    picture = _entries(tiff, order, struct.unpack_from(f"{order}I", tiff, 4)[0])
    yield _bytes(tiff, order, picture.get(DESCRIPTION))
    if EXIF_FOLDER in picture:
        folder = _entries(tiff, order, struct.unpack(f"{order}I", picture[EXIF_FOLDER][6:])[0])
        comment = _bytes(tiff, order, folder.get(COMMENT))
        if comment[:8] in ENCODINGS:
            # A label is of ASCII: two bytes for each letter have one that is zero.
            yield comment[8:].replace(b"\0", b"").strip(b"\xff\xfe")


def _entries(tiff: bytes, order: str, at: int) -> dict[int, bytes]:
    """Return the entries of a directory by their tags: type, count and value."""
    if at + 2 > len(tiff):
        return {}
    (count,) = struct.unpack_from(f"{order}H", tiff, at)
    found = (tiff[at + 2 + 12 * number :][:12] for number in range(min(count, len(tiff) // 12)))
    return {struct.unpack(f"{order}H", each[:2])[0]: each[2:] for each in found if len(each) == 12}


def _bytes(tiff: bytes, order: str, entry: bytes | None) -> bytes:
    kind, count, at = struct.unpack(f"{order}HII", entry) if entry else (0, 0, 0)
    # So few stand in the entry itself, and are no label.
    return tiff[at : at + count] if kind in BYTES and count > 4 else b""
