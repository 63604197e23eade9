"""
Signed tokens (session, tickets, receipt, backend token): HS256 JWTs, each good for one audience only.

Tokens of this function have one header, byte for byte, so there is no algorithm to choose, no key to look up
and nothing to import: a JWT library costs a cold start as much as all the rest of a login.

Source: https://www.rfc-editor.org/rfc/rfc7519
"""

import hmac
import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from math import inf

from function.annotations import Any
from function.errors import Unauthorized
from function.http.json_body import object_in

SESSION = "oss-direct-upload/session"
TICKET = "oss-direct-upload/ticket"
PARTS = "oss-direct-upload/parts"
RECEIPT = "oss-direct-upload/receipt"
SOURCE = "oss-direct-upload/source"

# {"alg":"HS256","typ":"JWT"}
HEADER = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9"
MAX_TOKEN_CHARACTERS = 4096
# The clock of another instance, or of the business, may be ahead.
CLOCK_LEEWAY = timedelta(seconds=30)
NO_LEEWAY = timedelta(0)

# In JSON; true is none, though Python counts it as one.
NUMBERS = (int, float)
# 10000-01-01, the first second that no datetime has.
END_OF_TIME = 253_402_300_800
# JSON numbers above lose precision elsewhere; OSS stores nothing near it.
MAX_COUNT = 2**53
# A lone surrogate can stand in no URL and no header.
TEXT = r"[^\ud800-\udfff]*"
KEY = r"[^\ud800-\udfff]{1,1023}"
# An openid, or the subject of a business: 1 to 255 bytes, which need not be Unicode.
SUBJECT = r"[\s\S]{1,255}"

_encode = json.JSONEncoder(separators=(",", ":")).encode


def issue_token(
    claims: Mapping[str, Any], *, audience: str, secrets: Sequence[str], now: datetime, life: timedelta | None
) -> str:
    """
    Return a token signed with the first secret; it is refused for any other audience.

    Args:
        life: ``None`` for a record, which never ends and which ``read_token`` does not take.
    """
    issued_at = int(now.timestamp())
    ends = {} if life is None else {"exp": issued_at + int(life.total_seconds())}
    payload = _encode({**claims, "aud": audience, "iat": issued_at, **ends})
    signed = f"{HEADER}.{_base64url(payload.encode())}"
    return f"{signed}.{_signature(signed, secrets[0])}"


def read_token(
    token: str,
    *,
    audience: str,
    secrets: Sequence[str],
    now: datetime,
    scope: Mapping[str, str] | None = None,
    leeway: timedelta = NO_LEEWAY,
    from_backend: bool = False,
) -> dict[str, Any]:
    """
    Return the claims of a token that one of the secrets signed, for this audience, and that has not expired.

    Args:
        scope: app and bucket that the token must be for, as ``scope_of`` returns them.
        from_backend: True if a library of the business wrote it: its own header, perhaps several audiences.

    Raises:
        Unauthorized: in every other case, with the reason for the log.
    """
    if len(token) > MAX_TOKEN_CHARACTERS:
        raise invalid_token("token over length")
    claims = {**_signed_claims(token, tuple(secrets), from_backend)}
    named = claims.get("aud")
    if named != audience and not (from_backend and isinstance(named, list) and audience in named):
        raise invalid_token("for another audience")
    check_times(claims, now, leeway=leeway)
    if scope is not None and not matches_scope(claims, scope):
        raise invalid_token("for another app or bucket")
    return claims


# A user sends one token with every file; its signature and claims change with neither time nor request.
# Failures are not cached, so a flood of forgeries evicts nothing.
@lru_cache(maxsize=256)
def _signed_claims(token: str, secrets: tuple[str, ...], from_backend: bool) -> Mapping[str, Any]:
    signed, _, signature = token.rpartition(".")
    header, _, payload = signed.partition(".")
    if header != HEADER and not (from_backend and _is_hs256(header)):
        raise invalid_token("unknown header")
    if not signature.isascii() or not payload.isascii():
        raise invalid_token("not base64url")
    if not any(hmac.compare_digest(_signature(signed, secret), signature) for secret in secrets):
        raise invalid_token("signed with none of the secrets")
    claims = json_part(payload)
    if claims is None:
        raise invalid_token("claims are not a JSON object")
    return claims


