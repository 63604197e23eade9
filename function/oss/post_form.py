"""
Signed PostObject forms (V4 and V1), pure: made of a rule, credentials and an instant.

Every field of a form becomes a condition of its policy by construction, because OSS accepts any value
for a field that no condition names.
"""

import json
from base64 import b64encode
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple, Protocol
from urllib.parse import quote

from function.oss import signature_v4

TOKEN_FIELD = "x-oss-security-token"
TYPE_FIELD = "x-oss-content-type"
OVERWRITE_FIELD = "x-oss-forbid-overwrite"
VERSION_FIELD, CREDENTIAL_FIELD = "x-oss-signature-version", "x-oss-credential"
DATE_FIELD = "x-oss-date"
_encode = json.JSONEncoder(ensure_ascii=False).encode


class Credentials(Protocol):
    """Temporary credentials of STS, which sign."""

    @property
    def access_key_id(self) -> str: ...
    @property
    def access_key_secret(self) -> str: ...
    @property
    def security_token(self) -> str: ...


class UploadRule(NamedTuple):
    """
    The upload that one signed form admits.

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

    @property
    def content_type(self) -> str:
        """Lower case, without parameters; empty where the page's own counts."""
        return self.fields.get(TYPE_FIELD, "")


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


def sign_object(rule: UploadRule, credentials: Credentials, now: datetime) -> dict[str, str]:
    """
    Return the form fields for the one object ``rule.key``; the file goes behind them.

    Args:
        now: timezone-aware UTC; its day is the day of the signature.

    Returns:
        ``{"key": …, …, "policy": …, "x-oss-signature": …}`` (V4), or with ``OSSAccessKeyId`` and
        ``signature`` (V1). For the holder of the form only: it contains the security token.

    Source: https://help.aliyun.com/zh/oss/developer-reference/postobject
    """
    signed = _sign(rule, {"key": rule.key, **rule.fields}, (), credentials, now)
    if rule.signature_version == "v1":
        signature = {"OSSAccessKeyId": credentials.access_key_id, "signature": signed.signature}
    else:
        signature = {"x-oss-signature": signed.signature}
    return {**signed.pinned, "policy": signed.policy, **signature}


def sign_folder(rule: UploadRule, credentials: Credentials, now: datetime) -> SignedPolicy:
    """Return a signed policy for any name under the folder ``rule.key``, as Alibaba's sample servers give."""
    folder = f'["starts-with","$key",{_encode(rule.key)}]'
    return _sign(rule, rule.fields, (folder,), credentials, now)


def _sign(
    rule: UploadRule,
    fields: Mapping[str, str],
    conditions: Iterable[str],
    credentials: Credentials,
    now: datetime,
) -> SignedPolicy:
    stamp = iso(now).replace("-", "").replace(":", "")
    date = stamp[:8]
    if rule.signature_version == "v1":
        signer = {}
    else:
        signer = {
            VERSION_FIELD: signature_v4.ALGORITHM,
            CREDENTIAL_FIELD: f"{credentials.access_key_id}/{signature_v4.scope(date, rule.region)}",
            DATE_FIELD: stamp,
        }
    pinned = {**fields, **signer, TOKEN_FIELD: credentials.security_token}
    policy = encode_policy(
        rule.expires_at,
        [
            *conditions,
            exact_match("bucket", rule.bucket),
            f'["content-length-range",{rule.min_size_bytes},{rule.max_size_bytes}]',
            *[exact_match(name, value) for name, value in pinned.items()],
        ],
    )
    if rule.signature_version == "v1":
        return SignedPolicy(policy, sign_v1(policy, credentials.access_key_secret), pinned)
    signing_key = signature_v4.derive_signing_key(credentials.access_key_secret, date, rule.region)
    return SignedPolicy(policy, sign_v4(policy, signing_key), pinned)


def encode_policy(expires_at: datetime, conditions: Iterable[str]) -> str:
    """Return the policy document as it is sent and signed: base64 of the JSON; each condition is JSON."""
    expiration = f"{iso(expires_at)[:-1]}.000Z"
    policy = f'{{"expiration":"{expiration}","conditions":[{",".join(conditions)}]}}'
    return b64encode(policy.encode()).decode()


# Most conditions of one form stand in the next as well; the longest, the token's, for an hour.
@lru_cache(maxsize=64)
def exact_match(name: str, value: str) -> str:
    """Return the condition, as JSON, that holds a form field to one value."""
    return f"{{{_encode(name)}:{_encode(value)}}}"


# All the files of a request, and all requests of one second, write the same two instants: two seconds meet.
@lru_cache(maxsize=4)
def iso(instant: datetime) -> str:
    """Return ``2026-11-24T14:05:00Z``, from timezone-aware UTC."""
    return f"{instant.isoformat()[:19]}Z"


def object_url(host: str, key: str) -> str:
    """Return the URL of an object, its key percent-encoded as UTF-8."""
    path = quote(key, safe="/-._~")
    return f"{host}/{path}"


def sign_v1(policy: str, secret: str) -> str:
    """Return the V1 signature of an encoded policy: base64 of the HMAC-SHA1."""
    return b64encode(signature_v4.hmac_without_gil_release(secret.encode(), policy, "sha1").digest()).decode()


def sign_v4(policy: str, signing_key: bytes) -> str:
    """Return the V4 signature of a policy, encoded exactly as it will be sent, in lower-case hexadecimal."""
    return signature_v4.hmac_without_gil_release(signing_key, policy, "sha256").hexdigest()
