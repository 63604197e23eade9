"""
The wall clock of the emulators; tests hand in their own.
"""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """Timezone-aware UTC."""
    return datetime.now(UTC)
