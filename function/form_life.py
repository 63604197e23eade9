"""The one rule about time: a form never outlives the credentials that signed it."""

from collections.abc import Iterable
from datetime import datetime, timedelta

# A form ends at least this long before its credentials do.
MARGIN = timedelta(seconds=60)


def fits(form: timedelta, session: timedelta) -> bool:
    """Whether a form may be promised this life at all, where credentials begin with that one."""
    return form + MARGIN < session


def covered_until(form_ends: Iterable[datetime]) -> datetime:
    """How long credentials must live to sign all the forms (one at least) that end then."""
    return max(form_ends) + MARGIN


def covers(credentials_end: datetime, good_until: datetime) -> bool:
    """Whether credentials last for what ``covered_until`` said."""
    return credentials_end >= good_until
