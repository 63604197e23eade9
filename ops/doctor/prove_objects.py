"""
Open points of objects, of signed URLs and of hosts.
"""

from base64 import b64decode
from datetime import timedelta
from zlib import decompress

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


def _variant(sandbox: Sandbox) -> Seen:
    key = sandbox.put({"content-type": "image/jpeg"}, PICTURE)
    query = {"x-oss-process": "image/resize,w_1"}
    answer = accepted(sandbox.send("GET", sandbox.url("GET", key, query=query)))
    return told(PLACE in answer.content, evidence(answer))


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
        Text("Does a resized picture keep the place in its EXIF?", "缩放后的图片还带着 EXIF 里的地点吗？"),
        *(True, 2, _variant),
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
