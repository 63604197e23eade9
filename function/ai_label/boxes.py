"""
Marks of origin in files of boxes: HEIC, whose XMP is an item, and MP4 and MOV, whose label is a tag; pure.

Sources: ISO/IEC 14496-12, ISO/IEC 23008-12 (HEIF), QuickTime File Format (metadata), C2PA 2
"""

from collections.abc import Iterator

from function.ai_label.annex_e import MAX_TEXT, OUTER
from function.ai_label.combined_marks import C2PA, LABEL, XMP, Mark, text_marks
from function.ai_label.xmp import MAX_PACKET
from function.moderation.picture_structure import PictureFile, Unreadable

C2PA_BOX = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")
XMP_TYPE, NAME = b"application/rdf+xml", OUTER.encode()
MAX_KEY = 256
# Places of an item: in the file, or in a box beside the list.
IN_FILE, IN_BOX = 0, 1


def boxes(file: PictureFile, end: int) -> Iterator[tuple[bytes, int]]:
    """Yield type and end of each box up to a place; its content may be taken."""
    while end - file.at >= 8:
        begin = file.at
        size, name = int.from_bytes(file.take(4)), file.take(4)
        if size == 1:
            size = int.from_bytes(file.take(8))
        behind = begin + size if size else end
        if not file.at <= behind <= end:
            raise Unreadable
        yield name, behind
        file.at = behind


def heic_marks(file: PictureFile) -> Iterator[Mark]:
    for name, end in boxes(file, file.size_bytes):
        if name == b"uuid" and file.take(16) == C2PA_BOX:
            yield C2PA, C2PA_BOX
        elif name == b"meta":
            for pieces in _packets(file, end):
                if sum(count for _, count in pieces) > MAX_PACKET:
                    raise Unreadable
                yield XMP, b"".join(_piece(file, *piece) for piece in pieces)
            return
    # A picture without a list of items is none.
    raise Unreadable


def _piece(file: PictureFile, at: int, count: int) -> bytes:
    file.at = at
    return file.take(count)


def _packets(file: PictureFile, end: int) -> list[list[tuple[int, int]]]:
    """Return offset and length of the pieces of each item of XMP."""
    file.skip(4)
    wanted: set[int] = set()
    places: dict[int, tuple[int, list[tuple[int, int]]]] = {}
    box = 0
    for name, behind in boxes(file, end):
        if name == b"iinf":
            file.skip(4 + (2 if file.take(1) == b"\0" else 4) - 1)
            wanted = {item for _, last in boxes(file, behind) if (item := _item_of_xmp(file, last))}
        elif name == b"iloc":
            places = _places(file)
        elif name == b"idat":
            box = file.at
    found = [places[item] for item in wanted if item in places]
    if any(method not in (IN_FILE, IN_BOX) for method, _ in found):
        raise Unreadable
    return [[(at + box * method, count) for at, count in pieces] for method, pieces in found]


def _item_of_xmp(file: PictureFile, end: int) -> int:
    """Return the number of an item if it is XMP; else 0, which no item has."""
    item = _number(file, 4 if file.take(4)[0] == 3 else 2)
    file.skip(2)
    rest = file.take(min(end - file.at, MAX_KEY))
    _, _, content_type = rest[4:].partition(b"\0")
    return item if rest[:4] == b"mime" and content_type.startswith(XMP_TYPE) else 0


def _places(file: PictureFile) -> dict[int, tuple[int, list[tuple[int, int]]]]:
    """Return method, and offset and length of each piece, of each item."""
    version = file.take(4)[0]
    sizes = file.take(2)
    offset, length, base, index = sizes[0] >> 4, sizes[0] & 15, sizes[1] >> 4, sizes[1] & 15
    wide, found = (4 if version == 2 else 2), {}
    for _ in range(_number(file, wide)):
        item = _number(file, wide)
        method = _number(file, 2) & 15 if version else IN_FILE
        file.skip(2)
        first, pieces = _number(file, base), []
        for _ in range(_number(file, 2)):
            file.skip(index if version else 0)
            pieces.append((first + _number(file, offset), _number(file, length)))
        found[item] = (method, pieces)
    return found


def _number(file: PictureFile, count: int) -> int:
    return int.from_bytes(file.take(count))


def video_marks(file: PictureFile) -> Iterator[Mark]:
    for name, end in boxes(file, file.size_bytes):
        if name == b"uuid" and file.take(16) == C2PA_BOX:
            yield C2PA, C2PA_BOX
        elif name == b"moov":
            for inner, behind in boxes(file, end):
                if inner == b"udta":
                    for each, last in boxes(file, behind):
                        if each == b"meta":
                            yield from _tags(file, last)
                elif inner == b"meta":
                    yield from _tags(file, behind)
            return
    raise Unreadable


def _tags(file: PictureFile, end: int) -> Iterator[Mark]:
    # QuickTime's has no version before its boxes.
    file.skip(0 if bytes(file.ahead(8)[4:8]) == b"hdlr" else 4)
    keys: list[bytes] = []
    for name, behind in boxes(file, end):
        if name == b"keys":
            file.skip(8)
            keys = [_short(file, last) for _, last in boxes(file, behind)]
        elif name == b"ilst":
            for item, last in boxes(file, behind):
                number = int.from_bytes(item)
                key = keys[number - 1] if 0 < number <= len(keys) else item
                yield from _values(file, last, key)


def _values(file: PictureFile, end: int, key: bytes) -> Iterator[Mark]:
    for name, behind in boxes(file, end):
        if name == b"data":
            # Type and language come first; what is too long is no label that can be read.
            size = behind - file.at
            value = file.take(size)[8:] if size <= MAX_TEXT + 8 else b""
            yield from [(LABEL, value)] if key == NAME else text_marks(value)


def _short(file: PictureFile, end: int) -> bytes:
    return file.take(min(end - file.at, MAX_KEY))
