"""Decide about a held upload; settle it: apply what was decided, and return its state."""

from function.holding.apply_decision import take_effect
from function.holding.current_state import HeldState, undecided_state
from function.holding.decision_records import forget_due, leave_to_a_human, make_decision
from function.holding.held_upload import ByHand, Case
from function.holding.records import Decision, get_decision
from function.holding.transitions import BY_BACKEND, BY_CHECK, GONE, PUBLISH, PUBLISHED
from function.moderation.finding import Finding


def settle(case: Case, told_by: str = "") -> HeldState:
    """
    Apply a pending decision, then return the state of an upload.

    Args:
        told_by: kind of the due record that is continued; a decision that relies on it is told once more.

    Raises:
        AlreadyExists: it is to be published, and another object has the name.
    """
    state = decided_state(case, told_by)
    if state is None:
        state = undecided_state(case.oss, case.upload, case.now)
        if state.shown == GONE:
            # It may have been decided and applied in the meantime.
            state = decided_state(case, told_by) or state
    return state


def decided_state(case: Case, told_by: str = "") -> HeldState | None:
    """Apply the decision about an upload, and return its state; ``None`` without one."""
    decision = get_decision(case.oss, case.upload.upload_id)
    return apply(case, decision, is_due=bool(told_by) and decision.due == told_by) if decision else None


def decide(
    case: Case,
    current: HeldState,
    action: str,
    by: str,
    finding: Finding | None = None,
    hand: ByHand | None = None,
) -> HeldState:
    """
    Decide about the bytes of a receipt unless that is done, apply what counts, and return the new state.

    Args:
        current: state that the decision ends.
        action, by, finding: as in ``Decision``.

    Returns:
        ``REVIEW`` if its label needs a human.

    Raises:
        UploadError: OSS refuses, or does not respond; the next request continues.
    """
    upload, label, is_labelled = case.upload, None, hand is not None and hand.is_labelled
    if action == PUBLISH and upload.profile.ai_label:
        from function.holding.label_record import doubt_about_label, label_of_copy

        if doubt := doubt_about_label(case, is_checked=by == BY_CHECK, is_by_hand=by == BY_BACKEND):
            return leave_to_a_human(case, current, doubt)
        label = label_of_copy(case, is_labelled=is_labelled) if upload.copy else None
    decision = Decision(
        action, by, upload.receipt, upload.etag, case.now, finding, copy=upload.copy, label=label
    )
    decision = decision._replace(reviewer=hand.reviewer if hand else "", is_labelled=is_labelled)
    valid, is_new = make_decision(case, current, decision)
    return apply(case, valid, is_new=is_new)


def apply(case: Case, decision: Decision, *, is_new: bool = False, is_due: bool = False) -> HeldState:
    """Have a decision take effect, and delete what a published upload replaces; raises as the effects do."""
    if decision.is_labelled:
        from function.holding.label_record import note_review

        note_review(case)
    ended, done = take_effect(case, decision, is_new=is_new, is_due=is_due)
    if ended.shown == PUBLISHED and case.upload.content.replaces:
        from function.holding.replaced_deletion import delete_replaced

        delete_replaced(case.context, case.upload.content, case.upload.key)
    forget_due(case, done)
    return ended
