"""Files that hold labels of AI-made content, built byte by byte."""

import json
import struct
import zlib
from base64 import b64decode
from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any

from function.ai_label.examine import label_in
from function.ai_label.label import AiLabel

ROOT = Path(__file__).parents[3]
TABLE = json.loads((ROOT / "tests/vectors/ai_labels.json").read_text("utf-8"))["files"]
VECTORS = {name: b64decode(each["base64"]) for name, each in TABLE.items()}
CODE = "001191330100MA0000000X10001"
VALUES = {
    "Label": "1",
    "ContentProducer": CODE,
    "ProduceID": "img-42",
    "ReservedCode1": "",
    "ContentPropagator": CODE,
    "PropagateID": "img-42",
    "ReservedCode2": "",
}
RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
TC260 = 'xmlns:TC260="http://www.tc260.org.cn/ns/AIGC/1.0/"'
IPTC = 'xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"'
XMP, MORE_XMP = b"http://ns.adobe.com/xap/1.0/\0", b"http://ns.adobe.com/xmp/extension/\0"


def text_of(**values: Any) -> str:
    return json.dumps({**VALUES, **values}, separators=(",", ":"))


def packet(inside: str = "", attributes: str = "", spaces: str = TC260) -> str:
    """XMP with one description."""
    description = f'<rdf:Description rdf:about="" {spaces} {attributes}>{inside}</rdf:Description>'
    return (
        f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="{RDF}">{description}</rdf:RDF></x:xmpmeta>'
    )


def element(text: str) -> bytes:
    return packet(f"<TC260:AIGC>{text}</TC260:AIGC>").encode()


def jpeg(*segments: tuple[int, bytes]) -> bytes:
    """J0 with these segments, each a code and its data, behind its APP0."""
    made = b"".join(struct.pack(">BBH", 0xFF, code, len(data) + 2) + data for code, data in segments)
    return VECTORS["J0.jpg"][:20] + made + VECTORS["J0.jpg"][20:]


def with_xmp(data: bytes) -> bytes:
    return jpeg((0xE1, XMP + data))


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(*chunks: tuple[bytes, bytes], at: int = 33) -> bytes:
    """P0 with these chunks at a place: behind its IHDR."""
    return VECTORS["P0.png"][:at] + b"".join(chunk(*each) for each in chunks) + VECTORS["P0.png"][at:]


def webp(*chunks: tuple[bytes, bytes]) -> bytes:
    """W1 without its packet, with these chunks instead."""
    body = VECTORS["W1.webp"][8:56]
    for name, data in chunks:
        body += name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def exif(*entries: tuple[int, int, bytes], order: str = ">") -> bytes:
    """A TIFF with texts, each a tag, its type and its bytes; from 0x9000 on in the second folder."""
    folders = [
        [each for each in entries if each[0] < 0x9000],
        [each for each in entries if each[0] >= 0x9000],
    ]
    ends = 8 + 2 + 12 * (len(folders[0]) + 1) + 4
    data = b"".join(each[2] for each in entries)
    places = dict(zip(entries, accumulate((len(each[2]) for each in entries), initial=ends), strict=False))
    pointer = struct.pack(f"{order}HHII", 0x8769, 4, 1, ends + len(data))
    made = []
    for folder, more in zip(folders, (pointer, b""), strict=True):
        rows = [
            struct.pack(f"{order}HHI", tag, kind, len(text))
            + (text.ljust(4, b"\0") if len(text) <= 4 else struct.pack(f"{order}I", places[tag, kind, text]))
            for tag, kind, text in folder
        ]
        rows += [more] if more else []
        made.append(struct.pack(f"{order}H", len(rows)) + b"".join(rows) + bytes(4))
    head = {">": b"MM\0*", "<": b"II*\0"}[order] + struct.pack(f"{order}I", 8)
    return head + made[0] + data + made[1]


def box(name: bytes, *inside: bytes, wide: bool = False) -> bytes:
    data = b"".join(inside)
    if wide:
        return struct.pack(">I4sQ", 1, name, len(data) + 16) + data
    return struct.pack(">I4s", len(data) + 8, name) + data


FTYP_HEIC = box(b"ftyp", b"heic\0\0\0\0mif1heic")
FTYP_MP4 = box(b"ftyp", b"isom\0\0\2\0isommp42")


def item(
    number: int,
    kind: bytes = b"mime",
    content_type: bytes = b"application/rdf+xml\0",
    version: int = 2,
) -> bytes:
    wide = ">I" if version == 3 else ">H"
    named = kind + b"\0" + content_type
    return box(b"infe", bytes([version, 0, 0, 0]), struct.pack(wide, number), b"\0\0", named)


def items(*infos: bytes, version: int = 0) -> bytes:
    count = struct.pack(">I" if version else ">H", len(infos))
    return box(b"iinf", bytes([version, 0, 0, 0]), count, *infos)


def places(
    number: int,
    *pieces: tuple[int, int],
    version: int = 1,
    method: int = 0,
    base: int = 0,
    wide_offsets: bool = False,
) -> bytes:
    """Where one item is: each piece with its offset and length; with wide offsets without its number."""
    wide = ">I" if version == 2 else ">H"
    head = bytes([version, 0, 0, 0, *((0x84, 0x40) if wide_offsets else (0x44, 0x44))]) + struct.pack(wide, 1)
    row = struct.pack(wide, number) + (struct.pack(">H", method) if version else b"")
    row += struct.pack(">HIH", 0, base, len(pieces))
    for at, count in pieces:
        row += (bytes(4) if version and not wide_offsets else b"") + struct.pack(
            ">QI" if wide_offsets else ">II", at, count
        )
    return box(b"iloc", head, row)


def heic(*inside: bytes, before: bytes = b"", behind: bytes = b"") -> bytes:
    return FTYP_HEIC + before + box(b"meta", bytes(4), *inside) + behind


def heic_with(xmp: bytes) -> bytes:
    """A HEIC of 40 by 30 pixels, which it lacks, with a packet."""
    size = box(b"iprp", box(b"ispe", bytes(4), struct.pack(">II", 40, 30)))
    before = len(heic(size, items(item(7)), places(7, (0, 0)))) + 8
    return heic(size, items(item(7)), places(7, (before, len(xmp))), behind=box(b"mdat", xmp))


def tags(
    *tagged: tuple[bytes, ...],
    keys: Sequence[bytes] = (),
    version: bytes = bytes(4),
    handler: bytes = b"mdta",
) -> bytes:
    """The box of tags: each an item and its boxes."""
    hdlr = box(b"hdlr", bytes(8), handler, bytes(13))
    named = [box(b"mdta", key) for key in keys]
    listed = [box(b"keys", bytes(4), struct.pack(">I", len(keys)), *named)] if keys else []
    return box(b"meta", version, hdlr, *listed, box(b"ilst", *(box(*each) for each in tagged)))


def value(data: bytes) -> bytes:
    return box(b"data", struct.pack(">II", 1, 0), data)


def label_of(data: bytes) -> AiLabel | None:
    return label_in(len(data), lambda at, count: data[at : at + count])
