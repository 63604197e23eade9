"""
The token of a business backend: a JWT that it signs with the secret it verifies receipts with.

Every library writes its header in another way, and some write the audience as a list, so this is read by the
standard and not, like the tokens of this function, byte by byte.

Source: https://www.rfc-editor.org/rfc/rfc7519
"""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from function.auth.tokens import CLOCK_LEEWAY, check_times, keyed_hash
from function.config.settings import Settings
from function.errors import Forbidden, Unauthorized
from function.http.json_body import object_in

AUDIENCE = "oss-direct-upload/backend"
ALGORITHM = "HS256"
LONGEST_LIFE = timedelta(minutes=10)


def is_for_backends(token: str) -> bool:
    """Whether a token says that it is a backend's; nothing of it has been verified."""
    _, _, rest = token.partition(".")
    audience = _part(rest.partition(".")[0]).get("aud")
    return audience == AUDIENCE or (isinstance(audience, list) and AUDIENCE in audience)


def check_backend_token(token: str, settings: Settings, now: datetime) -> None:
    """
    See to it that a backend has signed this, for now.

    Raises:
        Forbidden: with the reason for the log.
    """
    signed, _, signature = token.rpartition(".")
    header, _, payload = signed.partition(".")
    head = _part(header)
    # "crit" says that whoever does not know what is named there must refuse.
    if head.get("alg") != ALGORITHM or "crit" in head:
        raise _refused(f"alg is not {ALGORITHM}")
    if not any(_is_signed(signed, signature, secret) for secret in settings.receipt_secrets):
        raise _refused("signed with none of the secrets")
    if not is_for_backends(token):
        raise _refused("for another audience")
    claims = _part(payload)
    try:
        check_times(claims, now, leeway=CLOCK_LEEWAY)
    except Unauthorized as error:
        raise _refused(error.reason) from None
    if claims["exp"] > (now + LONGEST_LIFE + CLOCK_LEEWAY).timestamp():
        raise _refused(f"exp is over {LONGEST_LIFE.seconds // 60} minutes ahead")


def _part(text: str) -> Mapping[str, Any]:
    """The JSON object of a part of a token; an empty one for what is none."""
    try:
        return object_in(urlsafe_b64decode(text + "=" * (-len(text) % 4))) or {}
    except ValueError:
        return {}


def _is_signed(signed: str, signature: str, secret: str) -> bool:
    expected = urlsafe_b64encode(keyed_hash(secret, signed.encode())).decode().rstrip("=")
    return hmac.compare_digest(expected, signature)


def _refused(reason: str) -> Forbidden:
    return Forbidden("This is no token of a backend, or it has ended.", reason=f"backend token: {reason}")
