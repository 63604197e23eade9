"""The counts of one instance, in its memory: for the local cloud, and for who runs one instance alone."""

import threading
from collections import OrderedDict
from datetime import UTC, datetime, timedelta

from function.limits.quota import Daily, Day, QuotaRequest, exceeded, standing
from function.limits.rate_limit import RateLimiter

# Some 300 bytes each. Of more callers than that those are forgotten who came first today.
MAX_REMEMBERED = 16_384
DAY_SECONDS = 86_400
# How long a request may still be repeated or given back; none takes longer.
KEPT_SECONDS = 60


class MemoryStore:
    """
    Counts by owner and profile, in days that begin at ``utc_offset``; rates as ``RateLimiter`` counts them.

    The instance's clock decides which day it is. A request that read it just before midnight, and comes just
    after another that read it later, counts for the later day, so that nothing is forgotten.
    """

    def __init__(self, utc_offset: timedelta) -> None:
        self._offset = utc_offset
        self._limits = RateLimiter()
        self._used: OrderedDict[tuple[str, str], tuple[int, int, int]] = OrderedDict()
        self._taken: OrderedDict[str, tuple[datetime, list[int]]] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, asked: QuotaRequest, now: datetime) -> list[Day]:
        """
        Count all of this, or nothing; nothing as well when it was counted before.

        Returns:
            how each profile's day stands then.

        Raises:
            BadRequest, TooManyRequests, QuotaExceeded: nothing was counted.
        """
        with self._lock:
            if asked.request_id in self._taken:
                return [self._standing(asked.owner, wanted, now) for wanted in asked.days]
            for wanted in asked.days:
                _, files, bytes_ = self._used_by(asked.owner, wanted, now)
                if not wanted.fits(files, bytes_):
                    raise exceeded(wanted, self._standing(asked.owner, wanted, now), now)
            self._limits.hit(asked.rates, now)
            days = [self._add(asked.owner, wanted, now) for wanted in asked.days]
            self._remember_request(asked.request_id, days, now)
            return [self._standing(asked.owner, wanted, now) for wanted in asked.days]

    def give_back(self, asked: QuotaRequest, now: datetime) -> None:
        """Take the files and bytes of a request out of its days again, once; its rates stay counted."""
        with self._lock:
            _, days = self._taken.pop(asked.request_id, (now, []))
            for wanted, day in zip(asked.days, days, strict=False):
                current, files, bytes_ = self._used_by(asked.owner, wanted, now)
                if current == day:
                    left = (day, max(0, files - wanted.files), max(0, bytes_ - wanted.bytes_))
                    self._used[asked.owner, wanted.profile] = left

    def _used_by(self, owner: str, wanted: Daily, now: datetime) -> tuple[int, int, int]:
        """The number of the current day since 1970, and the files and bytes in it."""
        today = int((now + self._offset).timestamp() // DAY_SECONDS)
        used = self._used.get((owner, wanted.profile))
        return used if used and used[0] in (today, today + 1) else (today, 0, 0)

    def _standing(self, owner: str, wanted: Daily, now: datetime) -> Day:
        day, files, bytes_ = self._used_by(owner, wanted, now)
        resets_at = datetime.fromtimestamp((day + 1) * DAY_SECONDS, UTC) - self._offset
        return standing(wanted, files, bytes_, resets_at)

    def _add(self, owner: str, wanted: Daily, now: datetime) -> int:
        """Returns the number of the day it was counted in."""
        day, files, bytes_ = self._used_by(owner, wanted, now)
        self._used[owner, wanted.profile] = (day, files + wanted.files, bytes_ + wanted.bytes_)
        if len(self._used) > MAX_REMEMBERED:
            self._used.popitem(last=False)
        return day

    def _remember_request(self, request_id: str, days: list[int], now: datetime) -> None:
        self._taken[request_id] = (now, days)
        while len(self._taken) > MAX_REMEMBERED or self._is_old(now):
            self._taken.popitem(last=False)

    def _is_old(self, now: datetime) -> bool:
        """Whether the oldest request that is remembered can be forgotten."""
        return now - next(iter(self._taken.values()))[0] > timedelta(seconds=KEPT_SECONDS)
