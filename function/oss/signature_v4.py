"""
Shared half of OSS signature version 4: the signing key and the hash.

Source: https://help.aliyun.com/zh/oss/developer-reference/signature-version-4-recommend
"""

import hashlib
import hmac
from collections.abc import Callable
from functools import lru_cache

ALGORITHM = "OSS4-HMAC-SHA256"
# From 2048 bytes on, and in hmac.digest always, Python lets another thread run while it hashes. Under a
# threaded server this one then waits for its next turn much longer than a policy takes to hash.
HASHED_AT_ONCE = 2047


def scope(date: str, region: str) -> str:
    """Return the scope of a signing key: ``20261124/cn-hangzhou/oss/aliyun_v4_request``."""
    return f"{date}/{region}/oss/aliyun_v4_request"


# Two of each session, because around midnight or a refresh requests of both sides meet; no more, because
# each remembered call keeps a secret in memory.
@lru_cache(maxsize=4)
def derive_signing_key(secret: str, date: str, region: str) -> bytes:
    """
    Return the V4 key of one day and region.

    Args:
        date: UTC day, ``YYYYMMDD``; must be the day of ``x-oss-date``.

    Returns:
        32 bytes, as secret as the secret itself until the day is over.
    """
    key = f"aliyun_v4{secret}".encode()
    for part in scope(date, region).split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key


def hmac_without_gil_release(key: bytes, text: str, algorithm: str) -> hmac.HMAC:
    """Return the HMAC of a text without letting another thread run."""
    mac = _mac(key, algorithm).copy()
    _feed(mac.update, text)
    return mac


# As many as there are signing keys: an HMAC's two pads take longer to hash than they are to copy.
@lru_cache(maxsize=4)
def _mac(key: bytes, algorithm: str) -> hmac.HMAC:
    return hmac.new(key, digestmod=algorithm)


def sha256_without_gil_release(text: str) -> str:
    """Return the SHA-256 of a text in lower-case hexadecimal without letting another thread run."""
    digest = hashlib.sha256()
    _feed(digest.update, text)
    return digest.hexdigest()


def _feed(update: Callable[[bytes], None], text: str) -> None:
    data = text.encode()
    for start in range(0, len(data), HASHED_AT_ONCE):
        update(data[start : start + HASHED_AT_ONCE])
