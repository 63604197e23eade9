"""
Open points of objects, of signed URLs and of hosts.
"""

import struct
from base64 import b64decode
from datetime import timedelta
from zlib import compress, crc32, decompress

import requests

from ops.doctor.evidence import NotTried, accepted, evidence, text_in
from ops.doctor.open_point import Point, Seen, is_refused, told
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


def _public_acl(sandbox: Sandbox) -> Seen:
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


def _default_host(sandbox: Sandbox) -> Seen:
    answer = _at_default_host(sandbox)
    return told(text_in(answer, "Code") == "PublicEndpointForbidden", evidence(answer))


def _forced_download(sandbox: Sandbox) -> Seen:
    answer = accepted(_at_default_host(sandbox))
    forced = answer.headers.get("x-oss-force-download", "")
    return told(forced == "true", f"x-oss-force-download: {forced or '-'}")


def _stranger(sandbox: Sandbox) -> Seen:
    return is_refused(sandbox.send("GET", f"{sandbox.settings.host}/{sandbox.put()}"))


def _response_type(sandbox: Sandbox) -> Seen:
    query = {"response-content-type": "image/png"}
    return is_refused(sandbox.send("GET", sandbox.url("GET", sandbox.put(), query=query)))


def _absence(sandbox: Sandbox) -> Seen:
    session = sandbox.session("oss:GetObject")
    accepted(sandbox.call("HEAD", sandbox.put(), by=session))
    answer = sandbox.call("HEAD", f"{FOLDER}nothing-has-this-name", by=session)
    if answer.status_code not in (403, 404):
        raise NotTried(Text(f"HTTP {answer.status_code}", f"HTTP {answer.status_code}"))
    return told(answer.status_code == 403, evidence(answer))


def _url_that_is_over(sandbox: Sandbox) -> Seen:
    answer = sandbox.send("GET", sandbox.url("GET", sandbox.put(), at=sandbox.now - LONG_AGO))
    if answer.status_code not in (400, 403):
        raise NotTried(Text(f"HTTP {answer.status_code}", f"HTTP {answer.status_code}"))
    return told(answer.status_code == 400, evidence(answer))


def _processed(sandbox: Sandbox, kind: str, picture: bytes, process: str) -> requests.Response:
    key = sandbox.put({"content-type": kind}, picture)
    return sandbox.send("GET", sandbox.url("GET", key, query={"x-oss-process": process}))


def _variant(sandbox: Sandbox) -> Seen:
    answer = accepted(_processed(sandbox, "image/jpeg", TOLD, CLEANING))
    return told(PLACE in answer.content, evidence(answer))


def _turned_png(sandbox: Sandbox) -> Seen:
    picture = _png(2, SIDEWAYS)
    answer = accepted(_processed(sandbox, "image/png", picture, "image/auto-orient,1/format,png"))
    return told(answer.content[16:24] == struct.pack(">II", 1, 2), evidence(answer))


def _large_turned(sandbox: Sandbox) -> Seen:
    picture = _png(LARGEST_TURNED + 1)
    return is_refused(_processed(sandbox, "image/png", picture, "image/auto-orient,1/format,png"))


def _animation(sandbox: Sandbox) -> Seen:
    return is_refused(_processed(sandbox, "image/gif", ANIMATION, "image/format,png"))


def _identity(sandbox: Sandbox) -> Seen:
    """Find how ``Content-Encoding: identity`` comes back."""
    key = sandbox.put({"content-encoding": "identity"})
    kept = accepted(sandbox.call("HEAD", key)).headers.get("Content-Encoding")
    said = Text(f"kept as {kept}", f"保存为 {kept}") if kept else Text("dropped", "被去掉")
    return Seen(None, said, f"Content-Encoding: {kept or '-'}")


POINTS = (
    Point(
        "block_public_access",
        Text("Is a public ACL refused?", "公共 ACL 会被拒绝吗？"),
        *(True, 3, _public_acl),
    ),
    Point(
        "public_endpoint_forbidden",
        Text("Is the bucket's default host forbidden?", "桶的默认域名被禁用了吗？"),
        *(True, 2, _default_host),
    ),
    Point(
        "default_host_downloads",
        Text("Does the default host force downloads?", "默认域名会强制下载吗？"),
        *(True, 2, _forced_download),
    ),
    Point(
        "private_reads_need_signature",
        Text("Is a stranger kept from reading?", "没有签名的人读不到吗？"),
        *(True, 2, _stranger),
    ),
    Point(
        "response_type_fixed",
        Text("Is response-content-type refused?", "response-content-type 会被拒绝吗？"),
        *(True, 2, _response_type),
    ),
    Point(
        "absence_told_to_listers_only",
        Text("Is what is not there 403 for who may not list?", "不能列举的人看不存在的对象，得到 403 吗？"),
        *(True, 4, _absence),
    ),
    Point(
        "variants_keep_exif",
        Text(
            "Does a processed picture keep the place in its EXIF, XMP, IPTC or comment?",
            "处理后的图片还带着 EXIF、XMP、IPTC 或注释里的地点吗？",
        ),
        *(True, 2, _variant),
    ),
    Point(
        "auto_orient_reads_png",
        Text("Does auto-orient turn a PNG by its EXIF?", "auto-orient 会按 EXIF 转正 PNG 吗？"),
        *(True, 2, _turned_png),
    ),
    Point(
        "auto_orient_is_bounded",
        Text(
            "Does auto-orient refuse sides of more than 4,096 pixels?",
            "边长超过 4,096 像素，auto-orient 会拒绝吗？",
        ),
        *(True, 2, _large_turned),
    ),
    Point(
        "animations_are_refused",
        Text("Is an animated GIF refused by format?", "format 会拒绝动态 GIF 吗？"),
        *(True, 2, _animation),
    ),
    Point(
        "expired_url_is_400",
        Text("Is a signed URL that is over 400?", "过期的预签名 URL 得到 400 吗？"),
        *(True, 2, _url_that_is_over),
    ),
    Point(
        "identity_encoding",
        Text("How is Content-Encoding: identity stored?", "Content-Encoding: identity 怎样保存？"),
        *(False, 2, _identity),
    ),
)
