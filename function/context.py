"""State of an instance between requests, the dependencies it was given, and the context of one request."""

import os
import threading
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from function.annotations import Any, NamedTuple, TypeVar, cast
from function.config.key_template import PUBLIC_OWNER
from function.config.profile import SessionKey
from function.config.settings import Settings
from function.config.types import Rate
from function.http.client import ExchangeFailed, HttpResponse, Send, send
from function.http.gateway import Request
from function.limits import new_limiter
from function.limits.rate_limit import RateLimitItem, client_ip, items_by_ip
from function.request_log import LogLine, WriteLine, to_logging
from function.sts.credentials import (
    AccessKeys,
    CredentialsCache,
    CredentialsResult,
    StsCredentials,
    covered_until,
)

ID_BYTES = 16
# For everything that a request does; Function Compute ends it after 30 s.
REQUEST_SECONDS = 28.0
# Optional, and the time that one call of it has.
HOOKS_FILE = Path(__file__).parents[1] / "hooks.py"
HOOKS_SECONDS = 0.05

T = TypeVar("T")


class Dependencies(NamedTuple):
    """
    Injected clocks, randomness, sleep, environment, HTTP and log.

    Args:
        hooks_file: ``HOOKS_FILE`` by default.
        monotonic: of the budgets that the calls of one request share; single calls, STS and Redis, which open
            their own sockets, use the real one.
        write_line: of the lines about requests.
    """

    environ: Mapping[str, str]
    now: Callable[[], datetime] = partial(datetime.now, UTC)
    random_bytes: Callable[[int], bytes] = os.urandom
    sleep: Callable[[float], None] = time.sleep
    send: Send = send
    hooks_file: Path | None = None
    hooks_seconds: float = HOOKS_SECONDS
    monotonic: Callable[[], float] = time.monotonic
    write_line: WriteLine = to_logging

    def __repr__(self) -> str:
        # The environment holds secrets.
        return "Dependencies(…)"


class Instance:
    """
    The settings, read once, and everything else that outlives a request.

    Args:
        own_keys: returns the function's own credentials, given the runtime's context of a request.
    """

    def __init__(
        self,
        dependencies: Dependencies,
        settings: Settings,
        credentials: Mapping[SessionKey, CredentialsCache],
        own_keys: Callable[[object | None], AccessKeys],
    ) -> None:
        self.settings = settings
        self.now = dependencies.now
        self.monotonic = dependencies.monotonic
        self.send = dependencies.send
        hooks_file = dependencies.hooks_file or HOOKS_FILE
        self.hooks_file = hooks_file if hooks_file.is_file() else None
        self.hooks_seconds = dependencies.hooks_seconds
        self.limiter = new_limiter(settings, self.new_id)
        self._random_bytes = dependencies.random_bytes
        self.credentials = credentials
        self.own_keys = own_keys
        self._singletons: dict[tuple[type, str], Any] = {}
        self._lock = threading.Lock()

    def new_id(self) -> str:
        """Return 22 URL-safe characters that cannot be guessed."""
        return urlsafe_b64encode(self._random_bytes(ID_BYTES)).decode().rstrip("=")

    def credentials_for(
        self,
        session: SessionKey,
        context: object | None,
        now: datetime,
        form_ends: Iterable[datetime],
        seconds_left: Callable[[], float] | None = None,
    ) -> CredentialsResult:
        """
        Return credentials that outlive every one of these forms.

        Args:
            context: the runtime's.
            seconds_left: of the request that waits for STS; unlimited by default.
        """
        return self.credentials[session].get(
            lambda: self.own_keys(context),
            now=now,
            good_until=covered_until(form_ends),
            seconds_left=seconds_left,
        )

    def keep(self, kind: type[T], make: Callable[[], T], name: str = "") -> T:
        """Return the instance's one object of this kind and name, made on first use."""
        key = (kind, name)
        if key not in self._singletons:
            with self._lock:
                if key not in self._singletons:
                    self._singletons[key] = make()
        return cast(T, self._singletons[key])


class RequestContext:
    """
    One request, with all that its route may use; ``now`` is its one clock reading, in whole seconds.

    Args:
        seconds: its deadline: no call to another service outlasts it.
    """

    # Seconds spent on the webhook, and why an attempt failed; seconds of Aliyun's checks; whether Aliyun
    # has failed; the callers, by their claim ``app``, for whom WeChat did.
    webhook_seconds = checker_seconds = 0.0
    webhook_failure = ""
    aliyun_has_failed = False
    wechat_failed: frozenset[str | None] = frozenset()
    # Whether this request has had a picture processed, which it does once.
    has_cleaned = False

    def __init__(
        self, request: Request, instance: Instance, line: LogLine, seconds: float = REQUEST_SECONDS
    ) -> None:
        self._ends = instance.monotonic() + seconds
        self.request = request
        self.instance = instance
        self.settings = instance.settings
        self.now = instance.now().replace(microsecond=0)
        self.line = line
        # What is known of labels of AI-made content, by bucket, upload id or key, and ETag.
        self.ai_labels: dict[tuple[str, str, str], Any] = {}

    def credentials(self, session: SessionKey, ends: Iterable[datetime]) -> StsCredentials:
        """Return credentials that outlive all that they sign; log whether STS issued them just now."""
        obtained = self.instance.credentials_for(
            session, self.request.context, self.now, ends, self.seconds_left
        )
        self.line.sts_refreshed = obtained.are_new or bool(self.line.sts_refreshed)
        return obtained.credentials

    def own_keys(self) -> AccessKeys:
        """Return the function's own credentials, not narrowed to a session."""
        return self.instance.own_keys(self.request.context)

    def seconds_left(self) -> float:
        """Return the seconds left until the deadline; negative after it."""
        return self._ends - self.instance.monotonic()

    @contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """End this part of the request after so many seconds, or with the request itself."""
        ends, self._ends = self._ends, min(self._ends, self.instance.monotonic() + seconds)
        try:
            yield
        finally:
            self._ends = ends

    def send(self, method: str, url: str, *, budget_seconds: float, **options: Any) -> HttpResponse:
        """Send one request as ``function.http.client.send``, within the time left."""
        seconds = min(budget_seconds, self.seconds_left())
        if seconds <= 0:
            raise ExchangeFailed("no time left")
        return self.instance.send(method, url, budget_seconds=seconds, **options)

    def monotonic(self) -> float:
        """Return monotonic seconds without those of webhook and checks, which no other budget pays for."""
        return self.instance.monotonic() - self.webhook_seconds - self.checker_seconds

    @property
    def client_ip(self) -> str:
        return client_ip(self.request.headers, self.request.source_ip, self.settings.client_address_header)

    def rate_limit_items(
        self, limit: str, rate: Rate, owner: str, amount: int = 1
    ) -> tuple[RateLimitItem, ...]:
        """Count under the owner; where all callers share one, under the client IP."""
        if owner != PUBLIC_OWNER:
            return (RateLimitItem(limit, rate, owner, amount),)
        return items_by_ip(limit, rate, self.client_ip, amount)
