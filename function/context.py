"""What one instance keeps between requests, and the surroundings it was given."""

import os
import threading
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple, TypeVar, cast

from function.config.profile import Session
from function.config.settings import Settings
from function.config.types import Rate
from function.credentials import AccessKeys, CredentialsCache, Obtained, StsCredentials, covered_until
from function.http.client import Send, send
from function.http.gateway import Request
from function.limits import new_limiter
from function.limits.rate_limit import RateLimitItem, client_ip, items_by_ip
from function.request_log import LogLine

ID_BYTES = 16
# Rules of one's own, where there are any.
HOOKS_FILE = Path(__file__).parents[1] / "hooks.py"

Kept = TypeVar("Kept")


class Dependencies(NamedTuple):
    """Time, randomness, environment and network, which enter here and nowhere else."""

    environ: Mapping[str, str]
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    random_bytes: Callable[[int], bytes] = os.urandom
    sleep: Callable[[float], None] = time.sleep
    send: Send = send
    hooks_file: Path = HOOKS_FILE

    def __repr__(self) -> str:
        # The environment holds secrets.
        return "Dependencies(…)"


class Instance:
    """
    The settings, read once, and all that outlives a request.

    Args:
        credentials: a cache for each session.

        own_keys: the function's own credentials, from the context of a request.
    """

    def __init__(
        self,
        around: Dependencies,
        settings: Settings,
        credentials: Mapping[Session, CredentialsCache],
        own_keys: Callable[[object | None], AccessKeys],
    ) -> None:
        self.settings = settings
        self.send = around.send
        self.hooks_file = around.hooks_file if around.hooks_file.is_file() else None
        self.limiter = new_limiter(settings, self.new_id)
        self._random_bytes = around.random_bytes
        self._credentials = credentials
        self._own_keys = own_keys
        self._kept: dict[type, Any] = {}
        self._lock = threading.Lock()

    def new_id(self) -> str:
        """22 URL-safe characters that nobody can guess."""
        return urlsafe_b64encode(self._random_bytes(ID_BYTES)).decode().rstrip("=")

    def credentials_for(
        self, session: Session, context: object | None, now: datetime, form_ends: Iterable[datetime]
    ) -> Obtained:
        """
        Credentials that outlive every one of these forms.

        Raises:
            UploadError: there are none.
        """
        return self._credentials[session].get(
            lambda: self._own_keys(context), now=now, good_until=covered_until(form_ends)
        )

    def keep(self, kind: type[Kept], make: Callable[[], Kept]) -> Kept:
        """The one object of this kind, made when it is first asked for."""
        if kind not in self._kept:
            with self._lock:
                if kind not in self._kept:
                    self._kept[kind] = make()
        return cast(Kept, self._kept[kind])


class RequestContext:
    """
    One request, with everything that its route may use.

    Args:
        now: the one clock reading of this request, in whole seconds.

        line: its log line.
    """

    def __init__(self, request: Request, instance: Instance, now: datetime, line: LogLine) -> None:
        self.request = request
        self.instance = instance
        self.settings = instance.settings
        self.now = now
        self.line = line

    def credentials(self, session: Session, ends: Iterable[datetime]) -> StsCredentials:
        """
        Return credentials that outlive everything signed with them; log whether STS issued them just now.

        Args:
            ends: when the signed forms and URLs expire.

        Raises:
            UploadError: no such credentials.
        """
        obtained = self.instance.credentials_for(session, self.request.context, self.now, ends)
        self.line.sts_refreshed = obtained.are_new or bool(self.line.sts_refreshed)
        return obtained.credentials

    @property
    def client_ip(self) -> str:
        return client_ip(self.request.headers, self.request.source_ip, self.settings.client_address_header)

    def rate_limit_items(
        self, limit: str, rate: Rate, owner: str, amount: int = 1
    ) -> tuple[RateLimitItem, ...]:
        """Count under the owner; where all callers share one, under the client IP."""
        if self.settings.caller_kind.tells_apart:
            return (RateLimitItem(limit, rate, owner, amount),)
        return items_by_ip(limit, rate, self.client_ip, amount)
