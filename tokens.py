"""
Our own signed tokens (session, ticket, receipt): JWTs that pass for nothing but what they are.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from math import inf
from typing import Any

from errors import Unauthorized

SESSION = "oss-direct-upload/session"
TICKET = "oss-direct-upload/ticket"
RECEIPT = "oss-direct-upload/receipt"

ALGORITHM = "HS256"
MAX_TOKEN_CHARACTERS = 4096
# The library would read a clock of its own; a request has one instant, which check_times uses.
NO_CLOCK = {"verify_exp": False, "verify_nbf": False, "verify_iat": False}
# What the library lets through from its JSON parsing: deep nesting, odd types.
UNTYPED_JWT_ERRORS = (ValueError, TypeError, RecursionError)


def issue_token(
    claims: Mapping[str, Any], *, audience: str, secrets: Sequence[str], now: datetime, life: timedelta
) -> str:
    """
    A token signed with the first secret.

    Args:
        audience: what the token is for; it is refused everywhere else.

        now: timezone-aware UTC.
    """
    import jwt

    issued_at = int(now.timestamp())
    expires_at = issued_at + int(life.total_seconds())
    payload = {**claims, "aud": audience, "iat": issued_at, "exp": expires_at}
    return jwt.encode(payload, secrets[0], algorithm=ALGORITHM)


def read_token(token: str, *, audience: str, secrets: Sequence[str], now: datetime) -> dict[str, Any]:
    """
    The claims of a token that one of the secrets signed, for this audience, and that still lives.

    Raises:
        Unauthorized: in every other case, with the reason for the log.
    """
    import jwt

    if len(token) > MAX_TOKEN_CHARACTERS:
        raise _refused("token over length")
    options: Any = {"require": ["exp", "aud"], **NO_CLOCK}
    for secret in secrets:
        try:
            claims: dict[str, Any] = jwt.decode(
                token, secret, algorithms=[ALGORITHM], audience=audience, options=options
            )
        except jwt.InvalidSignatureError:
            continue
        except (jwt.PyJWTError, *UNTYPED_JWT_ERRORS) as error:
            raise _refused(type(error).__name__) from None
        check_times(claims, now, leeway=timedelta(0))
        return claims
    raise _refused("signed with none of our secrets")


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
    for value in (expires_at, not_before):
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise _refused("exp or nbf is no number")
    # Written so that NaN is refused, and Infinity, which would never end.
    if not inf > expires_at > seconds - slack:
        raise _refused("expired")
    if not not_before <= seconds + slack:
        raise _refused("not valid yet")


def _refused(reason: str) -> Unauthorized:
    return Unauthorized("The token is invalid or has expired; log in again.", reason=reason)
