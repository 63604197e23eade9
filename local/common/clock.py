"""
The clocks of the emulators: the machine's, and one that a test or a person moves.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """Timezone-aware UTC."""
    return datetime.now(UTC)


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
