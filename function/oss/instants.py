"""Instants as text: in responses, policies and records."""

from datetime import UTC, datetime
from functools import lru_cache

MIN_YEAR, MAX_YEAR = 1970, 9000


# All the files of a request, and all requests of one second, write the same two instants: two seconds meet.
@lru_cache(maxsize=4)
def iso(instant: datetime) -> str:
    """Return ``2026-11-24T14:05:00Z``, from timezone-aware UTC."""
    return f"{instant.isoformat()[:19]}Z"


@lru_cache(maxsize=4)
def stamp_of(now: datetime) -> str:
    """Return ``20261124T140500Z``."""
    return iso(now).replace("-", "").replace(":", "")


def instant_in(text: str) -> datetime:
    """Return an instant in ISO 8601, as UTC; raise ``ValueError`` if it is none, or has no time zone."""
    instant = datetime.fromisoformat(text)
    # Durations are added to it, and taken away.
    if instant.tzinfo is None or not MIN_YEAR <= instant.year <= MAX_YEAR:
        raise ValueError(text)
    return instant.astimezone(UTC)