def _is_hs256(header: str) -> bool:
    fields = json_part(header) or {}
    # "crit" names extensions that a reader must refuse unless it knows them.
    return fields.get("alg") == "HS256" and "crit" not in fields


def json_part(text: str) -> dict[str, Any] | None:
    """Return the JSON object in a part of a token; ``None`` if there is none."""
    try:
        return object_in(urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except ValueError:
        return None


def check_times(claims: Mapping[str, Any], now: datetime, *, leeway: timedelta) -> None:
    """Check ``exp`` and ``nbf`` (unix seconds) against ``now``; raise ``Unauthorized`` unless both fit."""
    seconds = now.timestamp()
    slack = leeway.total_seconds()
    expires_at: Any = claims.get("exp")
    not_before: Any = claims.get("nbf", 0)
    if type(expires_at) not in NUMBERS or type(not_before) not in NUMBERS:
        raise invalid_token("exp or nbf is not a number")
    # Written so that NaN is refused, and Infinity, which would never end.
    if not inf > expires_at > seconds - slack:
        raise invalid_token("expired")
    if not not_before <= seconds + slack:
        raise invalid_token("not valid yet")


def text_claim(claims: Mapping[str, Any], name: str, pattern: str = TEXT) -> str:
    """Return a claim that is text of this pattern; raise ``Unauthorized``, as the other claim readers do."""
    value = claims.get(name)
    if isinstance(value, str) and re.fullmatch(pattern, value):
        return value
    raise invalid_claim(name)


def count_claim(claims: Mapping[str, Any], name: str) -> int:
    """Return a claim that is a whole number, 0 or more."""
    value: Any = claims.get(name)
    if is_count(value):
        return int(value)
    raise invalid_claim(name)


def is_count(value: Any) -> bool:
    """Return whether this is a whole number, 0 or more, of bytes or parts."""
    return type(value) is int and 0 <= value <= MAX_COUNT


def time_claim(claims: Mapping[str, Any], name: str) -> datetime:
    """Return a claim that is an instant in unix seconds, at most the year 9999."""
    value: Any = claims.get(name)
    if type(value) in NUMBERS and 0 <= value < END_OF_TIME:
        return datetime.fromtimestamp(value, UTC)
    raise invalid_claim(name)


def scope_of(app: str | None, bucket: str) -> dict[str, str]:
    """
    Return the claims that bind a token to a caller and a bucket.

    Functions of several mini-programs, or with buckets of their own, may share a ``TOKEN_SECRET``.
    """
    return {**({"app": app} if app else {}), "bucket": bucket}


def matches_scope(claims: Mapping[str, Any], scope: Mapping[str, str]) -> bool:
    """Return whether a token was issued for this app and bucket; without an app, for none."""
    return (claims.get("app"), claims.get("bucket")) == (scope.get("app"), scope["bucket"])


def _base64url(data: bytes) -> str:
    return urlsafe_b64encode(data).decode().rstrip("=")


def _signature(signed: str, secret: str) -> str:
    return _base64url(keyed_hash(secret, signed.encode()))


def keyed_hash(secret: str, data: bytes) -> bytes:
    """Return the HMAC-SHA256; unlike ``hmac.digest`` it keeps the GIL, see ``HASHED_AT_ONCE``."""
    mac = _mac(secret).copy()
    mac.update(data)
    return mac.digest()


# Three kinds of secrets and their predecessors: an HMAC's two pads take longer to hash than a short token.
@lru_cache(maxsize=8)
def _mac(secret: str) -> hmac.HMAC:
    return hmac.new(secret.encode(), digestmod="sha256")


def invalid_claim(name: str) -> Unauthorized:
    """Return the refusal of a token that has a missing or odd claim."""
    return invalid_token(f"claim {name} is missing or invalid")


def invalid_token(reason: str) -> Unauthorized:
    """Return the refusal of a token; the reason is for the log."""
    return Unauthorized("The token is invalid or has expired; log in again.", reason=reason)
