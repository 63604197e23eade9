"""
Who signed a PostObject form: both signature versions recomputed, and the security token checked.

Source: https://help.aliyun.com/zh/oss/developer-reference/signature-version-4-recommend
"""

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import UTC, datetime

from local.ground.accounts import AccessKey, Accounts
from local.oss import errors
from local.oss.errors import OssError
from local.oss.form import Form
from local.oss.rules import OssRules

V4 = "OSS4-HMAC-SHA256"
V4_FIELDS = ("x-oss-signature-version", "x-oss-credential", "x-oss-date", "x-oss-signature")
V1_FIELDS = ("ossaccesskeyid", "signature", "policy")
TOKEN_FIELD = "x-oss-security-token"
TOKEN = re.compile(r"[A-Za-z0-9+/=_.-]+")


@dataclass(frozen=True)
class Signer:
    """
    Whose key signed the form.

    Args:
        bound_fields: fields that the policy has to have a condition on.
    """

    access_key: AccessKey
    bound_fields: tuple[str, ...] = ()


def sign_v1(secret: str, policy: str) -> str:
    """Base64 of HMAC-SHA1 over the encoded policy."""
    return base64.b64encode(hmac.digest(secret.encode(), policy.encode(), hashlib.sha1)).decode()


def sign_v4(secret: str, day: str, region: str, policy: str) -> str:
    """
    Lower-case hexadecimal HMAC-SHA256 over the encoded policy, and nothing else.

    Args:
        day: UTC, ``YYYYMMDD``.

        region: without ``oss-``.
    """
    signing_key = f"aliyun_v4{secret}".encode()
    for part in (day, region, "oss", "aliyun_v4_request"):
        signing_key = hmac.digest(signing_key, part.encode(), hashlib.sha256)
    return hmac.digest(signing_key, policy.encode(), hashlib.sha256).hex()


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
    policy = _required(form, "policy", errors.POLICY_FIELD_MISSING)
    given = _required(form, "Signature", errors.SIGNATURE_MISSING, errors.SIGNATURE_BLANK)
    access_key = _find(accounts, key_id, form.value(TOKEN_FIELD), now)
    _compare(given, sign_v1(access_key.access_key_secret, policy), access_key)
    return Signer(access_key)


def _authenticate_v4(form: Form, accounts: Accounts, region: str, now: datetime, rules: OssRules) -> Signer:
    if form.value("x-oss-signature-version") != V4:
        raise _argument(errors.SIGNATURE_VERSION, form, "x-oss-signature-version")
    policy = _required(form, "policy", errors.POLICY_FIELD_MISSING)
    given = _required(form, "x-oss-signature", errors.SIGNATURE_MISSING, errors.SIGNATURE_BLANK)
    key_id, day = _scope(form, region)
    _check_date(form, day, now, rules)
    access_key = _find(accounts, key_id, form.value(TOKEN_FIELD), now)
    _compare(given, sign_v4(access_key.access_key_secret, day, region, policy), access_key)
    token = (TOKEN_FIELD,) if access_key.security_token else ()
    return Signer(access_key, (*V4_FIELDS[:3], *token))


def _scope(form: Form, region: str) -> tuple[str, str]:
    """The key id and the day of ``x-oss-credential``, whose region must be the bucket's."""
    parts = (form.value("x-oss-credential") or "").rsplit("/", 4)
    if len(parts) != 5 or not parts[0] or parts[3:] != ["oss", "aliyun_v4_request"]:
        raise _argument(errors.CREDENTIAL_MALFORMED, form, "x-oss-credential")
    if not re.fullmatch("[0-9]{8}", parts[1]):
        raise _argument(errors.CREDENTIAL_DATE, form, "x-oss-credential")
    if parts[2] != region:
        raise _argument(errors.CREDENTIAL_REGION, form, "x-oss-credential")
    return parts[0], parts[1]


def _check_date(form: Form, day: str, now: datetime, rules: OssRules) -> None:
    text = form.value("x-oss-date") or ""
    wrong = _argument(errors.CREDENTIAL_DATE, form, "x-oss-date")
    if not re.fullmatch("[0-9]{8}T[0-9]{6}Z", text) or text[:8] != day:
        raise wrong
    try:
        signed_at = datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise wrong from None
    if not -rules.date_ahead <= now - signed_at <= rules.date_life:
        raise wrong


def _find(accounts: Accounts, key_id: str, token: str | None, now: datetime) -> AccessKey:
    access_key = accounts.find(key_id)
    if access_key is None:
        raise OssError(errors.UNKNOWN_KEY_ID, OSSAccessKeyId=key_id)
    expected = access_key.security_token or ""
    if token is None and expected:
        raise OssError(errors.TOKEN_MISSING, OSSAccessKeyId=key_id)
    if token is not None and not _same(token, expected):
        # OSS can read its own tokens and so tells another key's from rubbish; here the alphabet has to do.
        readable = TOKEN.fullmatch(token)
        raise OssError(errors.TOKEN_OF_ANOTHER_KEY if readable else errors.TOKEN_INVALID)
    if access_key.expires_at is not None and now >= access_key.expires_at:
        raise OssError(errors.TOKEN_EXPIRED)
    return access_key


def _compare(given: str, expected: str, access_key: AccessKey) -> None:
    if not _same(given, expected):
        # The string that was signed is not told: it is the policy the sender has, and the right signature
        # must never leave the server.
        raise OssError(
            errors.SIGNATURE_WRONG,
            OSSAccessKeyId=access_key.access_key_id,
            SignatureProvided=given,
        )


def _same(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode(), expected.encode())


def _required(form: Form, name: str, missing: errors.Refusal, blank: errors.Refusal | None = None) -> str:
    value = form.value(name.lower())
    if value is None:
        raise OssError(missing, ArgumentName=name, ArgumentValue="")
    if not value and blank is not None:
        raise OssError(blank, ArgumentName=name, ArgumentValue="")
    return value


def _argument(refusal: errors.Refusal, form: Form, name: str) -> OssError:
    return OssError(refusal, ArgumentName=name, ArgumentValue=form.value(name) or "")
