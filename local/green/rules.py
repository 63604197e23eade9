"""
Rules for points that the pages of Content Moderation leave open.

Each default is the reading under which more can go wrong: what copes with it copes with the other, too.
"""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True)
class GreenRules:
    """
    Args:
        moderation_takes_ms: until an answer comes, beside the time for getting the picture. No page says.

        moderation_fetches_for: until a picture that does not come is given up (405): two pages say 3 s, two
            others 7 s.

        moderation_calls_a_second: of one account; those above get 403. 100 by one page, and 50 in the
            old edition.

        moderation_longest_url: in characters; longer ones get 402. No page that could be read says one.

        moderation_old_codes: whether the codes of the old edition (480, 592, 589, 590) come in place of 404,
            405, 406 and 407: the product's list of codes has both.

        moderation_wide_is_too_large: whether a side over 16,384 points is too large (406), or not supported
            (407).

        moderation_code_is_status: whether the HTTP status is the body's Code, as one text says. False answers
            200 for all.

        moderation_rights_by_gateway: whether the gateway refuses a missing right (403, ``NoPermission``), or
            the service (Code 408 with HTTP 200).

        moderation_has_consent: whether the account lets the service read its buckets.

        moderation_consent_is_403: the code without that consent, 403; False has 408.

        moderation_results_after: until the result of a video or sound is there (Code 280 before).
    """

    moderation_takes_ms: int = 400
    moderation_fetches_for: timedelta = timedelta(seconds=3)
    moderation_calls_a_second: int = 100
    moderation_longest_url: int = 2048
    moderation_old_codes: bool = False
    moderation_wide_is_too_large: bool = True
    moderation_code_is_status: bool = False
    moderation_rights_by_gateway: bool = True
    moderation_has_consent: bool = False
    moderation_consent_is_403: bool = True
    moderation_results_after: timedelta = timedelta(seconds=30)
