"""Access keys of the local cloud: written by the local STS, read by the local OSS."""

import threading
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True)
class AccessKey:
    """
    One key pair as the cloud side knows it.

    Args:
        policies: RAM documents (decoded JSON); a request must be allowed by every one of them.
            A long-lived key of the account itself has none and may do everything.

        security_token: only temporary keys have one, and then every use must present it.

        expires_at: timezone-aware UTC; ``None`` for a long-lived key.
    """

    access_key_id: str
    access_key_secret: str = field(repr=False)
    security_token: str | None = field(default=None, repr=False)
    expires_at: datetime | None = None
    policies: tuple[dict[str, Any], ...] = ()


class Accounts:
    """The keys of one local cloud, safe to use from several server threads."""

    def __init__(self, *keys: AccessKey) -> None:
        self._keys = {key.access_key_id: key for key in keys}
        self._lock = threading.Lock()

    def add(self, key: AccessKey) -> None:
        with self._lock:
            self._keys[key.access_key_id] = key

    def has_issued(self, security_token: str) -> bool:
        """Return whether this is the token of any key, whichever it is."""
        with self._lock:
            return any(key.security_token == security_token for key in self._keys.values())

    def find(self, access_key_id: str) -> AccessKey | None:
        with self._lock:
            return self._keys.get(access_key_id)
