"""
Marks of origin in JPEG, PNG and WebP, whose data is skipped; pure.

Sources: ITU-T T.81 and T.871 (JPEG), PNG (third edition), RFC 9649 (WebP), TIFF 6.0, EXIF 2.32, C2PA 2, and
the XMP specification, part 3
"""

import struct
from collections.abc import Iterator

from function.ai_label.annex_e import OUTER
from function.ai_label.marks import JUMBF, LABEL, LOST, TEXT, XMP, Mark
from function.ai_label.xmp import MAX_PACKET
from function.moderation.picture_file import (
    JPEG,
    PNG,
    WEBP,
    PictureFile,
    Unreadable,
    jpeg_segments,
    png_chunks,
    webp_chunks,
)

APP1, APP11, SOS = 0xE1, 0xEB, 0xDA
XMP_HEADER, MORE_XMP_HEADER = b"http://ns.adobe.com/xap/1.0/\0", b"http://ns.adobe.com/xmp/extension/\0"
EXIF_HEADER, NAME = b"Exif\0\0", OUTER.encode()
# The keyword of a chunk, its two flags, and an empty language and translation.
XMP_KEYWORD = b"XML:com.adobe.xmp\0"
# Tags of EXIF.
DESCRIPTION, COMMENT, EXIF_FOLDER = 0x010E, 0x9286, 0x8769
# More than any camera writes into a directory.
MAX_ENTRIES = 200
# Types of one byte each: text, and bytes without a meaning.
BYTES = (2, 7)
# Before the comment stands its encoding.
ENCODINGS = (b"ASCII\0\0\0", b"UNICODE\0", bytes(8))
# These are enough to know a segment, chunk or box.
PEEKED = 48


def jpeg_marks(file: PictureFile) -> Iterator[Mark]:
    for code, length in jpeg_segments(file):
        if code == SOS:
            return
        begin = _peek(file, length) if code in (APP1, APP11) else b""
        if code == APP11 and begin.startswith(b"JP"):
            # Behind an instance; of the pieces of a box the first is enough.
            yield JUMBF, begin[8:]
        elif code == APP11 and begin.startswith(NAME):
            yield LABEL, file.take(length)[len(NAME) :]
        elif begin.startswith(XMP_HEADER):
            yield XMP, file.take(length)[len(XMP_HEADER) :]
        elif begin.startswith(MORE_XMP_HEADER):
            yield LOST, b""
        elif begin.startswith(EXIF_HEADER):
            yield from _texts(file.take(length))


def png_marks(file: PictureFile) -> Iterator[Mark]:
    for name, length in png_chunks(file):
        if name in (b"caBX", b"tEXt", b"zTXt", b"iTXt", b"eXIf"):
            begin = _peek(file, length)
            if name == b"caBX":
                yield JUMBF, begin
            elif name == b"eXIf":
                yield from _texts(_take(file, length))
            elif begin.startswith((XMP_KEYWORD, NAME + b"\0")):
                yield _png_text(name, _take(file, length))


def _png_text(chunk: bytes, data: bytes) -> Mark:
    keyword, _, text = data.partition(b"\0")
    is_compressed = chunk == b"zTXt" or (chunk == b"iTXt" and text[:1] != b"\0")
    if is_compressed:
        return LOST, b""
    if chunk == b"iTXt":
        text = text[2:].split(b"\0", 2)[-1]
    return (LABEL if keyword == NAME else XMP), text


def webp_marks(file: PictureFile) -> Iterator[Mark]:
    for name, length in webp_chunks(file):
        if name == b"C2PA":
            yield JUMBF, _peek(file, length)
        elif name == b"XMP ":
            yield XMP, _take(file, length)
        elif name == b"EXIF":
            yield from _texts(_take(file, length))


READERS = {JPEG: jpeg_marks, PNG: png_marks, WEBP: webp_marks}


def _texts(data: bytes) -> Iterator[Mark]:
    """Yield description and comment of EXIF, which may hold a label; of what is malformed none."""
    tiff = data.removeprefix(b"Exif\0\0")
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(tiff[:4], "")
    if not order or len(tiff) < 8:
        return
    picture = _entries(tiff, order, struct.unpack_from(f"{order}I", tiff, 4)[0])
    yield TEXT, _bytes(tiff, order, picture.get(DESCRIPTION))
    if EXIF_FOLDER in picture:
        folder = _entries(tiff, order, struct.unpack(f"{order}I", picture[EXIF_FOLDER][6:])[0])
        comment = _bytes(tiff, order, folder.get(COMMENT))
        if comment[:8] in ENCODINGS:
            # A label is of ASCII: two bytes for each letter have one that is zero.
            yield TEXT, comment[8:].replace(b"\0", b"").strip(b"\xff\xfe")


def _entries(tiff: bytes, order: str, at: int) -> dict[int, bytes]:
    """Return the entries of a directory by their tags: type, count and value."""
    if at + 2 > len(tiff):
        return {}
    (count,) = struct.unpack_from(f"{order}H", tiff, at)
    begins = range(at + 2, at + 2 + 12 * min(count, MAX_ENTRIES), 12)
    found = (tiff[begin : begin + 12] for begin in begins)
    return {struct.unpack(f"{order}H", each[:2])[0]: each[2:] for each in found if len(each) == 12}


def _bytes(tiff: bytes, order: str, entry: bytes | None) -> bytes:
    kind, count, at = struct.unpack(f"{order}HII", entry) if entry else (0, 0, 0)
    # So few stand in the entry itself, and are no label.
    return tiff[at : at + count] if kind in BYTES and count > 4 else b""


def _peek(file: PictureFile, length: int) -> bytes:
    count = min(length, PEEKED)
    return bytes(file.ahead(count)[:count])


def _take(file: PictureFile, length: int) -> bytes:
    """Return the data of a chunk; raise ``Unreadable`` for more than a packet has."""
    if length > MAX_PACKET:
        raise Unreadable
    return file.take(length)
