"""
Verification of V4 signatures in the Authorization header or in the query.

Sources: https://help.aliyun.com/zh/oss/developer-reference/recommend-to-use-signature-version-4 (header),
https://help.aliyun.com/zh/oss/developer-reference/add-signatures-to-urls (query)
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from urllib.parse import quote

from local.common.accounts import AccessKey
from local.oss import errors
from local.oss.bucket import Bucket
from local.oss.credentials import TOKEN_FIELD, V4, find_key, is_same, read_date, read_scope, refused, sign_v4
from local.oss.errors import OssError
from local.oss.request import Request
from local.oss.rules import OssRules

UNSIGNED_PAYLOAD = "UNSIGNED-PAYLOAD"
# Any of these makes a query a signed one.
V4_MARKS = {"x-oss-signature-version", "x-oss-credential", "x-oss-signature"}
V1_MARKS = {"OSSAccessKeyId", "Signature"}
ALWAYS_SIGNED = ("content-type", "content-md5")
LONGEST_SECONDS = 604_800
LONGEST_SECONDS_WITH_TOKEN = 43_200


@dataclass(frozen=True)
class Claim:
    """
    Signature parameters of a request.

    Args:
        additional: headers that are signed beside those that always are.

        expires_in: how long a URL is good; ``None`` for a signature in the header.
    """

    credential: str
    date: str
    signature: str
    additional: tuple[str, ...]
    token: str | None
    expires_in: timedelta | None = None


def authenticate(request: Request, bucket: Bucket) -> AccessKey | None:
    """
    Find the key that signed a request; ``None`` for an unsigned one.

    Raises:
        OssError: badly signed, or signed with a key or token that is not good here and now.
    """
    in_header, in_query = (
        "authorization" in request.headers,
        not (V4_MARKS | V1_MARKS).isdisjoint(request.query),
    )
    if not (in_header or in_query):
        return None
    if in_header and in_query:
        raise OssError(errors.SIGNED_TWICE)
    other_status = bucket.rules.expired_url_is_400
    claim = _claim_of_header(request) if in_header else _claim_of_query(request, other_status)
    _check_agreement(request)
    key_id, day = read_scope(claim.credential, bucket.region)
    now = bucket.now()
    _check_window(claim, read_date(claim.date, day), now, bucket.rules)
    access_key = find_key(bucket.accounts, key_id, claim.token, now)
    canonical = canonical_request(request, bucket.name, claim.additional)
    to_sign = string_to_sign(claim.date, bucket.region, canonical)
    if not is_same(claim.signature, sign_v4(access_key.access_key_secret, day, bucket.region, to_sign)):
        raise OssError(
            errors.SIGNATURE_WRONG,
            OSSAccessKeyId=key_id,
            SignatureProvided=claim.signature,
            StringToSign=to_sign,
            CanonicalRequest=canonical,
        )
    return access_key


def canonical_request(request: Request, bucket: str, additional: tuple[str, ...]) -> str:
    """The text whose hash is signed; the host is not in it unless it is named as additional."""
    signed = {
        name: value
        for name, value in request.headers.items()
        if name.startswith("x-oss-") or name in ALWAYS_SIGNED or name in additional
    }
    return "\n".join(
        [
            request.method,
            quote(f"/{bucket}/{request.key}", safe="/"),
            canonical_query(request.query),
            "".join(f"{name}:{signed[name]}\n" for name in sorted(signed)),
            ";".join(additional),
            UNSIGNED_PAYLOAD,
        ]
    )


def canonical_query(query: Mapping[str, str]) -> str:
    """Without the signature itself; sorted by the encoded names."""
    encoded = {quote(name, safe=""): quote(value, safe="") for name, value in query.items()}
    encoded.pop("x-oss-signature", None)
    return "&".join(f"{name}={encoded[name]}" if encoded[name] else name for name in sorted(encoded))


def string_to_sign(date: str, region: str, canonical: str) -> str:
    """
    Args:
        date: ``YYYYMMDDTHHMMSSZ``.
    """
    digest = hashlib.sha256(canonical.encode("utf-8", "surrogateescape")).hexdigest()
    return f"{V4}\n{date}\n{date[:8]}/{region}/oss/aliyun_v4_request\n{digest}"


def _claim_of_header(request: Request) -> Claim:
    kind, _, rest = request.headers["authorization"].partition(" ")
    if kind == "OSS":
        raise OssError(errors.V1_RETIRED)
    # The documentation writes ", " between the parts, SDKs ","; their order differs, too.
    pairs = [part.strip().partition("=")[::2] for part in rest.split(",")]
    parts = dict(pairs)
    if kind != V4 or len(parts) < len(pairs) or not {"Credential", "Signature"} <= set(parts):
        raise OssError(errors.AUTHORIZATION_MALFORMED)
    if request.headers.get("x-oss-content-sha256") != UNSIGNED_PAYLOAD:
        raise refused(errors.PAYLOAD_SIGNED, "x-oss-content-sha256")
    named = parts.get("AdditionalHeaders")
    return Claim(
        parts["Credential"],
        request.headers.get("x-oss-date", ""),
        parts["Signature"],
        _additional(request, named, errors.HEADERS_EMPTY_IN_HEADER, errors.HEADER_ABSENT_IN_HEADER),
        request.headers.get(TOKEN_FIELD),
    )


def _claim_of_query(request: Request, other_status: bool) -> Claim:
    query = request.query
    if not V1_MARKS.isdisjoint(query):
        raise OssError(errors.V1_RETIRED)
    if query.get("x-oss-signature-version") != V4:
        raise refused(errors.SIGNATURE_VERSION, "x-oss-signature-version")
    if not query.get("x-oss-signature"):
        raise refused(errors.SIGNATURE_MISSING, "x-oss-signature")
    token = query.get(TOKEN_FIELD)
    named = query.get("x-oss-additional-headers")
    return Claim(
        query.get("x-oss-credential", ""),
        query.get("x-oss-date", ""),
        query["x-oss-signature"],
        _additional(request, named, errors.HEADERS_EMPTY_IN_QUERY, errors.HEADER_ABSENT_IN_QUERY),
        token,
        _life(
            query.get("x-oss-expires"),
            LONGEST_SECONDS if token is None else LONGEST_SECONDS_WITH_TOKEN,
            other_status,
        ),
    )


def _life(text: str | None, longest: int, other_status: bool) -> timedelta:
    if not text:
        raise refused(errors.EXPIRES_MISSING if text is None else errors.EXPIRES_EMPTY, "x-oss-expires")
    if not re.fullmatch("[0-9]{1,9}", text) or not 1 <= int(text) <= longest:
        refusal = replace(errors.EXPIRES_RANGE, status=403) if other_status else errors.EXPIRES_RANGE
        raise refused(refusal, "x-oss-expires", text)
    return timedelta(seconds=int(text))


def _additional(
    request: Request, named: str | None, empty: errors.Refusal, absent: errors.Refusal
) -> tuple[str, ...]:
    if named is None:
        return ()
    if not named:
        raise refused(empty, "x-oss-additional-headers")
    names = tuple(named.split(";"))
    if list(names) != sorted({name.lower() for name in names}):
        raise refused(errors.HEADERS_MALFORMED, "x-oss-additional-headers", named)
    for name in names:
        if name in ALWAYS_SIGNED or name.startswith("x-oss-"):
            raise refused(errors.HEADERS_MALFORMED, "x-oss-additional-headers", named)
        if name not in request.headers or "_" in name:
            raise refused(absent, "x-oss-additional-headers", named)
    return names


def _check_agreement(request: Request) -> None:
    """One thing said in query and header, and differently, has two readings."""
    for name, value in request.query.items():
        if name.startswith("x-oss-") and request.headers.get(name, value) != value:
            raise refused(errors.SAID_TWICE, name, value)


def _check_window(claim: Claim, signed_at: datetime, now: datetime, rules: OssRules) -> None:
    if now < signed_at - rules.date_ahead:
        raise OssError(errors.TIME_SKEWED)
    if claim.expires_in is None and now > signed_at + rules.date_ahead:
        raise OssError(errors.TIME_SKEWED)
    if claim.expires_in is not None and now > signed_at + claim.expires_in:
        raise OssError(
            replace(errors.URL_EXPIRED, status=400) if rules.expired_url_is_400 else errors.URL_EXPIRED
        )
