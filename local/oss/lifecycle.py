"""
Lifecycle rules: what they delete, and when, as days go by.

Rules run once a day at 08:00 of UTC+8, which is midnight UTC; here on the first call after that. Loading
them and running them takes the real OSS up to a day each, so there an object may live that much longer.
Source: https://help.aliyun.com/zh/oss/user-guide/lifecycle-rules-based-on-the-last-modified-time
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from local.oss.objects import Objects
from local.oss.uploads import Uploads
from local.oss.versions import StoredObject

DAY = timedelta(days=1)


@dataclass(frozen=True)
class LifecycleRule:
    """
    Args:
        days: after which objects below the prefix expire; ``None`` for never.

        abort_days: after which uploads in parts below the prefix are aborted; ``None`` for never.
    """

    id: str
    prefix: str
    is_enabled: bool
    days: int | None = None
    abort_days: int | None = None


class Lifecycle:
    """
    The lifecycle rules of one bucket.

    Args:
        rules: as they were set last, all at once.
    """

    def __init__(self) -> None:
        self.rules: tuple[LifecycleRule, ...] = ()
        self._done: datetime | None = None

    def replace(self, rules: Iterable[LifecycleRule], now: datetime) -> None:
        """Set other rules, which the next run goes by."""
        self.rules = tuple(rules)
        self._done = _run_before(now)

    def catch_up(self, objects: Objects, uploads: Uploads, now: datetime) -> None:
        """Do what the latest run until now did, once."""
        run = _run_before(now)
        if self._done is None or run > self._done:
            self._done = run
            self.run(objects, uploads, run)

    def run(self, objects: Objects, uploads: Uploads, at: datetime) -> None:
        """Delete what is old enough at an instant."""
        for rule in self.rules:
            if rule.is_enabled:
                _expire(rule, objects, at)
                _abort(rule, uploads, at)

    def expiration_of(self, stored: StoredObject) -> str | None:
        """The header ``x-oss-expiration``; ``None`` for an object that no rule will delete."""
        for rule in self.rules:
            if rule.is_enabled and rule.days is not None and stored.key.startswith(rule.prefix):
                end = stored.modified + rule.days * DAY
                run = _run_before(end)
                run = run if run == end else run + DAY
                return f'expiry-date="{run:%a, %d %b %Y %H:%M:%S} GMT", rule-id="{rule.id}"'
        return None


def _run_before(now: datetime) -> datetime:
    """Midnight UTC, of this day."""
    return now.replace(hour=0, minute=0, second=0, microsecond=0)


def _expire(rule: LifecycleRule, objects: Objects, at: datetime) -> None:
    if rule.days is None:
        return
    for key, stored in list(objects.items()):
        if key.startswith(rule.prefix) and stored.modified + rule.days * DAY <= at:
            objects.delete(key, only=stored, now=at)


def _abort(rule: LifecycleRule, uploads: Uploads, at: datetime) -> None:
    if rule.abort_days is None:
        return
    for upload in uploads:
        if upload.key.startswith(rule.prefix) and upload.started + rule.abort_days * DAY <= at:
            with upload.lock:
                if not upload.is_over:
                    uploads.end(upload)
