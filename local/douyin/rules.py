"""Rules for points that Douyin's pages leave open about the login."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True)
class DouyinRules:
    """
    Args:
        douyin_code_lives: 5 minutes on one page, 3 on an older one.

        douyin_errors_have_data: whether an error brings ``data`` with empty fields; no page lists the errors
            of this version.
    """

    douyin_code_lives: timedelta = timedelta(minutes=3)
    douyin_errors_have_data: bool = True
