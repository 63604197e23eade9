"""
The one packet of XMP with a label that is written into a cleaned picture; pure.

Sources: as for reading; XMP specification part 1 (the wrapper)
"""

import struct
import zlib

from function.ai_label.annex_e import text_of
from function.ai_label.label import METADATA, AiLabel
from function.ai_label.pictures import APP1, XMP_HEADER, XMP_KEYWORD
from function.ai_label.xmp import NAMESPACE
from function.moderation.picture_structure import JPEG, PNG

BEFORE = (
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
    '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about=""'
    f' xmlns:TC260="{NAMESPACE}"><TC260:AIGC>'
)
BEHIND = '</TC260:AIGC></rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="r"?>'
# Ends of JFIF's segment, which has no thumbnail, and of a PNG's first chunk; begins of a WebP's and its data.
JFIF_END, PNG_HEADER, WEBP_FIRST, WEBP_DATA = 20, 33, 12, 20
# Flags of a WebP's extended header: XMP, and transparency.
HAS_XMP, HAS_ALPHA = 0x04, 0x10
# In the header of a lossless picture, behind its sizes.
IS_TRANSPARENT = 1 << 28


def can_be_carried(label: AiLabel | None) -> bool:
    """Return whether a copy can say what its original says, be it nothing."""
    return label is not None and label.is_whole and not label.problem


def label_to_write(label: AiLabel | None, code: str | None, upload_id: str) -> AiLabel | None:
    """
    Return the label of a published copy; ``None`` for none.

    Args:
        label: of the upload, from any source.
        code: of the service that spreads it; ``None`` if it writes no fields of its own.
    """
    if label is None or label.label is None or not can_be_carried(label):
        return None
    if code:
        return label._replace(propagator=code, propagate_id=upload_id, reserved2="")
    return label if label.source == METADATA else None


def packet(label: AiLabel) -> bytes:
    """Return the packet that has a label and nothing else."""
    text = text_of(label).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return f"{BEFORE}{text}{BEHIND}".encode()


def embed(kind: str, body: bytes, xmp: bytes) -> bytes:
    """
    Return a picture with a packet, and all of its other bytes as they are but for what counts them.

    Args:
        kind: ``JPEG``, ``PNG`` or ``WEBP``.
        body: a picture without metadata, walked to its end.
    """
    if kind == JPEG:
        # Behind JFIF's own segment, which must come first.
        at = JFIF_END if body[2:4] == b"\xff\xe0" else 2
        data = XMP_HEADER + xmp
        return body[:at] + struct.pack(">BBH", 0xFF, APP1, len(data) + 2) + data + body[at:]
    if kind == PNG:
        chunk = b"iTXt" + XMP_KEYWORD + bytes(5) + xmp
        made = struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
        return body[:PNG_HEADER] + made + body[PNG_HEADER:]
    chunks = bytearray(body[WEBP_FIRST:] if body.startswith(b"VP8X", WEBP_FIRST) else _extended(body))
    chunks[8] |= HAS_XMP
    # The last chunk may lack the byte that makes it even.
    chunks += bytes(len(chunks) % 2) + struct.pack("<4sI", b"XMP ", len(xmp)) + xmp + bytes(len(xmp) % 2)
    return b"RIFF" + struct.pack("<I", len(chunks) + 4) + b"WEBP" + chunks


def _extended(body: bytes) -> bytes:
    """Return the chunks of a simple WebP behind the extended header that they lack."""
    data, flags = body[WEBP_DATA : WEBP_DATA + 10], 0
    if body.startswith(b"VP8L", WEBP_FIRST):
        bits = int.from_bytes(data[1:5], "little")
        width, height = bits & 0x3FFF, bits >> 14 & 0x3FFF
        flags = HAS_ALPHA if bits & IS_TRANSPARENT else 0
    else:
        width, height = ((size & 0x3FFF) - 1 for size in struct.unpack("<6x2H", data))
    sizes = width.to_bytes(3, "little") + height.to_bytes(3, "little")
    return b"VP8X" + struct.pack("<I4B", 10, flags, 0, 0, 0) + sizes + body[WEBP_FIRST:]
