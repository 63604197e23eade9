"""Callers whom the business has logged in: its own JWT says who they are. The one file that knows PyJWT."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from function.auth import Caller, bearer_token, caller_of, unauthorized
from function.auth.tokens import CLOCK_LEEWAY, check_times
from function.config.settings import BusinessJwt, Settings

# A month: a token that lives for years is a password that nobody can take back.
LONGEST_LIFE = timedelta(days=31)
# The library would read a clock of its own; a request has one instant, which check_times uses.
NO_CLOCK = {"verify_exp": False, "verify_nbf": False, "verify_iat": False}
# What the library lets through from its JSON parsing: deep nesting, odd types.
UNTYPED_ERRORS = (ValueError, TypeError, RecursionError)


def prepare(_settings: Settings) -> None:
    """Import PyJWT, which brings ``cryptography``."""
    import jwt  # noqa: F401 - for the first caller


def identify(headers: Mapping[str, str], settings: Settings, now: datetime) -> Caller:
    """Whom the token names."""
    assert settings.jwt is not None  # settings of this kind of callers have it
    return caller_of(read_business_token(bearer_token(headers), settings.jwt, now), settings)


def read_business_token(token: str, expected: BusinessJwt, now: datetime) -> Any:
    """
    The ``sub`` of the business's own login token.

    The algorithm is the configured one whatever the token's header says, so neither ``none`` nor a
    public key used as an HMAC secret can pass; ``kid``, ``jku`` and the like are not looked at.

    Raises:
        Unauthorized: with the reason for the log.
    """
    import jwt

    options: Any = {"require": ["exp", "sub"], "verify_aud": expected.audience is not None, **NO_CLOCK}
    try:
        claims = jwt.decode(
            token,
            expected.key,
            algorithms=[expected.algorithm],
            audience=expected.audience,
            issuer=expected.issuer,
            options=options,
        )
    except (jwt.PyJWTError, *UNTYPED_ERRORS) as error:
        raise unauthorized(type(error).__name__) from None
    check_times(claims, now, leeway=CLOCK_LEEWAY)
    if claims["exp"] > (now + LONGEST_LIFE + CLOCK_LEEWAY).timestamp():
        raise unauthorized(f"exp is over {LONGEST_LIFE.days} days ahead")
    return claims["sub"]
