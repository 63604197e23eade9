"""The step before every check of a picture without metadata: its clean copy, made once, under a lease."""

from function.errors import OssUnavailable
from function.holding.clean_copy import make_clean_copy
from function.holding.clean_record import PAUSES, Cleaning, get_cleaning
from function.holding.current_state import HeldState, next_step
from function.holding.decide import decide, decided_state
from function.holding.decision_records import leave_to_a_human, note_check
from function.holding.held_upload import Case, Shown
from function.holding.transitions import BY_COMMIT, PUBLISH
from function.moderation.finding import METADATA, Finding

# What a clean copy needs at least; with less it is left to the tick.
LEAST_SECONDS = 6.0


def continue_with_cleaning(case: Case, current: HeldState) -> tuple[Case, HeldState]:
    """
    Make the clean copy that is due, unless another request does, and publish it where no checker looks.

    Args:
        current: with ``due`` as ``CLEAN``.

    Returns:
        the case, and the state; ``due`` of the first checker if that is next.

    Raises:
        UploadError: OSS refuses, or does not respond; a tick makes another attempt.
    """
    assert current.cleaning is not None, "as CLEAN says"
    # From now on a tick continues it; one record stands for all attempts.
    if current.cleaning.number == 1 and not case.due:
        case = note_check(case)
    current = _clean(case, current, current.cleaning)
    if current.copy is None:
        return case, current
    shown = case.of_copy(current.copy)
    if case.upload.profile.is_checked:
        return case, next_step(case.oss, shown.upload, current, case.now)
    return case, decide(shown, current, PUBLISH, BY_COMMIT)


def clean_by_hand(case: Case, current: HeldState) -> HeldState:
    """Make the clean copy of what a human publishes, who may have it tried again; raises as the step does."""
    cleaning = current.cleaning or get_cleaning(case.oss, case.upload, case.now)
    if cleaning.number:
        cleaning = cleaning._replace(problem="")
    return _clean(case, current, cleaning)


def _clean(case: Case, current: HeldState, cleaning: Cleaning) -> HeldState:
    context = case.context
    made: Shown | str | None = cleaning.copy or cleaning.problem
    if not made:
        seconds = min(case.oss.seconds_left(), context.seconds_left())
        if context.has_cleaned or seconds < LEAST_SECONDS or not cleaning.number:
            return current
        context.has_cleaned = True
        try:
            made = make_clean_copy(context, case.oss, case.upload, cleaning.number)
        except OssUnavailable:
            # Another request may have decided meanwhile; then it is held no longer.
            if decided := decided_state(case):
                return decided
            raise
    if made is None:
        # Another request has the lease, and may die over it.
        return current._replace(next_at=case.now + PAUSES[0])
    if isinstance(made, str):
        context.line.reason = f"clean copy: {made}; a human must decide"
        return leave_to_a_human(case, current, Finding(METADATA, errcode=made))
    return current._replace(cleaning=Cleaning(made), stored_at=made.stored_at)
