"""
The credentials that sign: how long a set is kept, and who asks for the next one.

========================  ======================================  =====================================
the held set              a request that it covers                a request that it does not cover
========================  ======================================  =====================================
before its last quarter   gets it                                 waits for a new one, or fails
in its last quarter       gets a new one; where that fails, it    the same
                          (and nobody tries for 30 seconds)
========================  ======================================  =====================================

One refresh at a time; while one is under way, whom the held set covers gets that.
"""

import copy
import logging
import threading
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol

from function.errors import StsUnavailable, UploadError

# A form ends at least this long before its credentials do.
MARGIN = timedelta(seconds=60)


def fits(form: timedelta, session: timedelta) -> bool:
    """Whether a form may be promised this life at all, where credentials begin with that one."""
    return form + MARGIN < session


def covered_until(form_ends: Iterable[datetime]) -> datetime:
    """How long credentials must live to sign all the forms (one at least) that end then."""
    return max(form_ends) + MARGIN


def covers(credentials_end: datetime, good_until: datetime) -> bool:
    """Whether credentials last for what ``covered_until`` said."""
    return credentials_end >= good_until


ATTEMPTS = 2
ADVISORY_PART = 4  # the last quarter of a session is the advisory window
EARLY_TRIES = 2  # that the longest form gets at least, when it is longer than that window
EARLY_RETRY_PAUSE = timedelta(seconds=30)

log = logging.getLogger("oss_direct_upload")


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
    """The function's own credentials, which ask STS for the role; a local key pair has no token."""

    access_key_id: str
    access_key_secret: str
    security_token: str | None

    def __repr__(self) -> str:
        return f"AccessKeys({self.access_key_id})"


class AssumeRole(Protocol):
    """How the cache asks for a new set; ``StsClient.assume_role`` is the real one."""

    def __call__(self, own: AccessKeys, now: datetime, *, attempts: int) -> StsCredentials: ...


class Obtained(NamedTuple):
    """Credentials, and whether this call asked STS for them."""

    credentials: StsCredentials
    are_new: bool


class _Held(NamedTuple):
    """A credential set and the instant from which it should be replaced if that can be done."""

    credentials: StsCredentials
    refresh_from: datetime

    def covers(self, good_until: datetime) -> bool:
        return covers(self.credentials.expires_at, good_until)

    def serves(self, good_until: datetime, now: datetime) -> bool:
        """Whether it covers that and is not to be replaced yet."""
        return now < self.refresh_from and self.covers(good_until)


class _Flight:
    """One refresh under way; whoever waits for it shares its outcome."""

    def __init__(self) -> None:
        self.landed = threading.Event()
        self.credentials: StsCredentials | None = None
        self.fetched = False
        self.error: UploadError | None = None


class CredentialsCache:
    """
    The credentials of one instance: refreshed early when possible, late when necessary, once at a time.

    There is no background refresher: the threads of a frozen instance do not run.

    Args:
        longest_form: the life of the longest form, margin included. A set that does not cover it any
            more is no longer good for everyone, so it must be replaced well before.
    """

    def __init__(self, assume_role: AssumeRole, longest_form: timedelta = timedelta(0)) -> None:
        self._assume_role = assume_role
        self._longest_form = longest_form
        self._held: _Held | None = None
        self._flight: _Flight | None = None
        self._lock = threading.Lock()

    def get(self, own_keys: Callable[[], AccessKeys], *, now: datetime, good_until: datetime) -> Obtained:
        """
        Credentials that live until ``good_until`` at least.

        Args:
            own_keys: called only when STS must be asked.

        Raises:
            UploadError: no held set lasts that long, and a new one was not to be had.
        """
        held = self._held
        if held and held.serves(good_until, now):
            return Obtained(held.credentials, False)
        if held and not held.covers(good_until):
            held = None
        flight, is_ours = self._board()
        if is_ours:
            self._fly(flight, own_keys, now, good_until)
        elif held:
            return Obtained(held.credentials, False)
        flight.landed.wait()
        if flight.credentials and covers(flight.credentials.expires_at, good_until):
            return Obtained(flight.credentials, is_ours and flight.fetched)
        if held:
            self._put_off_the_next_try(held, now, flight.error)
            return Obtained(held.credentials, False)
        # A copy, because a raised exception collects the traceback of its thread.
        raise copy.copy(flight.error or _too_short())

    def _board(self) -> tuple[_Flight, bool]:
        with self._lock:
            if self._flight is not None:
                return self._flight, False
            self._flight = _Flight()
            return self._flight, True

    def _fly(
        self, flight: _Flight, own_keys: Callable[[], AccessKeys], now: datetime, good_until: datetime
    ) -> None:
        try:
            # Another flight may have landed between our look at the held set and our boarding.
            held = self._held
            if held and held.serves(good_until, now):
                flight.credentials = held.credentials
                return
            # While the held set is good, nobody should wait long for a better one.
            is_early = held is not None and held.covers(good_until)
            credentials = self._assume_role(own_keys(), now, attempts=1 if is_early else ATTEMPTS)
            if not covers(credentials.expires_at, good_until):
                raise _too_short()
            with self._lock:
                self._held = _Held(credentials, self._refresh_from(credentials.expires_at, now))
            flight.credentials, flight.fetched = credentials, True
        except UploadError as error:
            flight.error = error
        finally:
            with self._lock:
                self._flight = None
            flight.landed.set()

    def _refresh_from(self, expires_at: datetime, now: datetime) -> datetime:
        life = expires_at - now
        window = life / ADVISORY_PART
        # A form longer than the window still gets a few early tries before its own time is up; but a
        # form nearly as long as the session must not have STS asked all the time.
        start = min(life - window, life - self._longest_form - EARLY_TRIES * EARLY_RETRY_PAUSE)
        return now + max(start, window)

    def _put_off_the_next_try(self, held: _Held, now: datetime, error: UploadError | None) -> None:
        log.warning(
            "early refresh of the STS credentials failed, the held set stays in use until %s: %s",
            held.credentials.expires_at.isoformat(),
            error.reason if error else "",
        )
        with self._lock:
            if self._held is held:
                self._held = _Held(held.credentials, now + EARLY_RETRY_PAUSE)


def _too_short() -> StsUnavailable:
    return StsUnavailable(reason="STS issued credentials that end before a form would")
