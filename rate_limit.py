"""
How much one caller may ask for in a while, within this instance: a brake, not a quota.
"""

import threading
from collections import OrderedDict
from datetime import datetime

from errors import BadRequest, TooManyRequests
from settings import Rate

# Some 300 bytes each: about a megabyte at the most, however many callers there are.
MAX_CALLERS_REMEMBERED = 4096
LATE_SECONDS = 10


class RateLimit:
    """
    Counts per caller in windows that start with the caller's first request.

    When more callers than ``MAX_CALLERS_REMEMBERED`` are active, those whose windows started first
    are forgotten, so a flood of identities loosens the brake but never grows the memory.
    """

    def __init__(self, rate: Rate) -> None:
        self._rate = rate
        self._windows: OrderedDict[str, tuple[float, int]] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, caller: str, count: int, now: datetime) -> None:
        """
        Count ``count`` forms or logins for this caller.

        Raises:
            BadRequest: no window could ever hold that many.

            TooManyRequests: this one does not; nothing was counted.
        """
        if count > self._rate.limit:
            raise BadRequest(f"files must be {self._rate.limit} at most here.")
        instant = now.timestamp()
        with self._lock:
            start, used = self._windows.get(caller, (instant, 0))
            # A clock that was set back must not lock a caller out until it has caught up; a request that is
            # only late, because another one read the clock after it, must not forget what was counted.
            if not start - LATE_SECONDS <= instant < start + self._rate.seconds:
                self._windows.pop(caller, None)
                start, used = instant, 0
            if used + count > self._rate.limit:
                wait = max(1, int(start + self._rate.seconds - instant + 0.999))
                raise TooManyRequests(
                    f"At most {self._rate.limit} per {self._rate.seconds} s are allowed here.",
                    retry_after=wait,
                )
            self._windows[caller] = (start, used + count)
            if len(self._windows) > MAX_CALLERS_REMEMBERED:
                self._windows.popitem(last=False)


def address_group(address: str) -> str:
    """
    What a source address is counted under: IPv4 as it is, IPv6 by its /64, which one customer has whole.
    """
    if ":" not in address:
        return address
    from ipaddress import IPv6Address, IPv6Network

    try:
        given = IPv6Address(address.partition("%")[0])
    except ValueError:
        return address
    # A dual-stack socket reports IPv4 callers this way, and they are not one customer.
    return str(given.ipv4_mapped or IPv6Network((given, 64), strict=False))
