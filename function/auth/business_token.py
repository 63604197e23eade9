"""
Backend token: a JWT that a business backend signs with the secret it verifies receipts with.

Source: https://www.rfc-editor.org/rfc/rfc7519
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from function.auth import bearer_token
from function.auth.signed_tokens import CLOCK_LEEWAY, json_part, read_token
from function.config.settings import Settings
from function.errors import Forbidden, Unauthorized

AUDIENCE, ERASURE = "oss-direct-upload/backend", "oss-direct-upload/erasure"
LONGEST_LIFE = timedelta(minutes=10)


def is_for_backends(token: str) -> bool:
    """Return whether a token names the audience of backends; nothing of it has been verified."""
    _, _, rest = token.partition(".")
    audience = (json_part(rest.partition(".")[0]) or {}).get("aud")
    return audience == AUDIENCE or (isinstance(audience, list) and AUDIENCE in audience)


def check_backend_token(token: str, settings: Settings, now: datetime, audience: str = AUDIENCE) -> None:
    """Check that a backend signed this token for this audience, and that it is valid; else ``Forbidden``."""
    try:
        claims = read_token(
            token,
            audience=audience,
            secrets=settings.receipt_secrets,
            now=now,
            leeway=CLOCK_LEEWAY,
            from_backend=True,
        )
    except Unauthorized as error:
        raise _refused(error.reason) from None
    # A token that erases is good for nothing else.
    if all(each in claims["aud"] for each in (AUDIENCE, ERASURE)):
        raise _refused("for two kinds of requests")
    if claims["exp"] > (now + LONGEST_LIFE + CLOCK_LEEWAY).timestamp():
        raise _refused(f"exp is over {LONGEST_LIFE.seconds // 60} minutes ahead")


def is_backend(headers: Mapping[str, str], settings: Settings, now: datetime) -> bool:
    """Return whether a backend identified itself where that is optional."""
    try:
        check_backend_token(bearer_token(headers), settings, now)
    except (Unauthorized, Forbidden):
        return False
    return True


def _refused(reason: str) -> Forbidden:
    return Forbidden("Invalid or expired backend token.", reason=f"backend token: {reason}")
