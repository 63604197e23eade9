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
from urllib.parse import quote

from function.annotations import NamedTuple, Protocol
from function.oss import signature_v4
from function.oss.instants import iso, stamp_of

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


class PreparedForm(NamedTuple):
    """
    Fields of a form that do not change from one upload to the next, each with the condition that pins it.

    ``prepare`` makes the one of the other, so no field is without its condition.

    Args:
        fields: in the order in which they are sent.
        conditions: as JSON.
    """

    fields: Mapping[str, str]
    conditions: tuple[str, ...]

    def add(self, name: str, value: str) -> "PreparedForm":
        """Return these fields and one more."""
        return PreparedForm({**self.fields, name: value}, (*self.conditions, exact_match(name, value)))


class UploadRule(NamedTuple):
    """
    The upload that one signed form admits.

    Args:
        region: region id of the bucket, such as ``cn-hangzhou``.
        expires_at: timezone-aware UTC; OSS must have the whole request by then.
        key: the exact object key; or, ending in ``/``, the folder under which the page names it
            (only for ``sign_folder``).
        form: further form fields with the one value each may have, such as ``x-oss-content-type``.
    """

    bucket: str
    region: str
    signature_version: str
    key: str
    min_size_bytes: int
    max_size_bytes: int
    expires_at: datetime
    form: PreparedForm

    @property
    def content_type(self) -> str:
        """Lower case, without parameters; empty where the page's own counts."""
        return self.form.fields.get(TYPE_FIELD, "")


class SignedPolicy(NamedTuple):
    """
    The outcome of signing.

    Args:
        pinned: fields, beside the key, that the policy holds to one value and the form must send.
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
    signed = _sign(rule, [*_bounds(rule), f'{{"key":{_encode(rule.key)}}}'], credentials, now)
    if rule.signature_version == "v1":
        signature = {"OSSAccessKeyId": credentials.access_key_id, "signature": signed.signature}
    else:
        signature = {"x-oss-signature": signed.signature}
    return {"key": rule.key, **signed.pinned, "policy": signed.policy, **signature}


def sign_folder(rule: UploadRule, credentials: Credentials, now: datetime) -> SignedPolicy:
    """Return a signed policy for any name under the folder ``rule.key``, as Alibaba's sample servers give."""
    return _sign(rule, [f'["starts-with","$key",{_encode(rule.key)}]', *_bounds(rule)], credentials, now)


def _bounds(rule: UploadRule) -> tuple[str, str]:
    size_range = f'["content-length-range",{rule.min_size_bytes},{rule.max_size_bytes}]'
    return exact_match("bucket", rule.bucket), size_range


def _sign(
    rule: UploadRule, conditions: Iterable[str], credentials: Credentials, now: datetime
) -> SignedPolicy:
    key_id, token, version = credentials.access_key_id, credentials.security_token, rule.signature_version
    signer = _signer_form(version, rule.region, key_id, token, now)
    policy = encode_policy(rule.expires_at, (*conditions, *rule.form.conditions, *signer.conditions))
    pinned = {**rule.form.fields, **signer.fields}
    secret = credentials.access_key_secret
    if version == "v1":
        return SignedPolicy(policy, sign_v1(policy, secret), pinned)
    signing_key = signature_v4.derive_signing_key(secret, stamp_of(now)[:8], rule.region)
    return SignedPolicy(policy, sign_v4(policy, signing_key), pinned)


# One for each session in this second, and in the one before.
@lru_cache(maxsize=8)
def _signer_form(version: str, region: str, key_id: str, token: str, now: datetime) -> PreparedForm:
    """Prepare the fields that tell who signs, and when."""
    if version == "v1":
        return prepare({TOKEN_FIELD: token})
    stamp = stamp_of(now)
    return prepare(
        {
            VERSION_FIELD: signature_v4.ALGORITHM,
            CREDENTIAL_FIELD: f"{key_id}/{signature_v4.scope(stamp[:8], region)}",
            DATE_FIELD: stamp,
            TOKEN_FIELD: token,
        }
    )


def prepare(fields: Mapping[str, str]) -> PreparedForm:
    """Return these fields with their conditions."""
    return PreparedForm(fields, tuple(exact_match(name, value) for name, value in fields.items()))


def encode_policy(expires_at: datetime, conditions: Iterable[str]) -> str:
    """Return the policy document as it is sent and signed: base64 of the JSON; each condition is JSON."""
    expiration = f"{iso(expires_at)[:-1]}.000Z"
    policy = f'{{"expiration":"{expiration}","conditions":[{",".join(conditions)}]}}'
    return b64encode(policy.encode()).decode()


# The bucket's stands in every form; the token's, the longest, is the same for an hour.
@lru_cache(maxsize=64)
def exact_match(name: str, value: str) -> str:
    """Return the condition, as JSON, that holds a form field to one value."""
    return f"{{{_encode(name)}:{_encode(value)}}}"


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
