"""Daily quotas: what one request counts, in a storage that remembers it, and what is left of the day."""

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime

from function.annotations import Any, NamedTuple, Protocol
from function.config.profile import Profile
from function.errors import BadRequest, QuotaExceeded, QuotaUnavailable
from function.limits.rate_limit import RateLimiter, RateLimitItem, Reservation
from function.request_log import LogLine

DAY_SECONDS = 86_400
# How long a request may be repeated or given back; none takes longer.
REMEMBERED_SECONDS = 60


class QuotaItem(NamedTuple):
    """
    One request's share of a profile's day.

    Args:
        max_files, max_bytes: of one owner a day; ``None``: not limited.
        files, bytes_: the forms of this request, and what they admit together.
    """

    profile: str
    max_files: int | None
    max_bytes: int | None
    files: int
    bytes_: int

    def fits(self, files: int, bytes_: int) -> bool:
        """Return whether a day with this much in it has room for the item."""
        return (self.max_files is None or files + self.files <= self.max_files) and (
            self.max_bytes is None or bytes_ + self.bytes_ <= self.max_bytes
        )

    def left(self, files: int, bytes_: int, resets_at: datetime) -> "Remaining":
        """Return what is left of a day with this much in it; never negative, as after a limit was lowered."""
        return Remaining(
            None if self.max_files is None else max(0, self.max_files - files),
            None if self.max_bytes is None else max(0, self.max_bytes - bytes_),
            resets_at,
        )


class QuotaRequest(NamedTuple):
    """
    Everything one request counts, all or nothing.

    Args:
        request_id: not guessable; the same id twice counts once.
        owner: whose days these are; decides where a cluster stores all counts of the request.
    """

    request_id: str
    owner: str
    rates: tuple[RateLimitItem, ...]
    quotas: tuple[QuotaItem, ...]


class Remaining(NamedTuple):
    """Remaining quota of an owner's day in a profile; ``None``: not limited."""

    files: int | None
    bytes_: int | None
    resets_at: datetime

    def as_json(self) -> dict[str, Any]:
        return {"filesLeft": self.files, "bytesLeft": self.bytes_, "resetsAt": _iso(self.resets_at)}


class StoreDown(Exception):
    """Raised when the storage did not respond in time, or refused."""

    @property
    def kind(self) -> str:
        """A word or two for the log; never a library's text, which may hold the address."""
        return str(self.args[0])


class Store(Protocol):
    """Storage of the shared counts; each call may raise ``StoreDown``, which leaves its outcome unknown."""

    def count(self, request: QuotaRequest, now: datetime) -> list[Remaining]:
        """Count all of the request or nothing, a repeated one not again; return what is left of each day."""

    def give_back(self, request: QuotaRequest, now: datetime) -> None:
        """Take the files and bytes of a request out of its days again, once; its rates stay counted."""

    def open(self, now: datetime) -> None:
        """Have a connection ready."""


class QuotaLimiter(RateLimiter):
    """
    A limiter whose forms and logins are counted in a storage, with daily quotas.

    Args:
        new_store: called with the first count; raises ``Misconfigured`` without the storage's library.
        denies: refuse profiles with a quota while the storage is down; else give their forms uncounted.
    """

    def __init__(self, new_store: Callable[[], Store], denies: bool, new_id: Callable[[], str]) -> None:
        super().__init__()
        self._new_store = new_store
        self._denies = denies
        self.new_id = new_id
        self._opened: Store | None = None
        self._opening = threading.Lock()

    def hit_shared(self, owner: str, items: Sequence[RateLimitItem], now: datetime, line: LogLine) -> None:
        self.count(QuotaRequest(self.new_id(), owner, tuple(items), ()), now, line)

    def reserve(
        self, owner: str, items: Sequence[RateLimitItem], now: datetime, line: LogLine
    ) -> Reservation:
        return QuotaReservation(self, owner, items, now, line)

    def prepare(self, now: datetime) -> None:
        try:
            self.store.open(now)
        except StoreDown as down:
            raise QuotaUnavailable(reason=f"quota store: {down.kind}") from None

    @property
    def store(self) -> Store:
        """The one storage of the instance."""
        with self._opening:
            if self._opened is None:
                self._opened = self._new_store()
            return self._opened

    def count(self, request: QuotaRequest, now: datetime, line: LogLine) -> list[Remaining]:
        """Return what is left of each day; an empty list while the storage is down and that is allowed."""
        if not request.rates and not request.quotas:
            return []
        try:
            return self.store.count(request, now)
        except StoreDown as down:
            if request.quotas and self._denies:
                line.quota = f"denied: {down.kind}"
                raise QuotaUnavailable(reason=f"quota store: {down.kind}") from None
            line.quota = f"{'allowed' if request.quotas else 'counted here'}: {down.kind}"
            self.hit(request.rates, now)
            return []

    def give_back(self, request: QuotaRequest, now: datetime, line: LogLine) -> None:
        try:
            self.store.give_back(request, now)
        except StoreDown as down:
            line.quota = f"not given back: {down.kind}"


class QuotaReservation(Reservation):
    """Forms that are counted when they are signed: until then their number is known, but not their sizes."""

    def __init__(
        self, limiter: QuotaLimiter, owner: str, rates: Sequence[RateLimitItem], now: datetime, line: LogLine
    ) -> None:
        self._limiter, self._owner, self._rates, self._now, self._line = limiter, owner, rates, now, line

    def count_rate(self) -> None:
        self._limiter.hit_shared(self._owner, self._rates, self._now, self._line)
        self._rates = ()

    @contextmanager
    def take(self, files: Sequence[tuple[Profile, int]]) -> Iterator[Mapping[str, Any]]:
        request_id = self._limiter.new_id()
        request = QuotaRequest(request_id, self._owner, tuple(self._rates), quota_items(files))
        days = self._limiter.count(request, self._now, self._line)
        try:
            yield {item.profile: left.as_json() for item, left in zip(request.quotas, days, strict=False)}
        except BaseException:
            if days:
                self._limiter.give_back(request, self._now, self._line)
            raise


def quota_items(files: Iterable[tuple[Profile, int]]) -> tuple[QuotaItem, ...]:
    """Add up the files of each profile that has a quota; raise ``BadRequest`` for more than any day holds."""
    items: dict[str, QuotaItem] = {}
    for profile, size in files:
        if profile.has_quota:
            before = items.get(profile.name)
            count, bytes_ = (before.files, before.bytes_) if before else (0, 0)
            limits = (profile.files_per_day, profile.bytes_per_day)
            items[profile.name] = QuotaItem(profile.name, *limits, count + 1, bytes_ + size)
    for item in items.values():
        if not item.fits(0, 0):
            raise BadRequest(f"This request exceeds the whole daily quota of [{item.profile}].")
    return tuple(items.values())


def exceeded(item: QuotaItem, left: Remaining, now: datetime) -> QuotaExceeded:
    """Return the refusal of an item that its day has no room for, by the clock that decides when it ends."""
    return QuotaExceeded(
        f"The quota of [{item.profile}] has no room for that today; it resets at {_iso(left.resets_at)}.",
        retry_after=max(1, int((left.resets_at - now).total_seconds() + 0.999)),
        details={"quota": left.as_json()},
    )


def _iso(instant: datetime) -> str:
    return f"{instant:%Y-%m-%dT%H:%M:%SZ}"
