"""
Credential scope, date, key and token, common to signed forms and signed requests.

Source: https://help.aliyun.com/zh/oss/developer-reference/signature-version-4-recommend
"""

import hashlib
import hmac
import re
from datetime import datetime
from functools import lru_cache

from local.common.accounts import AccessKey, Accounts
from local.oss import errors
from local.oss.errors import OssError

V4 = "OSS4-HMAC-SHA256"
TOKEN_FIELD = "x-oss-security-token"


def sign_v4(secret: str, day: str, region: str, text: str) -> str:
    """
    Lower-case hexadecimal HMAC-SHA256 over a text, with the key of one day and region.

    Args:
        day: UTC, ``YYYYMMDD``.

        region: without ``oss-``.
    """
    return hmac.digest(
        _signing_key(secret, day, region), text.encode("utf-8", "surrogateescape"), hashlib.sha256
    ).hex()


@lru_cache(maxsize=64)
def _signing_key(secret: str, day: str, region: str) -> bytes:
    made = f"aliyun_v4{secret}".encode()
    for part in (day, region, "oss", "aliyun_v4_request"):
        made = hmac.digest(made, part.encode(), hashlib.sha256)
    return made


def read_scope(credential: str, region: str) -> tuple[str, str]:
    """The key id and the day of ``x-oss-credential``, whose region must be the bucket's."""
    parts = credential.rsplit("/", 4)
    if len(parts) != 5 or not parts[0] or parts[3:] != ["oss", "aliyun_v4_request"]:
        raise refused(errors.CREDENTIAL_MALFORMED, "x-oss-credential", credential)
    if not re.fullmatch("[0-9]{8}", parts[1]):
        raise refused(errors.CREDENTIAL_DATE, "x-oss-credential", credential)
    if parts[2] != region:
        raise refused(errors.CREDENTIAL_REGION, "x-oss-credential", credential)
    return parts[0], parts[1]


def read_date(text: str, day: str) -> datetime:
    """``x-oss-date``, which must fall on the day of the scope; timezone-aware UTC."""
    try:
        # Python 3.14 would read 24 o'clock.
        if not re.fullmatch("[0-9]{8}T(?!24)[0-9]{6}Z", text) or text[:8] != day:
            raise ValueError(text)
        return datetime.fromisoformat(text)
    except ValueError:
        raise refused(errors.CREDENTIAL_DATE, "x-oss-date", text) from None


def find_key(accounts: Accounts, key_id: str, token: str | None, now: datetime) -> AccessKey:
    """
    The key that an id names, with its token held against it.

    Raises:
        OssError: unknown, or not good with this token here and now.
    """
    access_key = accounts.find(key_id)
    if access_key is None:
        raise OssError(errors.UNKNOWN_KEY_ID, OSSAccessKeyId=key_id)
    expected = access_key.security_token or ""
    if token is None and expected:
        raise OssError(errors.TOKEN_MISSING, OSSAccessKeyId=key_id)
    if token is not None and not is_same(token, expected):
        is_another_s = accounts.has_issued(token)
        raise OssError(errors.TOKEN_OF_ANOTHER_KEY if is_another_s else errors.TOKEN_INVALID)
    if access_key.expires_at is not None and now >= access_key.expires_at:
        raise OssError(errors.TOKEN_EXPIRED)
    return access_key


def is_same(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "surrogateescape"), expected.encode())


def refused(refusal: errors.Refusal, name: str, value: str = "") -> OssError:
    """A refusal that names the argument."""
    return OssError(refusal, ArgumentName=name, ArgumentValue=value)
