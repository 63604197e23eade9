"""What may be broken, each with its reason: where a rule does not apply, and faults that wait for a cure."""

from typing import NamedTuple


class Exemption(NamedTuple):
    """
    A rule that is not asked.

    Args:
        scenario: where; of one that is everywhere, where it is found.
        is_fault: whether it is a fault of the function; a test finds it without this, until it is cured.
    """

    rule: str
    scenario: str
    why: str
    is_fault: bool = True
    is_everywhere: bool = False


COVERED = "The phone stored other bytes over those that were committed, which are nowhere any more."
ANEW = "A copy that a discard deleted is made and checked anew by a tick that is under way."
EXEMPTIONS: tuple[Exemption, ...] = (
    Exemption("what_passed_every_step_is_visible", "commit against overwriting", COVERED, is_fault=False),
    Exemption("a_check_is_paid_once", "clean, wechat, discard", ANEW, is_fault=False),
    Exemption("what_was_accepted_has_an_outcome", "commit against overwriting", COVERED, is_fault=False),
)
