"""What one request wants counted, and where that leaves it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from function.config.messages import Message
from function.config.profile import Profile
from function.config.settings import Settings
from function.context import Instance, RequestContext
from function.errors import BadRequest, Misconfigured, Problem, QuotaExceeded, QuotaUnavailable
from function.limits.rate_limit import RateLimitItem
from function.oss.post_form import iso

if TYPE_CHECKING:
    from function.limits.memory import MemoryStore
    from function.limits.redis import RedisStore


class Daily(NamedTuple):
    """
    What one request wants of one profile's day.

    Args:
        most_files, most_bytes: of one owner in one day; ``None``: not limited.

        files, bytes_: these forms, and what they admit together.
    """

    profile: str
    most_files: int | None
    most_bytes: int | None
    files: int
    bytes_: int

    def fits(self, files: int, bytes_: int) -> bool:
        """Whether a day that has so much in it holds this as well."""
        return (self.most_files is None or files + self.files <= self.most_files) and (
            self.most_bytes is None or bytes_ + self.bytes_ <= self.most_bytes
        )


class QuotaRequest(NamedTuple):
    """
    What one request wants counted, all or nothing.

    Args:
        request_id: nobody guesses it; the same twice counts once.

        owner: whose days these are; whatever is counted for one request is kept in one place by it.

        rates: no two of one limit and one caller.
    """

    request_id: str
    owner: str
    rates: tuple[RateLimitItem, ...]
    days: tuple[Daily, ...]


class Day(NamedTuple):
    """
    How one profile's day stands for an owner.

    Args:
        files_left, bytes_left: ``None``: not limited.

        resets_at: when the next day begins.
    """

    files_left: int | None
    bytes_left: int | None
    resets_at: datetime

    def told(self) -> dict[str, Any]:
        """As an answer says it."""
        return {
            "filesLeft": self.files_left,
            "bytesLeft": self.bytes_left,
            "resetsAt": iso(self.resets_at),
        }


class StoreDown(Exception):
    """
    Raised when the store did not answer in time, or refused.

    Args:
        kind: a word or two for the log; never a library's text, which may hold the address.
    """

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


def daily(forms: Iterable[tuple[Profile, int]]) -> tuple[Daily, ...]:
    """
    What these forms want of each profile's day, where it has a quota.

    Args:
        forms: each with the most bytes that it admits.

    Raises:
        BadRequest: no day could ever hold that.
    """
    wanted: dict[str, Daily] = {}
    for profile, size in forms:
        if profile.has_quota:
            before = wanted.get(profile.name)
            files, bytes_ = (before.files, before.bytes_) if before else (0, 0)
            limits = (profile.files_per_day, profile.bytes_per_day)
            wanted[profile.name] = Daily(profile.name, *limits, files + 1, bytes_ + size)
    for day in wanted.values():
        if not day.fits(0, 0):
            raise BadRequest(f"That is more than [{day.profile}] admits in a whole day.")
    return tuple(wanted.values())


def standing(wanted: Daily, files: int, bytes_: int, resets_at: datetime) -> Day:
    """What is left of a day that has so much in it; never less than nothing, as when a limit was lowered."""
    return Day(
        None if wanted.most_files is None else max(0, wanted.most_files - files),
        None if wanted.most_bytes is None else max(0, wanted.most_bytes - bytes_),
        resets_at,
    )


def exceeded(wanted: Daily, day: Day, now: datetime) -> QuotaExceeded:
    """
    The refusal of what this day does not hold.

    Args:
        now: by the clock that says when the day ends.
    """
    return QuotaExceeded(
        f"What is left of today in [{wanted.profile}] does not hold that; it begins anew at"
        f" {iso(day.resets_at)}.",
        retry_after=max(1, int((day.resets_at - now).total_seconds() + 0.999)),
        details={"quota": day.told()},
    )


def told(wanted: Iterable[Daily], days: Iterable[Day]) -> Mapping[str, dict[str, Any]]:
    """What the answers say, by profile."""
    return {asked.profile: day.told() for asked, day in zip(wanted, days, strict=True)}


MEMORY = "memory:"


def count(context: RequestContext, owner: str, rates: Sequence[RateLimitItem]) -> None:
    """
    Count what falls under rates alone.

    Args:
        owner: whose they are; of who has none yet, the address.

    Raises:
        BadRequest, TooManyRequests: nothing was counted.
    """
    _take(context, QuotaRequest(context.instance.new_id(), owner, tuple(rates), ()))


@contextmanager
def counted(
    context: RequestContext, owner: str, rates: Sequence[RateLimitItem], forms: Iterable[tuple[Profile, int]]
) -> Iterator[Mapping[str, dict[str, Any]]]:
    """
    Count what this request wants, all or nothing; where it gets no form in the end, give the quota back.

    Args:
        forms: each with the most bytes that it admits.

    Returns:
        ``{"filesLeft", "bytesLeft", "resetsAt"}`` by profile, of those that have a quota; nothing where the
        store is down and that is allowed.

    Raises:
        BadRequest, TooManyRequests, QuotaExceeded: nothing was counted.

        QuotaUnavailable: the store is down, and quotas may not be passed over.
    """
    asked = QuotaRequest(context.instance.new_id(), owner, tuple(rates), daily(forms))
    days = _take(context, asked)
    is_given = False
    try:
        yield told(asked.days, days) if days else {}
        is_given = True
    finally:
        if days and not is_given:
            _give_back(context, asked)


def _take(context: RequestContext, asked: QuotaRequest) -> list[Day]:
    """How the days stand; none where the store is down and that is allowed."""
    if not asked.rates and not asked.days:
        return []
    try:
        return store_of(context.instance).take(asked, context.now)
    except StoreDown as down:
        if asked.days and context.settings.quota_when_down == "deny":
            context.line.quota = f"denied: {down.kind}"
            raise QuotaUnavailable(reason=f"the store of the quotas: {down.kind}") from None
        context.line.quota = f"{'allowed' if asked.days else 'counted here'}: {down.kind}"
        context.instance.limiter.hit(asked.rates, context.now)
        return []


def _give_back(context: RequestContext, asked: QuotaRequest) -> None:
    try:
        store_of(context.instance).give_back(asked, context.now)
    except StoreDown as down:
        context.line.quota = f"not given back: {down.kind}"


def prepare_store(instance: Instance, now: datetime) -> None:
    """
    Import and connect what the first request counts with.

    Raises:
        QuotaUnavailable: that could not be done; the first request tries again.
    """
    from function.limits.memory import MemoryStore

    store = store_of(instance)
    if not isinstance(store, MemoryStore):
        try:
            store.open(now)
        except StoreDown as down:
            raise QuotaUnavailable(reason=f"the store of the quotas: {down.kind}") from None


def store_of(instance: Instance) -> "MemoryStore | RedisStore":
    """
    The instance's one store, made when it is first asked for.

    Raises:
        Misconfigured: the package has no library for it.
    """
    from function.limits.memory import MemoryStore

    settings = instance.settings
    if settings.quota_url == MEMORY:
        return instance.keep(MemoryStore, lambda: MemoryStore(settings.quota_utc_offset))
    from function.limits.redis import RedisStore

    return instance.keep(RedisStore, lambda: _redis_store(settings))


def _redis_store(settings: Settings) -> "RedisStore":
    from function.limits.redis import RedisStore
    from function.limits.redis_connection import Address, prepare

    try:
        prepare()
    except ImportError:
        sentence = Message(
            "QUOTA_URL names Redis, whose library is not in this package: make package reads it from .env"
        )
        raise Misconfigured([Problem("QUOTA_URL", sentence)]) from None
    address = Address(settings.quota_url or "")
    return RedisStore(address, settings.quota_utc_offset, settings.bucket)
