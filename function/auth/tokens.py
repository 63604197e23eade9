"""
Our own signed tokens (session, tickets, receipt): JWTs that pass for nothing but what they are.

They are HS256 with one header, byte for byte, so there is no algorithm to choose, no key to look up and
nothing to import: a library that can do more costs a cold start as much as all the rest of a login.

Source: https://www.rfc-editor.org/rfc/rfc7519
"""

import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from math import inf
from typing import Any

from function.errors import Unauthorized
from function.http.json_body import object_in

SESSION = "oss-direct-upload/session"
TICKET = "oss-direct-upload/ticket"
PARTS = "oss-direct-upload/parts"
RECEIPT = "oss-direct-upload/receipt"

# {"alg":"HS256","typ":"JWT"}
HEADER = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9"
MAX_TOKEN_CHARACTERS = 4096
# The clock of another instance, or of the business, may be ahead.
CLOCK_LEEWAY = timedelta(seconds=30)

# In JSON; true is none, though Python counts it as one.
NUMBERS = (int, float)

_encode = json.JSONEncoder(separators=(",", ":")).encode


def issue_token(
    claims: Mapping[str, Any], *, audience: str, secrets: Sequence[str], now: datetime, life: timedelta
) -> str:
    """
    A token signed with the first secret.

    Args:
        audience: what the token is for; it is refused everywhere else.
    """
    issued_at = int(now.timestamp())
    expires_at = issued_at + int(life.total_seconds())
    payload = _encode({**claims, "aud": audience, "iat": issued_at, "exp": expires_at})
    signed = f"{HEADER}.{_base64url(payload.encode())}"
    return f"{signed}.{_signature(signed, secrets[0])}"


def read_token(token: str, *, audience: str, secrets: Sequence[str], now: datetime) -> dict[str, Any]:
    """
    The claims of a token that one of the secrets signed, for this audience, and that still lives.

    Raises:
        Unauthorized: in every other case, with the reason for the log.
    """
    if len(token) > MAX_TOKEN_CHARACTERS:
        raise _refused("token over length")
    claims = {**_signed_claims(token, tuple(secrets))}
    if claims.get("aud") != audience:
        raise _refused("for another audience")
    if not isinstance(claims.get("sub", ""), str) or not isinstance(claims.get("jti", ""), str):
        raise _refused("sub or jti is no text")
    check_times(claims, now, leeway=timedelta(0))
    return claims


def is_of(claims: Mapping[str, Any], location: Mapping[str, str]) -> bool:
    """Whether a token was made for this app and bucket; without an app, for none."""
    return (claims.get("app"), claims.get("bucket")) == (location.get("app"), location["bucket"])


# A user sends one token with every file; what it says, and that we signed it, changes with neither time nor
# request. What is refused is not remembered, so a flood of forgeries pushes nobody out.
@lru_cache(maxsize=256)
def _signed_claims(token: str, secrets: tuple[str, ...]) -> Mapping[str, Any]:
    signed, _, signature = token.rpartition(".")
    header, _, payload = signed.partition(".")
    if header != HEADER:
        raise _refused("no token of ours")
    if not signature.isascii() or not payload.isascii():
        raise _refused("not base64url")
    if not any(hmac.compare_digest(_signature(signed, secret), signature) for secret in secrets):
        raise _refused("signed with none of our secrets")
    return _claims(payload)


def check_times(claims: Mapping[str, Any], now: datetime, *, leeway: timedelta) -> None:
    """
    Hold ``exp`` and ``nbf`` (unix seconds) against ``now``.

    Raises:
        Unauthorized: expired, not valid yet, or not a number.
    """
    seconds = now.timestamp()
    slack = leeway.total_seconds()
    expires_at: Any = claims.get("exp")
    not_before: Any = claims.get("nbf", 0)
    if type(expires_at) not in NUMBERS or type(not_before) not in NUMBERS:
        raise _refused("exp or nbf is no number")
    # Written so that NaN is refused, and Infinity, which would never end.
    if not inf > expires_at > seconds - slack:
        raise _refused("expired")
    if not not_before <= seconds + slack:
        raise _refused("not valid yet")


def check_life(claims: Mapping[str, Any], now: datetime, longest: timedelta) -> None:
    """
    Hold ``iat`` against ``exp`` and ``now``, so that no maker of tokens can make one for years.

    Args:
        longest: from ``iat`` to ``exp``; more than that we promise nobody.

    Raises:
        Unauthorized: it is longer, or begins in the future.
    """
    issued_at: Any = claims.get("iat")
    if type(issued_at) not in NUMBERS:
        raise _refused("iat is no number")
    if not issued_at <= (now + CLOCK_LEEWAY).timestamp():
        raise _refused("issued in the future")
    # Of whole seconds, for an enormous number under a good signature becomes no float.
    if not claims["exp"] <= issued_at + int(longest.total_seconds()):
        raise _refused("made for too long")


def _claims(payload: str) -> dict[str, Any]:
    try:
        claims = object_in(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except ValueError:
        claims = None
    if claims is None:
        raise _refused("claims are no JSON object")
    return claims


def _base64url(data: bytes) -> str:
    return urlsafe_b64encode(data).decode().rstrip("=")


def _signature(signed: str, secret: str) -> str:
    return _base64url(keyed_hash(secret, signed.encode()))


def keyed_hash(secret: str, data: bytes) -> bytes:
    """HMAC-SHA256, without letting other threads in as ``hmac.digest`` would: see v4.HASHED_AT_ONCE."""
    mac = _mac(secret).copy()
    mac.update(data)
    return mac.digest()


# Three kinds of secrets and their predecessors: an HMAC's two pads take longer to hash than a short token.
@lru_cache(maxsize=8)
def _mac(secret: str) -> hmac.HMAC:
    return hmac.new(secret.encode(), digestmod="sha256")


def _refused(reason: str) -> Unauthorized:
    return Unauthorized("The token is invalid or has expired; log in again.", reason=reason)
