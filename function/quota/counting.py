"""Counting for one request: in the store, and as ``QUOTA_WHEN_DOWN`` says where that does not answer."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

from function.errors import QuotaUnavailable
from function.instance import Call
from function.limits import Claim
from function.profiles import Profile
from function.quota.asked import Asked, Day, StoreDown, daily, told
from function.quota.memory import MemoryStore
from function.settings import Settings

MEMORY = "memory:"


class Store(Protocol):
    """Where counts live; ``MemoryStore`` says what each does. Another raises ``StoreDown`` as well."""

    def take(self, asked: Asked, now: Any) -> list[Day]: ...

    def give_back(self, asked: Asked, now: Any) -> None: ...


def count(call: Call, owner: str, rates: Sequence[Claim]) -> None:
    """
    Count what falls under rates alone.

    Args:
        owner: whose they are; of who has none yet, the address.

    Raises:
        BadRequest, TooManyRequests: nothing was counted.
    """
    _take(call, Asked(call.instance.new_id(), owner, tuple(rates), ()))


@contextmanager
def counted(
    call: Call, owner: str, rates: Sequence[Claim], forms: Iterable[tuple[Profile, int]]
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
    asked = Asked(call.instance.new_id(), owner, tuple(rates), daily(forms))
    days = _take(call, asked)
    is_given = False
    try:
        yield told(asked.days, days)
        is_given = True
    finally:
        if days and not is_given:
            _give_back(call, asked)


def _take(call: Call, asked: Asked) -> list[Day]:
    """How the days stand; none where the store is down and that is allowed."""
    if not asked.rates and not asked.days:
        return []
    try:
        return store_of(call).take(asked, call.now)
    except StoreDown as down:
        if asked.days and call.settings.quota_when_down == "deny":
            call.line.quota = f"denied: {down.kind}"
            raise QuotaUnavailable(reason=f"the store of the quotas: {down.kind}") from None
        call.line.quota = f"{'allowed' if asked.days else 'counted here'}: {down.kind}"
        call.instance.limits.take(asked.rates, call.now)
        return []


def _give_back(call: Call, asked: Asked) -> None:
    try:
        store_of(call).give_back(asked, call.now)
    except StoreDown as down:
        call.line.quota = f"not given back: {down.kind}"


def store_of(call: Call) -> Store:
    """The instance's one store, made when it is first asked for."""
    return call.instance.keep(MemoryStore, lambda: open_memory(call.settings))


def open_memory(settings: Settings) -> MemoryStore:
    return MemoryStore(settings.quota_utc_offset)
