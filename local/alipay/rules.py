"""Rules for points that Alipay's pages leave open about the login, or that differ from app to app."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True)
class AlipayRules:
    """
    Args:
        alipay_clock_tolerance: how far a timestamp may be off; no page says it.

        alipay_code_lives: 3 minutes to 24 hours, by the kind of the code.

        alipay_gives_open_id, alipay_gives_user_id: new apps get ``open_id`` only; older ones both, or only
            ``user_id``, and differently from user to user while they move.

        alipay_signs_errors: whether an ``error_response`` has a ``sign``; the pages show both.

        alipay_errors_in_node: whether an error comes in the node of a success, which is always signed.
    """

    alipay_clock_tolerance: timedelta = timedelta(minutes=5)
    alipay_code_lives: timedelta = timedelta(minutes=3)
    alipay_gives_open_id: bool = True
    alipay_gives_user_id: bool = False
    alipay_signs_errors: bool = False
    alipay_errors_in_node: bool = False
