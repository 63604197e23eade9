"""The clocks of the emulators: the machine's, and one that a test or a person moves."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """Timezone-aware UTC."""
    return datetime.now(UTC)


class MovedClock:
    """A clock that goes on, ahead of another by what it was moved."""

    def __init__(self, now: Clock = utc_now) -> None:
        self._now = now
        self._ahead = timedelta()

    def __call__(self) -> datetime:
        return self._now() + self._ahead

    def move(self, **duration: float) -> None:
        self._ahead += timedelta(**duration)


@dataclass
class StandingClock:
    """
    A clock that moves only when told to.

    Args:
        instant: timezone-aware UTC.
    """

    instant: datetime

    def __call__(self) -> datetime:
        return self.instant

    def tick(self, **duration: float) -> datetime:
        self.instant += timedelta(**duration)
        return self.instant
