"""Receipts, deliveries of the webhook and backend tokens as a business handles them, with PyJWT alone."""

import hmac
from base64 import b64encode
from collections.abc import Container, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import jwt

RECEIPT, BACKEND = "oss-direct-upload/receipt", "oss-direct-upload/backend"
TOKEN_LIFE = timedelta(minutes=5)
# How far the time of a delivery may be off, as the libraries of Standard Webhooks have it.
TOLERANCE = timedelta(minutes=5)
REQUIRED = ("exp", "iat", "sub", "jti", "key", "bucket", "profile")


class ReceiptRefused(ValueError):
    """Raised for a receipt that proves nothing; its text may be told to whoever brought it."""


def verify(receipt: str, secrets: Sequence[str], buckets: Container[str], now: datetime) -> dict[str, Any]:
    """
    The claims of a receipt, verified offline.

    Raises:
        ReceiptRefused: none of the secrets signed it, it is over, something else than a receipt, or about
            another bucket.
    """
    for secret in secrets:
        try:
            claims: dict[str, Any] = jwt.decode(
                receipt,
                secret,
                algorithms=["HS256"],
                audience=RECEIPT,
                # PyJWT goes by the clock of the machine; the local cloud's may be ahead of it.
                options={"require": list(REQUIRED), "verify_exp": False, "verify_iat": False},
            )
        except jwt.InvalidSignatureError:
            continue
        except jwt.InvalidTokenError as error:
            raise ReceiptRefused(f"The receipt is not good: {error}.") from None
        if not _is_in_force(claims, now.timestamp()):
            raise ReceiptRefused("The receipt is not good: it is over, or not yet valid.")
        if claims["bucket"] not in buckets:
            raise ReceiptRefused("The receipt is about another bucket.")
        return claims
    raise ReceiptRefused("The receipt is not good: Signature verification failed.")


def verify_delivery(headers: Mapping[str, str], body: bytes, secrets: Sequence[str], now: datetime) -> str:
    """
    Return the ``webhook-id`` of a delivery.

    Raises:
        ReceiptRefused: none of the secrets signed it, or not lately.
    """
    id, timestamp, given = (headers.get(f"webhook-{name}", "") for name in ("id", "timestamp", "signature"))
    if not (timestamp.isascii() and timestamp.isdigit()):
        raise ReceiptRefused("The delivery has no time.")
    if abs(now.timestamp() - int(timestamp)) > TOLERANCE.total_seconds():
        raise ReceiptRefused("The delivery is too old or too new.")
    signed = f"{id}.{timestamp}.".encode() + body
    for secret in secrets:
        expected = f"v1,{b64encode(hmac.digest(secret.encode(), signed, 'sha256')).decode()}"
        if any(hmac.compare_digest(expected.encode(), each.encode()) for each in given.split()):
            return id
    raise ReceiptRefused("The delivery is not signed.")


def _is_in_force(claims: Mapping[str, Any], now: float) -> bool:
    times = claims["iat"], claims["exp"]
    return all(type(each) is int for each in times) and times[0] <= now < times[1]


def backend_token(secret: str, now: datetime) -> str:
    """Return a backend token that is valid for five minutes."""
    return jwt.encode({"aud": BACKEND, "iat": now, "exp": now + TOKEN_LIFE}, secret, algorithm="HS256")
