"""
STS credentials that sign, cached and refreshed; one fetch at a time for all threads.

========================  ======================================  =====================================
the cached set            a request that it covers                a request that it does not cover
========================  ======================================  =====================================
before its last quarter   gets it                                 waits for a new one, or fails
in its last quarter       gets a new one; where that fails, it    the same
                          (and there is no retry for 30 seconds)
========================  ======================================  =====================================

One refresh at a time; while it is under way, requests that the cached set covers get that set.
"""

import copy
import logging
import threading
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from function.annotations import Generic, NamedTuple, TypeVar
from function.config.profile import CREDENTIALS_MARGIN
from function.errors import StsUnavailable, UploadError
from function.time_limit import TIMED_OUT, ExchangeFailed, with_timeout


def covered_until(form_ends: Iterable[datetime]) -> datetime:
    """Return how long credentials must live to sign all these forms (at least one)."""
    return max(form_ends) + CREDENTIALS_MARGIN


def covers(credentials_end: datetime, good_until: datetime) -> bool:
    """Return whether credentials last until ``good_until``."""
    return credentials_end >= good_until


ATTEMPTS = 2
ADVISORY_PART = 4  # the last quarter of a session is the advisory window
EARLY_TRIES = 2  # that the longest form gets at least, when it is longer than that window
EARLY_RETRY_PAUSE = timedelta(seconds=30)

Result = TypeVar("Result")

log = logging.getLogger("oss_direct_upload")


class SingleFlight(Generic[Result]):
    """One fetch that several threads share: one thread runs it, the others wait for its result."""

    def __init__(self) -> None:
        self._done = threading.Event()
        self.result: Result | None = None
        self._error: UploadError | None = None

    @property
    def is_done(self) -> bool:
        return self._done.is_set()

    def run(self, fetch: Callable[[], Result]) -> None:
        """Fetch and keep the result or the ``UploadError``; any other exception is raised here only."""
        try:
            self.result = fetch()
        except UploadError as error:
            self._error = error
        finally:
            self._done.set()

    def wait(self, broken: Callable[[], UploadError], seconds: float | None = None) -> Result:
        """
        Return the result as soon as there is one.

        Args:
            broken: the error when the thread that ran the fetch died of something else, or takes longer.
            seconds: to wait for it at most.

        Raises:
            UploadError: a copy for each thread, because a raised exception collects its thread's traceback.
        """
        if not self._done.wait(seconds):
            raise broken()
        if self.result is None:
            raise copy.copy(self._error or broken())
        return self.result


class StsCredentials(NamedTuple):
    """
    One temporary credential set, never half replaced.

    Args:
        expires_at: timezone-aware UTC, compared with wall time.
    """

    access_key_id: str
    access_key_secret: str
    security_token: str
    expires_at: datetime

    def __repr__(self) -> str:
        return f"StsCredentials({self.access_key_id}, until {self.expires_at})"


class AccessKeys(NamedTuple):
    """The function's own credentials, which assume the role; a local key pair has no token."""

    access_key_id: str
    access_key_secret: str
    security_token: str | None

    def __repr__(self) -> str:
        return f"AccessKeys({self.access_key_id})"


# Issues a new set, given the own keys, the instant and a number of ``attempts``: ``StsClient.assume_role``.
AssumeRole = Callable[..., StsCredentials]


class CredentialsResult(NamedTuple):
    """Credentials, and whether this request called STS for them."""

    credentials: StsCredentials
    are_new: bool


class _Cached(NamedTuple):
    """A credential set and the instant from which it should be replaced if possible."""

    credentials: StsCredentials
    refresh_from: datetime

    def serves(self, good_until: datetime, now: datetime) -> bool:
        """Return whether it lasts until ``good_until`` and is not due for refresh."""
        return now < self.refresh_from and covers(self.credentials.expires_at, good_until)


