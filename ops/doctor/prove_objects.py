"""
Open points of objects, of signed URLs and of hosts.
"""

import struct
from base64 import b64decode
from datetime import timedelta
from zlib import compress, crc32, decompress

import requests

from ops.doctor.evidence import NotTried, accepted, evidence, text_in
from ops.doctor.point import Seen, is_refused, points, told
from ops.doctor.sandbox import FOLDER, Sandbox
from ops.terminal.language import Text

LONG_AGO = timedelta(hours=1)
# A grey JPEG of 2 × 2 dots, whose EXIF has the place PROVE (GPSMapDatum).
PLACE = b"PROVE"
PICTURE = decompress(
    b64decode(
        "eNr7f+P/AwYBLzdPNwZGRgYGRiBk+P+Qwcq1IjONgcHXl0GLgYGBg4GxQ5WBhQEkz8AgxcAAZgkxMAFpNi"
        "DWAQkEBPmHuTL8v83gzPCfUnCAgZsDaDoTI6Mgw/8jDCJge5EBM0hUAF2U4f8tBg6QN+wZzP/fBAATpVe2"
    )
)
# The same with XMP, IPTC and a comment that name the place as well.
TOLD = (
    PICTURE[:2]
    + b"".join(
        struct.pack(">BBH", 0xFF, code, len(data) + 2) + data
        for code, data in (
            (
                0xE1,
                b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta xmlns:x='adobe:ns:meta/'>%b</x:xmpmeta>" % PLACE,
            ),
            (0xED, b"Photoshop 3.0\x008BIM\x04\x04\0\0\0\0\0\x0a\x1c\x02\x5a\0\x05%b" % PLACE),
            (0xFE, PLACE),
        )
    )
    + PICTURE[2:]
)
# As the option strip processes a JPEG.
CLEANING = "image/auto-orient,1/format,jpg/quality,q_90"
# Two frames, one black and one white dot.
FRAME = b"\x2c\0\0\0\0\x01\0\x01\0\0\x02\x02%b\x01\0"
ANIMATION = b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xff\xff\xff" + FRAME % b"\x44" + FRAME % b"\x4c" + b";"
# TIFF with one tag: the orientation of a picture that lies on its side.
SIDEWAYS = b"MM\0*\0\0\0\x08\0\1\1\x12\0\3\0\0\0\1\0\6\0\0\0\0\0\0"
LARGEST_TURNED = 4096


def _png(width: int, exif: bytes = b"") -> bytes:
    """A grey PNG, one dot high."""
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", width, 1, 8, 0, 0, 0, 0)), (b"eXIf", exif)]
    chunks += [(b"IDAT", compress(b"\0" + b"\x80" * width)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", crc32(name + data))
        for name, data in chunks
        if data or name != b"eXIf"
    )


def block_public_access(sandbox: Sandbox) -> Seen:
    """For a moment a byte may be public: a point."""
    accepted(sandbox.call("HEAD", sandbox.put()))
    key = sandbox.new_key()
    return is_refused(sandbox.call("PUT", key, headers={"x-oss-object-acl": "public-read"}, body=b"."))


def _at_default_host(sandbox: Sandbox) -> requests.Response:
    url = sandbox.url("GET", sandbox.put(), origin=sandbox.default_host)
    try:
        return sandbox.send("GET", url)
    except requests.RequestException as error:
        why = Text(
            f"{sandbox.default_host} does not answer ({type(error).__name__})",
            f"{sandbox.default_host} 没有响应（{type(error).__name__}）",
        )
        raise NotTried(why) from None


def public_endpoint_forbidden(sandbox: Sandbox) -> Seen:
    answer = _at_default_host(sandbox)
    return told(text_in(answer, "Code") == "PublicEndpointForbidden", evidence(answer))


def default_host_downloads(sandbox: Sandbox) -> Seen:
    answer = accepted(_at_default_host(sandbox))
    forced = answer.headers.get("x-oss-force-download", "")
    return told(forced == "true", f"x-oss-force-download: {forced or '-'}")


def private_reads_need_signature(sandbox: Sandbox) -> Seen:
    return is_refused(sandbox.send("GET", f"{sandbox.settings.host}/{sandbox.put()}"))


def response_type_fixed(sandbox: Sandbox) -> Seen:
    query = {"response-content-type": "image/png"}
    return is_refused(sandbox.send("GET", sandbox.url("GET", sandbox.put(), query=query)))


def absence_told_to_listers_only(sandbox: Sandbox) -> Seen:
    session = sandbox.session("oss:GetObject")
    accepted(sandbox.call("HEAD", sandbox.put(), by=session))
    answer = sandbox.call("HEAD", f"{FOLDER}nothing-has-this-name", by=session)
    if answer.status_code not in (403, 404):
        raise NotTried(Text(f"HTTP {answer.status_code}", f"HTTP {answer.status_code}"))
    return told(answer.status_code == 403, evidence(answer))


def expired_url_is_400(sandbox: Sandbox) -> Seen:
    answer = sandbox.send("GET", sandbox.url("GET", sandbox.put(), at=sandbox.now - LONG_AGO))
    if answer.status_code not in (400, 403):
        raise NotTried(Text(f"HTTP {answer.status_code}", f"HTTP {answer.status_code}"))
    return told(answer.status_code == 400, evidence(answer))


def _processed(sandbox: Sandbox, kind: str, picture: bytes, process: str) -> requests.Response:
    key = sandbox.put({"content-type": kind}, picture)
    return sandbox.send("GET", sandbox.url("GET", key, query={"x-oss-process": process}))


def variants_keep_exif(sandbox: Sandbox) -> Seen:
    answer = accepted(_processed(sandbox, "image/jpeg", TOLD, CLEANING))
    return told(PLACE in answer.content, evidence(answer))


def auto_orient_reads_png(sandbox: Sandbox) -> Seen:
    picture = _png(2, SIDEWAYS)
    answer = accepted(_processed(sandbox, "image/png", picture, "image/auto-orient,1/format,png"))
    return told(answer.content[16:24] == struct.pack(">II", 1, 2), evidence(answer))


def auto_orient_is_bounded(sandbox: Sandbox) -> Seen:
    picture = _png(LARGEST_TURNED + 1)
    return is_refused(_processed(sandbox, "image/png", picture, "image/auto-orient,1/format,png"))


def animations_are_refused(sandbox: Sandbox) -> Seen:
    return is_refused(_processed(sandbox, "image/gif", ANIMATION, "image/format,png"))


def identity_encoding(sandbox: Sandbox) -> Seen:
    """Find how ``Content-Encoding: identity`` comes back."""
    key = sandbox.put({"content-encoding": "identity"})
    kept = accepted(sandbox.call("HEAD", key)).headers.get("Content-Encoding")
    said = Text(f"kept as {kept}", f"保存为 {kept}") if kept else Text("dropped", "被去掉")
    return Seen(None, said, f"Content-Encoding: {kept or '-'}")


POINTS = points(
    block_public_access,
    public_endpoint_forbidden,
    default_host_downloads,
    private_reads_need_signature,
    response_type_fixed,
    absence_told_to_listers_only,
    variants_keep_exif,
    auto_orient_reads_png,
    auto_orient_is_bounded,
    animations_are_refused,
    expired_url_is_400,
    identity_encoding,
)
