"""Questions about the processing of pictures."""

import struct
from base64 import b64decode
from zlib import decompress

import requests

from function.oss.objects import head_object, process_object, read_range
from ops.doctor.evidence import accepted, evidence
from ops.doctor.proof.point import Seen, is_refused, told
from ops.doctor.proof.samples import grey_png
from ops.doctor.proof.sandbox import Sandbox

# A grey JPEG of 2 × 2 dots, whose EXIF has the place PROVE (GPSMapDatum).
PLACE = b"PROVE"
PICTURE = decompress(
    b64decode(
        "eNr7f+P/AwYBLzdPNwZGRgYGRiBk+P+Qwcq1IjONgcHXl0GLgYGBg4GxQ5WBhQEkz8AgxcAAZgkxMAFpNi"
        "DWAQkEBPmHuTL8v83gzPCfUnCAgZsDaDoTI6Mgw/8jDCJge5EBM0hUAF2U4f8tBg6QN+wZzP/fBAATpVe2"
    )
)
# Where its first segment, APP0, ends; and the same without EXIF.
BEGINNING = 20
BARE = PICTURE[:BEGINNING] + PICTURE[80:]
# A label of AI-made content (GB 45438-2025), and the XMP that holds it.
LABEL = b'{"Label":"1","ContentProducer":"%b","ProduceID":"1"}' % PLACE
XMP = (
    b"<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>"
    b"<rdf:Description rdf:about='' xmlns:TC260='http://www.tc260.org.cn/ns/AIGC/1.0/'>"
    b"<TC260:AIGC>%b</TC260:AIGC></rdf:Description></rdf:RDF></x:xmpmeta>" % LABEL
)
# The beginning of a C2PA manifest: a JUMBF box with one description.
C2PA = bytes.fromhex("63327061 00110010 800000aa00389b71")
MANIFEST = b"JP\0\1\0\0\0\1" + struct.pack(">I4sI4s", 39, b"jumb", 31, b"jumd") + C2PA + b"\3%b\0" % PLACE
IPTC = b"Photoshop 3.0\x008BIM\x04\x04\0\0\0\0\0\x0a\x1c\x02\x5a\0\x05%b" % PLACE
# As the option strip processes a JPEG.
CLEANING = "image/auto-orient,1/format,jpg/quality,q_90"
CLEANING_PNG = "image/auto-orient,1/format,png"
# Two frames, one black and one white dot.
FRAME = b"\x2c\0\0\0\0\x01\0\x01\0\0\x02\x02%b\x01\0"
ANIMATION = b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xff\xff\xff" + FRAME % b"\x44" + FRAME % b"\x4c" + b";"
# TIFF with one tag: the orientation of a picture that lies on its side.
SIDEWAYS = b"MM\0*\0\0\0\x08\0\1\1\x12\0\3\0\0\0\1\0\6\0\0\0\0\0\0"
LARGEST_TURNED = 4096


def _png(width: int, *more: tuple[bytes, bytes]) -> bytes:
    """A grey PNG, one dot high."""
    return grey_png(width, 1, b"\0" + b"\x80" * width, *more)


def _processed(sandbox: Sandbox, kind: str, picture: bytes, process: str) -> requests.Response:
    key = sandbox.put({"content-type": kind}, picture)
    return sandbox.send("GET", sandbox.url("GET", key, query={"x-oss-process": process}))


def _keeps(sandbox: Sandbox, kind: str, picture: bytes, process: str = CLEANING) -> Seen:
    answer = accepted(_processed(sandbox, kind, picture, process))
    return told(PLACE in answer.content, evidence(answer))


def _jpeg(picture: bytes, *segments: tuple[int, bytes]) -> bytes:
    """A JPEG with further segments behind its first."""
    added = (struct.pack(">BBH", 0xFF, code, len(data) + 2) + data for code, data in segments)
    return picture[:BEGINNING] + b"".join(added) + picture[BEGINNING:]


def variants_keep_exif(sandbox: Sandbox) -> Seen:
    return _keeps(sandbox, "image/jpeg", _jpeg(PICTURE, (0xED, IPTC), (0xFE, PLACE)))


def variants_keep_xmp(sandbox: Sandbox) -> Seen:
    return _keeps(sandbox, "image/jpeg", _jpeg(BARE, (0xE1, b"http://ns.adobe.com/xap/1.0/\0" + XMP)))


def variants_keep_texts(sandbox: Sandbox) -> Seen:
    return _keeps(sandbox, "image/png", _png(2, (b"tEXt", b"AIGC\0" + LABEL)), CLEANING_PNG)


def variants_keep_app11(sandbox: Sandbox) -> Seen:
    return _keeps(sandbox, "image/jpeg", _jpeg(BARE, (0xEB, MANIFEST)))


def auto_orient_reads_png(sandbox: Sandbox) -> Seen:
    picture = _png(2, (b"eXIf", SIDEWAYS))
    answer = accepted(_processed(sandbox, "image/png", picture, CLEANING_PNG))
    return told(answer.content[16:24] == struct.pack(">II", 1, 2), evidence(answer))


def auto_orient_is_bounded(sandbox: Sandbox) -> Seen:
    picture = _png(LARGEST_TURNED + 1)
    return is_refused(_processed(sandbox, "image/png", picture, CLEANING_PNG))


def animations_are_refused(sandbox: Sandbox) -> Seen:
    return is_refused(_processed(sandbox, "image/gif", ANIMATION, "image/format,png"))


def processed_copy_is_stored(sandbox: Sandbox) -> Seen:
    oss, target = sandbox.client(), sandbox.new_key()
    code = process_object(oss, sandbox.put({"content-type": "image/jpeg"}, PICTURE), target, CLEANING)
    facts = None if code else head_object(oss, target)
    if facts is None:
        return told(False, code or "-")
    beginning = read_range(oss, target, 0, 2, facts.etag)
    return told(beginning == PICTURE[:2], facts.content_type)


def text_is_no_picture(sandbox: Sandbox) -> Seen:
    code = process_object(sandbox.client(), sandbox.put(), sandbox.new_key(), CLEANING)
    return told(bool(code), code or "-")
