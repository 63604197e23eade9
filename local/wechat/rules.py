"""
Rules for points that WeChat's pages leave open about the check and its push.

Each default is the reading under which more can go wrong: what copes with it copes with the other, too.
"""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True)
class WechatRules:
    """
    Args:
        push_repeats: how often a push comes again that was not answered with ``success`` within five seconds:
            three times in texts of years ago, and the page of 2026 says nothing of it.

        push_repeats_alike: whether it is the same message then, byte for byte. False seals it anew, with
            another timestamp and nonce.

        check_takes_unlisted: whether pictures and sounds of other kinds than the page lists (webp, heic) can
            be looked at. False calls them unreadable (-1008).

        check_opens_presigned: whether WeChat can open a presigned URL of OSS. False calls it unreadable
            (-1008), as some reports have it; plain addresses are opened all the same.

        api_is_encrypted: whether API security is switched on in the console: then no check is taken that
            comes in plain (40234). That it is so of this call follows from a line of its page.

        check_takes_up_to: until a verdict is pushed: samples show 0 to 6 seconds, the page promises 30
            minutes.

        revocations_have_blanks: the page's samples of revocations have a blank before a name and some
            values; whether the real push has them is not said.

        revocations_have_unionid: one page names UnionID among their fields, the other does not.
    """

    push_repeats: int = 3
    push_repeats_alike: bool = True
    check_takes_unlisted: bool = False
    check_opens_presigned: bool = True
    api_is_encrypted: bool = False
    check_takes_up_to: timedelta = timedelta(seconds=6)
    revocations_have_blanks: bool = True
    revocations_have_unionid: bool = False
