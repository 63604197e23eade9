"""How much one caller may ask for in a while, within this instance: a brake, not a quota."""

import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import NamedTuple

from function.config.settings import Settings
from function.config.types import Rate
from function.errors import BadRequest, TooManyRequests
from function.http.gateway import Request

# Some 300 bytes each: about a megabyte a limit at the most, however many callers there are.
MAX_REMEMBERED = 4096
LATE_SECONDS = 10
NO_WINDOWS: Mapping[str, tuple[float, int]] = {}


class RateLimitItem(NamedTuple):
    """So many ``items`` that ``who`` wants under the limit of this name, which has this rate."""

    limit: str
    rate: Rate
    who: str
    items: int = 1


class RateLimiter:
    """
    Counts per limit and caller, in windows that start with the caller's first request.

    When more callers than ``MAX_REMEMBERED`` are active, those whose windows started first
    are forgotten, so a flood of identities loosens the brake but never grows the memory.
    """

    def __init__(self) -> None:
        self._windows: dict[str, OrderedDict[str, tuple[float, int]]] = {}
        self._lock = threading.Lock()

    def hit(self, claims: Iterable[RateLimitItem], now: datetime) -> None:
        """
        Count all of these, or none.

        Args:
            claims: no two of one limit and one caller.

        Raises:
            BadRequest: no window could ever hold that many.

            TooManyRequests: this one does not; nothing was counted.
        """
        instant = now.timestamp()
        with self._lock:
            granted = [(claim, self._window_with(claim, instant)) for claim in claims]
            for claim, window in granted:
                self._remember(claim, window)

    def _window_with(self, claim: RateLimitItem, instant: float) -> tuple[float, int]:
        """The caller's window as it would be with this claim in it."""
        rate = claim.rate
        if claim.items > rate.limit:
            raise BadRequest(f"files or items must be {rate.limit} at most here.")
        start, used = self._windows.get(claim.limit, NO_WINDOWS).get(claim.who, (instant, 0))
        # A clock that was set back must not lock a caller out until it has caught up; a request that is
        # only late, because another one read the clock after it, must not forget what was counted.
        if not start - LATE_SECONDS <= instant < start + rate.seconds:
            start, used = instant, 0
        if used + claim.items > rate.limit:
            wait = max(1, int(start + rate.seconds - instant + 0.999))
            raise TooManyRequests(
                f"At most {rate.limit} per {rate.seconds} s are allowed here.", retry_after=wait
            )
        return start, used + claim.items

    def _remember(self, claim: RateLimitItem, window: tuple[float, int]) -> None:
        windows = self._windows.setdefault(claim.limit, OrderedDict())
        if claim.who in windows and windows[claim.who][0] != window[0]:
            # A new window goes to the end of the row, where those stand that are forgotten last.
            del windows[claim.who]
        windows[claim.who] = window
        if len(windows) > MAX_REMEMBERED:
            windows.popitem(last=False)


# A customer may have a whole /56 and send from each /64 in it; elsewhere its 256 are a phone each.
RATES_OF_A_NETWORK = 4


def client_address(request: Request, header: str | None) -> str:
    """
    Where a request comes from: the last hop, or whom the proxy there names.

    Args:
        header: in lower case; its last element is the proxy's own, all before it anyone can write.
    """
    if header is None:
        return request.source_ip
    from ipaddress import ip_address

    address = request.headers.get(header, "").rpartition(",")[2].strip()
    try:
        ip_address(address)
    except ValueError:
        return request.source_ip
    return address


def claims_of_caller(
    request: Request, settings: Settings, owner: str, limit: str, rate: Rate, items: int
) -> tuple[RateLimitItem, ...]:
    """Under the owner's name; where callers cannot be told apart, under the address that they ask from."""
    if settings.caller_kind.tells_apart:
        return (RateLimitItem(limit, rate, owner, items),)
    return claims_by_address(limit, rate, client_address(request, settings.client_address_header), items)


def claims_by_address(limit: str, rate: Rate, address: str, items: int = 1) -> tuple[RateLimitItem, ...]:
    """IPv4 counts as it is; IPv6 by its /64 and, with ``RATES_OF_A_NETWORK`` times the rate, by its /56."""
    if ":" not in address:
        return (RateLimitItem(limit, rate, address, items),)
    from ipaddress import IPv6Address

    try:
        given = IPv6Address(address)
    except ValueError:
        return (RateLimitItem(limit, rate, address, items),)
    if given.ipv4_mapped:
        # A dual-stack socket reports IPv4 callers this way, and they are not one customer.
        return (RateLimitItem(limit, rate, str(given.ipv4_mapped), items),)
    of_network = rate._replace(limit=rate.limit * RATES_OF_A_NETWORK)
    return (
        RateLimitItem(limit, rate, f"{int(given) >> 64:x}", items),
        RateLimitItem(f"{limit} of networks", of_network, f"{int(given) >> 72:x}", items),
    )
