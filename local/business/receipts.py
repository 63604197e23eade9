"""
Receipts and backend tokens as a business handles them, with PyJWT alone.
"""

from collections.abc import Container, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt

RECEIPT, BACKEND = "oss-direct-upload/receipt", "oss-direct-upload/backend"
TOKEN_LIFE = timedelta(minutes=5)
REQUIRED = ("exp", "iat", "sub", "jti", "key", "bucket", "profile")


class ReceiptRefused(ValueError):
    """Raised for a receipt that proves nothing; its text may be told to whoever brought it."""


def verify(receipt: str, secrets: Sequence[str], buckets: Container[str]) -> dict[str, Any]:
    """
    The claims of a receipt, verified offline.

    Raises:
        ReceiptRefused: none of the secrets signed it, it is over, something else than a receipt, or about
            another bucket.
    """
    for secret in secrets:
        try:
            claims: dict[str, Any] = jwt.decode(
                receipt, secret, algorithms=["HS256"], audience=RECEIPT, options={"require": list(REQUIRED)}
            )
        except jwt.InvalidSignatureError:
            continue
        except jwt.InvalidTokenError as error:
            raise ReceiptRefused(f"The receipt is not good: {error}.") from None
        if claims["bucket"] not in buckets:
            raise ReceiptRefused("The receipt is about another bucket.")
        return claims
    raise ReceiptRefused("The receipt is not good: Signature verification failed.")


def backend_token(secret: str) -> str:
    """Return a backend token that is valid for five minutes."""
    now = datetime.now(UTC)
    return jwt.encode({"aud": BACKEND, "iat": now, "exp": now + TOKEN_LIFE}, secret, algorithm="HS256")
