"""
Pure: a rule, credentials and an instant become a signed PostObject form (V4 and V1).

Every field of a form becomes a condition of its policy by construction, because OSS takes a field
that no condition names from the client as it comes.
"""

import hmac
import json
from base64 import b64encode
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from sts_credentials import StsCredentials

TOKEN_FIELD = "x-oss-security-token"
V4_ALGORITHM = "OSS4-HMAC-SHA256"
# From 2048 bytes on, and in hmac.digest always, Python lets another thread run while it hashes. Under a
# threaded server this one then waits for its next turn much longer than a policy takes to hash.
HASHED_AT_ONCE = 2047
_encode = json.JSONEncoder(ensure_ascii=False).encode


class UploadRule(NamedTuple):
    """
    What one signed form admits.

    Args:
        region: region id of the bucket, such as ``cn-hangzhou``.

        expires_at: timezone-aware UTC; OSS must have the whole request by then.

        key: the exact object key; or, ending in ``/``, the folder under which the page names it
            (only for ``sign_folder``).

        fields: further form fields with the one value each may have, such as ``x-oss-content-type``.
    """

    bucket: str
    region: str
    signature_version: str
    key: str
    min_size_bytes: int
    max_size_bytes: int
    expires_at: datetime
    fields: Mapping[str, str]


class SignedPolicy(NamedTuple):
    """
    The outcome of signing.

    Args:
        pinned: the fields that the policy holds to one value, which the form must send.

        signature: lower-case hexadecimal (V4) or base64 (V1).
    """

    policy: str
    signature: str
    pinned: dict[str, str]


def sign_object(rule: UploadRule, credentials: "StsCredentials", now: datetime) -> dict[str, str]:
    """
    The form fields for the one object ``rule.key``; the file goes behind them.

    Args:
        now: timezone-aware UTC; its day is the day of the signature.

    Returns:
        ``{"key": …, …, "policy": …, "x-oss-signature": …}`` (V4), or with ``OSSAccessKeyId`` and
        ``signature`` (V1). For the holder of the form only: it contains the security token.

    Source: https://help.aliyun.com/zh/oss/developer-reference/postobject
    """
    policy, signature, form = _sign(rule, {"key": rule.key, **rule.fields}, [], credentials, now)
    form["policy"] = policy
    if rule.signature_version == "v1":
        form["OSSAccessKeyId"] = credentials.access_key_id
        form["signature"] = signature
    else:
        form["x-oss-signature"] = signature
    return form


def sign_folder(rule: UploadRule, credentials: "StsCredentials", now: datetime) -> SignedPolicy:
    """
    A signed policy for any name under the folder ``rule.key``, as Alibaba's sample servers give.

    Args:
        now: timezone-aware UTC; its day is the day of the signature.
    """
    folder = f'["starts-with","$key",{_encode(rule.key)}]'
    return _sign(rule, dict(rule.fields), [folder], credentials, now)


def _sign(
    rule: UploadRule,
    pinned: dict[str, str],
    conditions: list[str],
    credentials: "StsCredentials",
    now: datetime,
) -> SignedPolicy:
    """Sign; what signing adds to a form is added to ``pinned`` itself."""
    is_v4 = rule.signature_version == "v4"
    if is_v4:
        stamp = iso(now).replace("-", "").replace(":", "")
        date = stamp[:8]
        pinned["x-oss-signature-version"] = V4_ALGORITHM
        pinned["x-oss-credential"] = f"{credentials.access_key_id}/{date}/{rule.region}/oss/aliyun_v4_request"
        pinned["x-oss-date"] = stamp
    pinned[TOKEN_FIELD] = credentials.security_token
    conditions += [
        pin("bucket", rule.bucket),
        f'["content-length-range",{rule.min_size_bytes},{rule.max_size_bytes}]',
        *[pin(name, value) for name, value in pinned.items()],
    ]
    policy = encode_policy(rule.expires_at, conditions)
    if is_v4:
        signing_key = derive_signing_key(credentials.access_key_secret, date, rule.region)
        return SignedPolicy(policy, sign_v4(policy, signing_key), pinned)
    return SignedPolicy(policy, sign_v1(policy, credentials.access_key_secret), pinned)


def encode_policy(expires_at: datetime, conditions: Iterable[str]) -> str:
    """
    The policy document as it is sent and signed.

    Args:
        expires_at: timezone-aware UTC, written in GMT with milliseconds.

        conditions: each as JSON.

    Returns:
        base64 of the UTF-8 JSON.
    """
    expiration = f"{iso(expires_at)[:-1]}.000Z"
    return b64encode(
        f'{{"expiration":"{expiration}","conditions":[{",".join(conditions)}]}}'.encode()
    ).decode()


# Most conditions of one form stand in the next as well; the longest, the token's, for an hour.
@lru_cache(maxsize=64)
def pin(name: str, value: str) -> str:
    """The condition, as JSON, that holds a form field to one value."""
    return f"{{{_encode(name)}:{_encode(value)}}}"


# All the files of a request, and all requests of one second, write the same two instants: two seconds meet.
@lru_cache(maxsize=4)
def iso(instant: datetime) -> str:
    """``2026-11-24T14:05:00Z``, from timezone-aware UTC."""
    return f"{instant.isoformat()[:19]}Z"


def sign_v1(policy: str, secret: str) -> str:
    """
    Sign an encoded policy the way OSS signature version 1 asks.

    Args:
        policy: base64 text exactly as it will be sent.

    Returns:
        base64 of the HMAC-SHA1.

    Source: https://help.aliyun.com/zh/oss/developer-reference/postobject
    """
    return b64encode(_hash(secret.encode(), policy, "sha1").digest()).decode()


def sign_v4(policy: str, signing_key: bytes) -> str:
    """
    Sign an encoded policy the way OSS signature version 4 asks.

    Args:
        policy: base64 text exactly as it will be sent; the signature covers these characters,
            not the JSON behind them.

    Returns:
        64 lower-case hexadecimal characters.

    Source: https://help.aliyun.com/zh/oss/developer-reference/signature-version-4-recommend
    """
    return _hash(signing_key, policy, "sha256").hexdigest()


def _hash(key: bytes, policy: str, algorithm: str) -> hmac.HMAC:
    """The HMAC of an encoded policy, without letting other threads in."""
    mac = hmac.new(key, digestmod=algorithm)
    text = policy.encode()
    for start in range(0, len(text), HASHED_AT_ONCE):
        mac.update(text[start : start + HASHED_AT_ONCE])
    return mac


# Two, because around midnight or a refresh requests of both sides meet; no more, because each
# remembered call keeps a secret in memory.
@lru_cache(maxsize=2)
def derive_signing_key(secret: str, date: str, region: str) -> bytes:
    """
    The V4 key of one day and region.

    Args:
        date: UTC day, ``YYYYMMDD``; must be the day of ``x-oss-date``.

        region: region id such as ``cn-hangzhou`` (not ``oss-cn-hangzhou``).

    Returns:
        32 bytes, as secret as the secret itself until the day is over.

    Source: https://help.aliyun.com/zh/oss/developer-reference/signature-version-4-recommend
    """
    key = f"aliyun_v4{secret}".encode()
    for part in (date, region, "oss", "aliyun_v4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key
