"""Counts in the memory of one instance: for the local cloud, and for deployments of a single instance."""

import threading
from collections import OrderedDict
from datetime import UTC, datetime, timedelta

from function.limits.quota import (
    DAY_SECONDS,
    REMEMBERED_SECONDS,
    QuotaItem,
    QuotaRequest,
    Remaining,
    exceeded,
)
from function.limits.rate_limit import RateLimiter

# About 300 bytes each. With more owners than that, those who came first today are forgotten.
MAX_REMEMBERED = 16_384


class MemoryStore:
    """
    A ``Store`` of one instance, with days that begin at ``utc_offset``.

    The instance's clock decides the day. A request that read it just before midnight, and is counted after
    another that read it later, counts for the later day, so that nothing is forgotten.
    """

    def __init__(self, utc_offset: timedelta) -> None:
        self._offset = utc_offset
        self._rates = RateLimiter()
        self._used: OrderedDict[tuple[str, str], tuple[int, int, int]] = OrderedDict()
        self._counted: OrderedDict[str, tuple[datetime, list[int]]] = OrderedDict()
        self._lock = threading.Lock()

    def count(self, request: QuotaRequest, now: datetime) -> list[Remaining]:
        """Count all of the request or nothing, as ``Store`` says."""
        with self._lock:
            if request.request_id in self._counted:
                return [self._left(request.owner, item, now) for item in request.quotas]
            for item in request.quotas:
                _, files, bytes_ = self._used_by(request.owner, item, now)
                if not item.fits(files, bytes_):
                    raise exceeded(item, self._left(request.owner, item, now), now)
            self._rates.hit(request.rates, now)
            days = [self._add(request.owner, item, now) for item in request.quotas]
            self._remember(request.request_id, days, now)
            return [self._left(request.owner, item, now) for item in request.quotas]

    def give_back(self, request: QuotaRequest, now: datetime) -> None:
        """Take the files and bytes out of their days again, once."""
        with self._lock:
            _, days = self._counted.pop(request.request_id, (now, []))
            for item, day in zip(request.quotas, days, strict=False):
                current, files, bytes_ = self._used_by(request.owner, item, now)
                if current == day:
                    rest = (day, max(0, files - item.files), max(0, bytes_ - item.bytes_))
                    self._used[request.owner, item.profile] = rest

    def open(self, now: datetime) -> None:
        """Do nothing: memory needs no connection."""

    def _used_by(self, owner: str, item: QuotaItem, now: datetime) -> tuple[int, int, int]:
        """Return the current day, counted from 1970, and the files and bytes in it."""
        today = int((now + self._offset).timestamp() // DAY_SECONDS)
        used = self._used.get((owner, item.profile))
        return used if used and used[0] in (today, today + 1) else (today, 0, 0)

    def _left(self, owner: str, item: QuotaItem, now: datetime) -> Remaining:
        day, files, bytes_ = self._used_by(owner, item, now)
        return item.left(files, bytes_, datetime.fromtimestamp((day + 1) * DAY_SECONDS, UTC) - self._offset)

    def _add(self, owner: str, item: QuotaItem, now: datetime) -> int:
        """Return the day that it was counted in."""
        day, files, bytes_ = self._used_by(owner, item, now)
        self._used[owner, item.profile] = (day, files + item.files, bytes_ + item.bytes_)
        if len(self._used) > MAX_REMEMBERED:
            self._used.popitem(last=False)
        return day

    def _remember(self, request_id: str, days: list[int], now: datetime) -> None:
        self._counted[request_id] = (now, days)
        while len(self._counted) > MAX_REMEMBERED or self._oldest_is_stale(now):
            self._counted.popitem(last=False)

    def _oldest_is_stale(self, now: datetime) -> bool:
        return now - next(iter(self._counted.values()))[0] > timedelta(seconds=REMEMBERED_SECONDS)
