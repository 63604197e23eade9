"""Rate limits in the memory of one instance: a brake on floods, not a quota."""

import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime

from function.annotations import Any, NamedTuple
from function.config.profile import Profile
from function.config.types import Rate
from function.errors import BadRequest, TooManyRequests
from function.request_log import LogLine

# About 300 bytes each: a megabyte a limit at most, however many callers there are.
MAX_REMEMBERED = 4096
LATE_SECONDS = 10
NO_WINDOWS: Mapping[str, tuple[float, int]] = {}
# A customer may own a whole /56 and send from each /64 in it; elsewhere its 256 networks are a phone each.
RATES_PER_NETWORK = 4


class RateLimitItem(NamedTuple):
    """One count under a named limit; ``key`` is the owner, client IP or upload id."""

    limit: str
    rate: Rate
    key: str
    amount: int = 1


class Reservation:
    """The forms of one request. Without quotas their rate is counted already."""

    def count_rate(self) -> None:
        """Count the rate now, before an expensive call."""

    def take(self, _files: Sequence[tuple[Profile, int]]) -> AbstractContextManager[Mapping[str, Any]]:
        """
        Count the files, and the rate if that is still to do; an exception in the block gives the files back.

        Args:
            files: the profile of each, and the most bytes that its form admits.
        Returns:
            by profile ``{"filesLeft", "bytesLeft", "resetsAt"}``, where it has a quota.
        Raises:
            BadRequest, TooManyRequests, QuotaExceeded, QuotaUnavailable: nothing was counted.
        """
        return WITHOUT_QUOTA


WITHOUT_QUOTA: AbstractContextManager[Mapping[str, Any]] = nullcontext({})
RATE_IS_COUNTED = Reservation()


class RateLimiter:
    """
    Counts per limit and key, in windows that start with the key's first request.

    With more than ``MAX_REMEMBERED`` active keys the oldest windows are forgotten, so a flood of identities
    loosens the brake but never grows the memory.
    """

    def __init__(self) -> None:
        self._windows: dict[str, OrderedDict[str, tuple[float, int]]] = {}
        self._lock = threading.Lock()

    def hit(self, items: Iterable[RateLimitItem], now: datetime) -> None:
        """
        Count all items in this instance, or none; no two have the same limit and key.

        Raises:
            BadRequest: more than any window holds.
            TooManyRequests: more than this window has left.
        """
        instant = now.timestamp()
        with self._lock:
            granted = [(item, self._window_with(item, instant)) for item in items]
            for item, window in granted:
                self._remember(item, window)

    def hit_shared(self, owner: str, items: Sequence[RateLimitItem], now: datetime, line: LogLine) -> None:
        """Do the same in the shared storage, if any; ``owner`` decides where a cluster stores the counts."""
        self.hit(items, now)

    def reserve(
        self, owner: str, items: Sequence[RateLimitItem], now: datetime, line: LogLine
    ) -> Reservation:
        """
        Reserve forms before they are planned: a flood must stay cheap.

        A shared storage counts later, rates and quotas in one atomic step that needs the sizes.
        """
        self.hit(items, now)
        return RATE_IS_COUNTED

    def prepare(self, now: datetime) -> None:
        """Connect to the storage before the first request, or raise ``QuotaUnavailable``."""

    def _window_with(self, item: RateLimitItem, instant: float) -> tuple[float, int]:
        """Return the key's window with this item in it."""
        rate = item.rate
        if item.amount > rate.limit:
            raise too_many_items(rate)
        start, used = self._windows.get(item.limit, NO_WINDOWS).get(item.key, (instant, 0))
        # A clock that was set back must not lock a caller out until it has caught up; a late request, because
        # another one read the clock after it, must not reset the count.
        if not start - LATE_SECONDS <= instant < start + rate.seconds:
            start, used = instant, 0
        if used + item.amount > rate.limit:
            raise too_many_requests(rate, max(1, int(start + rate.seconds - instant + 0.999)))
        return start, used + item.amount

    def _remember(self, item: RateLimitItem, window: tuple[float, int]) -> None:
        windows = self._windows.setdefault(item.limit, OrderedDict())
        if item.key in windows and windows[item.key][0] != window[0]:
            # A new window goes to the end of the queue, which is forgotten last.
            del windows[item.key]
        windows[item.key] = window
        if len(windows) > MAX_REMEMBERED:
            windows.popitem(last=False)


def too_many_items(rate: Rate) -> BadRequest:
    """Refuse more items than any window of this rate holds."""
    return BadRequest(f"At most {rate.limit} files or items per request.")


def too_many_requests(rate: Rate, retry_after: int) -> TooManyRequests:
    """Refuse what exceeds the current window."""
    return TooManyRequests(
        f"At most {rate.limit} per {rate.seconds} s are allowed here.", retry_after=retry_after
    )


def client_ip(headers: Mapping[str, str], source_ip: str, trusted_header: str | None) -> str:
    """Return the IP address of the last hop, or the one that the trusted proxy there names."""
    if trusted_header is None:
        return source_ip
    from ipaddress import ip_address

    # Only the last element is the proxy's own; anyone can write the others.
    address = headers.get(trusted_header, "").rpartition(",")[2].strip()
    try:
        ip_address(address)
    except ValueError:
        return source_ip
    return address


def items_by_ip(limit: str, rate: Rate, address: str, amount: int = 1) -> tuple[RateLimitItem, ...]:
    """Count IPv4 as it is; IPv6 by its /64 and, with ``RATES_PER_NETWORK`` times the rate, by its /56."""
    if ":" not in address:
        return (RateLimitItem(limit, rate, address, amount),)
    from ipaddress import IPv6Address

    try:
        given = IPv6Address(address)
    except ValueError:
        return (RateLimitItem(limit, rate, address, amount),)
    if given.ipv4_mapped:
        # A dual-stack socket reports IPv4 clients this way, and they are not one customer.
        return (RateLimitItem(limit, rate, str(given.ipv4_mapped), amount),)
    network_rate = rate._replace(limit=rate.limit * RATES_PER_NETWORK)
    return (
        RateLimitItem(limit, rate, f"{int(given) >> 64:x}", amount),
        RateLimitItem(f"{limit} of networks", network_rate, f"{int(given) >> 72:x}", amount),
    )
