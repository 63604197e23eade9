"""Counting for one request: in the store, and as ``QUOTA_WHEN_DOWN`` says where that does not answer."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any

from function.config.messages import Message
from function.config.profile import Profile
from function.config.settings import Settings
from function.context import Instance, RequestContext
from function.errors import Misconfigured, Problem, QuotaUnavailable
from function.limits.memory import MemoryStore
from function.limits.quota import Day, QuotaRequest, StoreDown, daily, told
from function.limits.rate_limit import RateLimitItem

if TYPE_CHECKING:
    from function.limits.redis import RedisStore

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
