"""
Marks of origin in JPEG, PNG and WebP, whose data is skipped; pure.

Sources: ITU-T T.81 and T.871 (JPEG), PNG (third edition), RFC 9649 (WebP), TIFF 6.0, EXIF 2.32, C2PA 2, and
the XMP specification, part 3
"""

import struct
from collections.abc import Iterator, Sequence

from function.ai_label.annex_e import OUTER
from function.ai_label.combined_marks import LABEL, LOST, XMP, Mark, manifest_marks, text_marks
from function.ai_label.xmp import MAX_PACKET
from function.moderation.picture_structure import (
    JPEG,
    JPEG_SCAN,
    PNG,
    WEBP,
    PictureFile,
    Unreadable,
    jpeg_segments,
    png_chunks,
    webp_chunks,
)

APP1, APP11 = 0xE1, 0xEB
XMP_HEADER, MORE_XMP_HEADER = b"http://ns.adobe.com/xap/1.0/\0", b"http://ns.adobe.com/xmp/extension/\0"
XMP_KEYWORD, NAME = b"XML:com.adobe.xmp", OUTER.encode()
KEYWORDS = {XMP_KEYWORD: XMP, NAME: LABEL}
# EXIF of either byte order, and its tags.
LITTLE, BIG = b"II*\0", b"MM\0*"
DESCRIPTION, COMMENT, EXIF_FOLDER = 0x010E, 0x9286, 0x8769
# More than any camera writes into a directory.
MAX_ENTRIES = 200
# Types of one byte each: text, and bytes without a meaning.
BYTES = (2, 7)
# Type, length and place of a text.
Entry = Sequence[int]
NO_ENTRY = (0, 0, 0)
# Before the comment stands its encoding.
ENCODINGS = (b"ASCII\0\0\0", b"UNICODE\0", bytes(8))
# These are enough to know a chunk or box.
PEEKED = 40


def jpeg_marks(file: PictureFile) -> Iterator[Mark]:
    for code, length in jpeg_segments(file):
        if code == JPEG_SCAN:
            return
        if code not in (APP1, APP11):
            continue
        data = file.take(length)
        if code == APP11 and data.startswith(NAME):
            yield LABEL, data[len(NAME) :]
        elif code == APP11:
            # Behind name, instance and number; of the pieces of a box the first is enough.
            yield from manifest_marks(data[8:])
        elif data.startswith(XMP_HEADER):
            yield XMP, data[len(XMP_HEADER) :]
        elif data.startswith(MORE_XMP_HEADER):
            yield LOST, data
        else:
            yield from _texts(data)


def png_marks(file: PictureFile) -> Iterator[Mark]:
    for name, length in png_chunks(file):
        if name == b"caBX":
            yield from manifest_marks(_peek(file, length))
        elif name == b"eXIf":
            yield from _texts(_take(file, length))
        elif name in (b"tEXt", b"zTXt", b"iTXt"):
            keyword, _, text = _peek(file, length).partition(b"\0")
            if keyword not in KEYWORDS:
                continue
            if name == b"zTXt" or (name == b"iTXt" and text[:1] != b"\0"):
                # It is compressed.
                yield LOST, text
            else:
                data = _take(file, length)[len(keyword) + 1 :]
                # Two bytes about compression, the language and the keyword in it stand before the text.
                yield KEYWORDS[keyword], data[2:].split(b"\0", 2)[-1] if name == b"iTXt" else data


def webp_marks(file: PictureFile) -> Iterator[Mark]:
    for name, length in webp_chunks(file):
        if name == b"C2PA":
            yield from manifest_marks(_peek(file, length))
        elif name == b"XMP ":
            yield XMP, _take(file, length)
        elif name == b"EXIF":
            yield from _texts(_take(file, length))


READERS = {JPEG: jpeg_marks, PNG: png_marks, WEBP: webp_marks}


def _texts(exif: bytes) -> Iterator[Mark]:
    """Yield description and comment of EXIF if they are meant for labels; of what is malformed none."""
    tiff = exif.removeprefix(b"Exif\0\0")
    if tiff.startswith((LITTLE, BIG)):
        picture = _entries(tiff, _number(tiff, tiff[4:8]))
        yield from text_marks(_value(tiff, picture.get(DESCRIPTION, NO_ENTRY)))
        folder = _entries(tiff, picture[EXIF_FOLDER][2]) if EXIF_FOLDER in picture else {}
        comment = _value(tiff, folder.get(COMMENT, NO_ENTRY))
        if comment[:8] in ENCODINGS:
            # A label is of ASCII: two bytes for each letter have one that is zero.
            yield from text_marks(comment[8:].replace(b"\0", b"").strip(b"\xff\xfe"))


def _entries(tiff: bytes, at: int) -> dict[int, Entry]:
    """Return the entries of a directory by their tags."""
    count = min(_number(tiff, tiff[at : at + 2]), MAX_ENTRIES)
    rows = tiff[at + 2 : at + 2 + 12 * count]
    layout = "<HHII" if tiff.startswith(LITTLE) else ">HHII"
    return {tag: entry for tag, *entry in struct.iter_unpack(layout, rows[: len(rows) // 12 * 12])}


def _value(tiff: bytes, entry: Entry) -> bytes:
    """Return the bytes that an entry is about, none for a type that is not read."""
    kind, size, place = entry
    return tiff[place : place + size] if kind in BYTES else b""


def _number(tiff: bytes, data: bytes) -> int:
    return int.from_bytes(data[::-1] if tiff.startswith(LITTLE) else data)


def _peek(file: PictureFile, length: int) -> bytes:
    count = min(length, PEEKED)
    return bytes(file.ahead(count)[:count])


def _take(file: PictureFile, length: int) -> bytes:
    """Return the data of a chunk; raise ``Unreadable`` for more than a packet has."""
    if length > MAX_PACKET:
        raise Unreadable
    return file.take(length)
