"""How much one caller may ask for in a while, within this instance: a brake, not a quota."""

import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import NamedTuple

from function.config.types import Rate
from function.errors import BadRequest, TooManyRequests

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
