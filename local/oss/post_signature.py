"""
Verification of signed PostObject forms (V4 and V1) and of their security tokens.

Source: https://help.aliyun.com/zh/oss/developer-reference/signature-version-4-recommend
"""

import base64
import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime

from local.common.accounts import AccessKey, Accounts
from local.oss import errors
from local.oss.credentials import TOKEN_FIELD, V4, find_key, is_same, read_date, read_scope, refused, sign_v4
from local.oss.errors import OssError
from local.oss.form import Form
from local.oss.rules import OssRules

V4_FIELDS = ("x-oss-signature-version", "x-oss-credential", "x-oss-date", "x-oss-signature")
V1_FIELDS = ("ossaccesskeyid", "signature", "policy")


@dataclass(frozen=True)
class Signer:
    """
    Key that signed the form.

    Args:
        bound_fields: fields that the policy has to have a condition on.
    """

    access_key: AccessKey
    bound_fields: tuple[str, ...] = ()


def sign_v1(secret: str, policy: str) -> str:
    """Base64 of HMAC-SHA1 over the encoded policy."""
    return base64.b64encode(hmac.digest(secret.encode(), policy.encode(), hashlib.sha1)).decode()


def authenticate(form: Form, accounts: Accounts, region: str, now: datetime, rules: OssRules) -> Signer:
    """
    Find the key that signed a form.

    Raises:
        OssError: unsigned, badly signed, or signed with a key or token that is not good here and now.
    """
    if any(form.has(field) for field in V4_FIELDS):
        return _authenticate_v4(form, accounts, region, now, rules)
    if any(form.has(field) for field in V1_FIELDS):
        return _authenticate_v1(form, accounts, now, rules)
    raise OssError(errors.BUCKET_PRIVATE)


def _authenticate_v1(form: Form, accounts: Accounts, now: datetime, rules: OssRules) -> Signer:
    if rules.v1_retired:
        raise OssError(errors.V1_RETIRED)
    key_id = _required(form, "OSSAccessKeyId", errors.KEY_ID_MISSING, errors.KEY_ID_BLANK)
    policy = _required(form, "policy", errors.POLICY_FIELD_MISSING, errors.POLICY_FIELD_MISSING)
    given = _required(form, "Signature", errors.SIGNATURE_MISSING, errors.SIGNATURE_BLANK)
    access_key = find_key(accounts, key_id, form.value(TOKEN_FIELD), now)
    _compare(given, sign_v1(access_key.access_key_secret, policy), access_key)
    return Signer(access_key)


def _authenticate_v4(form: Form, accounts: Accounts, region: str, now: datetime, rules: OssRules) -> Signer:
    if form.value("x-oss-signature-version") != V4:
        version = form.value("x-oss-signature-version") or ""
        raise refused(errors.SIGNATURE_VERSION, "x-oss-signature-version", version)
    policy = _required(form, "policy", errors.POLICY_FIELD_MISSING, errors.POLICY_FIELD_MISSING)
    given = _required(form, "x-oss-signature", errors.SIGNATURE_MISSING, errors.SIGNATURE_BLANK)
    key_id, day = read_scope(form.value("x-oss-credential") or "", region)
    date = form.value("x-oss-date") or ""
    if not -rules.date_ahead <= now - read_date(date, day) <= rules.date_life:
        raise refused(errors.CREDENTIAL_DATE, "x-oss-date", date)
    access_key = find_key(accounts, key_id, form.value(TOKEN_FIELD), now)
    _compare(given, sign_v4(access_key.access_key_secret, day, region, policy), access_key)
    token = (TOKEN_FIELD,) if access_key.security_token else ()
    return Signer(access_key, (*V4_FIELDS[:3], *token))


def _compare(given: str, expected: str, access_key: AccessKey) -> None:
    if not is_same(given, expected):
        # The string that was signed is not told: it is the policy the sender has, and the right signature
        # must never leave the server.
        raise OssError(
            errors.SIGNATURE_WRONG,
            OSSAccessKeyId=access_key.access_key_id,
            SignatureProvided=given,
        )


def _required(form: Form, name: str, missing: errors.Refusal, blank: errors.Refusal | None = None) -> str:
    value = form.value(name.lower())
    if value is None:
        raise refused(missing, name)
    if not value and blank is not None:
        raise refused(blank, name)
    return value
