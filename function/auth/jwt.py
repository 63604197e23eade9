"""Callers of ``CALLER_AUTH=jwt``: the business has logged them in, and issues their tokens; with PyJWT."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from function.annotations import Any, NamedTuple
from function.auth import Caller, bearer_token, caller_from_subject, unauthorized
from function.auth.signed_tokens import CLOCK_LEEWAY, check_times
from function.config import jwt_key, types
from function.config.setting_table import CallerEntry, CallerKind, Setting
from function.config.settings import Settings
from function.messages import Message

# A month: a token valid for years is a password that cannot be revoked.
LONGEST_LIFE = timedelta(days=31)
# The library would read a clock of its own; a request has one instant, which check_times uses.
NO_CLOCK = {"verify_exp": False, "verify_nbf": False, "verify_iat": False}
# Errors that the library lets through from its JSON parsing: deep nesting, odd types.
UNTYPED_ERRORS = (ValueError, TypeError, RecursionError)


class BusinessJwt(NamedTuple):
    """Parameters for verifying the business's login tokens; ``key`` is a secret or a public key in PEM."""

    key: str
    algorithm: str
    issuer: str | None
    audience: str | None

    def __repr__(self) -> str:
        return f"BusinessJwt({self.algorithm})"


def prepare() -> None:
    """Import PyJWT, which brings ``cryptography``."""
    import jwt  # noqa: F401 - for the first caller


def identify(headers: Mapping[str, str], entry: CallerEntry, settings: Settings, now: datetime) -> Caller:
    """Return the caller whom the token names."""
    claims = read_business_token(bearer_token(headers), entry.settings, now)
    return caller_from_subject(claims["sub"], entry, settings, claims)


def read_business_token(token: str, expected: BusinessJwt, now: datetime) -> dict[str, Any]:
    """
    Return the claims of a login token of the business; raise ``Unauthorized`` with the reason for the log.

    Only the configured algorithm is accepted, so neither ``none`` nor a public key used as an HMAC secret can
    pass; ``kid``, ``jku`` and the like are ignored.
    """
    import jwt

    options: Any = {"require": ["exp", "sub"], "verify_aud": expected.audience is not None, **NO_CLOCK}
    try:
        claims: dict[str, Any] = jwt.decode(
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
    return claims


def _read(values: Mapping[str, Any]) -> BusinessJwt:
    audience = values.get("JWT_AUDIENCE", jwt_key.ANY_AUDIENCE)
    return BusinessJwt(
        values["JWT_KEY"],
        values["JWT_ALGORITHM"],
        values.get("JWT_ISSUER"),
        None if audience == jwt_key.ANY_AUDIENCE else audience,
    )


KIND = CallerKind(
    identify,
    prepare,
    settings=(
        Setting(
            "JWT_KEY",
            # Many consoles keep one line only, so a PEM arrives with \\n written out.
            types.Type(
                Message("the HS256 secret or the public key in PEM"), lambda text: text.replace("\\n", "\n")
            ),
            is_needed=True,
            is_secret=True,
        ),
        Setting("JWT_ALGORITHM", types.one_of(*jwt_key.ALGORITHMS), is_needed=True),
        Setting("JWT_ISSUER", types.Type(Message("the iss of the business's tokens"), str)),
        Setting(
            "JWT_AUDIENCE",
            types.Type(
                Message("the aud of the business's tokens, or {any_}", any_=jwt_key.ANY_AUDIENCE), str
            ),
        ),
    ),
    read=_read,
    problems=jwt_key.problems_of,
    id_setting="JWT_ISSUER",
)
