"""
Presigned URLs and signed headers of any request to OSS (V4), pure.

Everything in the query is signed, and every ``x-oss-`` header: neither can be added or changed later. The
body never is, and the host only where it is named as additional, so one signature is good for each address
of a bucket.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from types import MappingProxyType
from urllib.parse import quote

from function.annotations import NamedTuple
from function.oss import signature_v4 as v4
from function.oss.instants import stamp_of
from function.oss.post_form import CREDENTIAL_FIELD, DATE_FIELD, TOKEN_FIELD, VERSION_FIELD, Credentials

UNSIGNED_PAYLOAD = "UNSIGNED-PAYLOAD"
NONE: Mapping[str, str] = MappingProxyType({})
# Signed wherever they are sent, as is every x-oss- header.
ALWAYS_SIGNED = ("content-type", "content-md5")
ADDITIONAL = "x-oss-additional-headers"
PROCESS = "x-oss-process"


class OssRequest(NamedTuple):
    """
    A request, as far as its signature is concerned.

    Args:
        region: region id of the bucket, such as ``cn-hangzhou``.
        key: as it is, not encoded.
        query: names and values as they are; an empty value is a name alone, such as ``uploads``.
        headers: names in lower case; those of ``ALWAYS_SIGNED`` that will be sent must be here.
        additional: names of further ``headers`` that the signature holds to their values, lower case.
    """

    method: str
    bucket: str
    region: str
    key: str
    query: Mapping[str, str] = NONE
    headers: Mapping[str, str] = NONE
    additional: tuple[str, ...] = ()


def presign(
    request: OssRequest, credentials: Credentials, now: datetime, *, origin: str, expires_in: timedelta
) -> str:
    """
    Return the URL that admits this request and no other.

    Args:
        now: timezone-aware UTC; the URL counts from then, and 15 minutes before.
        origin: any address of the bucket, without a trailing slash.
        expires_in: whole seconds, 12 hours at most with temporary credentials; their end ends it as well.

    Returns:
        for the holder of the URL only: it contains the security token. The ``headers`` that are signed must
        be sent with it as they are here.

    Source: https://help.aliyun.com/zh/oss/developer-reference/add-signatures-to-urls
    """
    stamp = stamp_of(now)
    signer = {
        CREDENTIAL_FIELD: _credential(request, credentials, stamp),
        DATE_FIELD: stamp,
        "x-oss-expires": str(int(expires_in.total_seconds())),
        VERSION_FIELD: v4.ALGORITHM,
    }
    if credentials.security_token:
        signer[TOKEN_FIELD] = credentials.security_token
    if request.additional:
        signer[ADDITIONAL] = _additional(request)
    path, query = encode(request.key, "/"), _encode_query({**request.query, **signer})
    signature = _sign(request, path, query, request.headers, credentials, stamp)
    return f"{origin}/{path}?{query}&x-oss-signature={signature}"


def authorize(request: OssRequest, credentials: Credentials, now: datetime) -> dict[str, str]:
    """
    Return the headers to send: the request's own, and those that sign them.

    Args:
        now: timezone-aware UTC; OSS takes the request for 15 minutes before and after.

    Source: https://help.aliyun.com/zh/oss/developer-reference/recommend-to-use-signature-version-4
    """
    stamp = stamp_of(now)
    headers = {**request.headers, "x-oss-content-sha256": UNSIGNED_PAYLOAD, DATE_FIELD: stamp}
    if credentials.security_token:
        headers[TOKEN_FIELD] = credentials.security_token
    path, query = encode(request.key, "/"), _encode_query(request.query)
    signature = _sign(request, path, query, headers, credentials, stamp)
    named = f"AdditionalHeaders={_additional(request)}," if request.additional else ""
    credential = _credential(request, credentials, stamp)
    headers["authorization"] = f"{v4.ALGORITHM} Credential={credential},{named}Signature={signature}"
    return headers


def request_url(request: OssRequest, origin: str) -> str:
    """Return the URL of a request that its headers sign."""
    path, query = encode(request.key, "/"), _encode_query(request.query)
    return f"{origin}/{path}?{query}" if query else f"{origin}/{path}"


# Most of one URL stands in the next as well; the longest, the security token, for an hour.
@lru_cache(maxsize=128)
def encode(text: str, safe: str = "") -> str:
    """Return the UTF-8 percent-encoded in upper case, but ``A-Z a-z 0-9 - _ . ~`` and what is safe."""
    return quote(text, safe=safe)


def _sign(
    request: OssRequest,
    path: str,
    query: str,
    headers: Mapping[str, str],
    credentials: Credentials,
    stamp: str,
) -> str:
    """Return 64 lower-case hexadecimal characters; path and query are encoded."""
    date = stamp[:8]
    signed = "".join(_signed_headers(headers, request.additional))
    canonical = (
        f"{request.method}\n/{request.bucket}/{path}\n{query}\n{signed}\n{_additional(request)}\n"
        f"{UNSIGNED_PAYLOAD}"
    )
    digest = v4.sha256_without_gil_release(canonical)
    to_sign = f"{v4.ALGORITHM}\n{stamp}\n{v4.scope(date, request.region)}\n{digest}"
    key = v4.derive_signing_key(credentials.access_key_secret, date, request.region)
    return v4.hmac_without_gil_release(key, to_sign, "sha256").hexdigest()


def _signed_headers(headers: Mapping[str, str], additional: Iterable[str]) -> Iterator[str]:
    for name in sorted({*additional, *headers}):
        if name.startswith("x-oss-") or name in ALWAYS_SIGNED or name in additional:
            yield f"{name}:{headers[name].strip()}\n"


def _additional(request: OssRequest) -> str:
    return ";".join(sorted(request.additional))


def _encode_query(query: Mapping[str, str]) -> str:
    """Return the query as it is signed and sent: sorted by the encoded names."""
    pairs = sorted([(encode(name), encode(value)) for name, value in query.items()])
    return "&".join([f"{name}={value}" if value else name for name, value in pairs])


def _credential(request: OssRequest, credentials: Credentials, stamp: str) -> str:
    return f"{credentials.access_key_id}/{v4.scope(stamp[:8], request.region)}"