class CredentialsCache:
    """
    The credentials of one instance: refreshed early when possible, late when necessary, once at a time.

    There is no background refresher: the threads of a frozen instance do not run.

    Args:
        longest_form: the life of the longest form, margin included. A set that does not cover it any
            more is no longer good for every request, so it must be replaced well before.
    """

    def __init__(self, assume_role: AssumeRole, longest_form: timedelta = timedelta(0)) -> None:
        self.assume_role = assume_role
        self._longest_form = longest_form
        self._cached: _Cached | None = None
        self._flight: SingleFlight[CredentialsResult] | None = None
        self._lock = threading.Lock()

    def get(
        self,
        own_keys: Callable[[], AccessKeys],
        *,
        now: datetime,
        good_until: datetime,
        seconds_left: Callable[[], float] | None = None,
    ) -> CredentialsResult:
        """
        Return credentials that live until ``good_until`` at least.

        Args:
            own_keys: called only when STS must be called.
            seconds_left: to wait for STS at most; a fetch that takes longer is finished for later requests.

        Raises:
            UploadError: no cached set lasts that long, and STS issued no new one.
        """
        cached = self._cached
        if cached and cached.serves(good_until, now):
            return CredentialsResult(cached.credentials, False)
        if cached and not covers(cached.credentials.expires_at, good_until):
            cached = None
        flight, is_ours = self._join()
        if is_ours:
            self._run(flight, lambda: self._refresh(own_keys, now, good_until), seconds_left)
        elif cached:
            return CredentialsResult(cached.credentials, False)
        try:
            obtained = flight.wait(_too_late, max(0, seconds_left()) if seconds_left else None)
            if not covers(obtained.credentials.expires_at, good_until):
                raise _too_short()
        except UploadError as error:
            if not cached:
                raise
            self._postpone_refresh(cached, now, error)
            return CredentialsResult(cached.credentials, False)
        return obtained if is_ours else obtained._replace(are_new=False)

    def _run(
        self,
        flight: SingleFlight[CredentialsResult],
        fetch: Callable[[], CredentialsResult],
        seconds_left: Callable[[], float] | None,
    ) -> None:
        if seconds_left is None:
            flight.run(fetch)
            return
        began = threading.Event()

        def run() -> None:
            began.set()
            flight.run(fetch)

        try:
            with_timeout(max(0, seconds_left()), f"STS {id(self)}", run)
        except ExchangeFailed as error:
            # Others would wait for ever for a fetch that no thread could begin; one that is late will begin.
            if not began.is_set() and error.kind != TIMED_OUT:
                flight.run(fetch)

    def _join(self) -> tuple[SingleFlight[CredentialsResult], bool]:
        with self._lock:
            if self._flight is not None:
                return self._flight, False
            self._flight = SingleFlight()
            return self._flight, True

    def _refresh(
        self, own_keys: Callable[[], AccessKeys], now: datetime, good_until: datetime
    ) -> CredentialsResult:
        try:
            # Another fetch may have ended after we read the cached set and before we began this one.
            cached = self._cached
            if cached and cached.serves(good_until, now):
                return CredentialsResult(cached.credentials, False)
            # While the cached set is good, no request should wait long for a better one.
            is_early = cached is not None and covers(cached.credentials.expires_at, good_until)
            credentials = self.assume_role(own_keys(), now, attempts=1 if is_early else ATTEMPTS)
            if not covers(credentials.expires_at, good_until):
                raise _too_short()
            with self._lock:
                self._cached = _Cached(credentials, self._refresh_from(credentials.expires_at, now))
            return CredentialsResult(credentials, True)
        finally:
            with self._lock:
                self._flight = None

    def _refresh_from(self, expires_at: datetime, now: datetime) -> datetime:
        life = expires_at - now
        window = life / ADVISORY_PART
        # A form longer than the window still gets a few early tries before its own time is up; but a
        # form nearly as long as the session must not call STS all the time.
        start = min(life - window, life - self._longest_form - EARLY_TRIES * EARLY_RETRY_PAUSE)
        return now + max(start, window)

    def _postpone_refresh(self, cached: _Cached, now: datetime, error: UploadError) -> None:
        log.warning(
            "early refresh of the STS credentials failed, the cached set stays in use until %s: %s",
            cached.credentials.expires_at.isoformat(),
            error.reason,
        )
        with self._lock:
            if self._cached is cached:
                self._cached = _Cached(cached.credentials, now + EARLY_RETRY_PAUSE)


def _too_late() -> StsUnavailable:
    return StsUnavailable(reason="AssumeRole: no response in time")


def _too_short() -> StsUnavailable:
    return StsUnavailable(reason="the STS credentials expire before the form")
