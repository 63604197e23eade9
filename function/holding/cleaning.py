"""The step before every check of a picture without metadata: its clean copy, made once, under a lease."""

from function.context import RequestContext
from function.errors import OssUnavailable
from function.holding.clean_copy import make_clean_copy
from function.holding.clean_record import PAUSES, Cleaning, get_cleaning
from function.holding.decision import BY_COMMIT, decide, decided_state, forget_due, leave_to_a_human
from function.holding.held_upload import HeldUpload, Shown
from function.holding.records import PUBLISH
from function.holding.state import HELD, HeldState, first_step
from function.holding.wechat_check import note_check
from function.moderation.finding import METADATA, Finding
from function.oss.client import OssClient

# What a clean copy needs at least; with less it is left to the tick.
LEAST_SECONDS = 6.0


def continue_with_cleaning(
    context: RequestContext, oss: OssClient, upload: HeldUpload, current: HeldState
) -> HeldState:
    """
    Make the clean copy that is due, unless another request does, and publish it where no checker looks.

    Args:
        current: with ``due`` as ``BY_CLEANING``.

    Returns:
        the state; ``due`` of the first checker if that is next.

    Raises:
        UploadError: OSS refuses, or does not respond; a tick makes another attempt.
    """
    assert current.cleaning is not None, "as BY_CLEANING says"
    # From now on a tick continues it; one record stands for all attempts.
    name = note_check(context, oss, upload) if current.cleaning.number == 1 else ""
    current = current if current.copy else _clean(context, oss, upload, current, current.cleaning)
    if current.state != HELD or current.copy is None:
        return current
    upload = upload._replace(copy=current.copy)
    if upload.profile.is_checked:
        return first_step(oss, upload, current, context.now)
    ended = decide(context, oss, upload, PUBLISH, BY_COMMIT)
    if name:
        forget_due(context, oss, name)
    return ended


def clean_by_hand(
    context: RequestContext, oss: OssClient, upload: HeldUpload, current: HeldState
) -> HeldState:
    """Make the clean copy of what a human publishes, who may have it tried again; raises as the step does."""
    cleaning = current.cleaning or get_cleaning(oss, upload, context.now)
    if cleaning.copy is None and cleaning.number:
        cleaning = cleaning._replace(problem="")
    return _clean(context, oss, upload, current._replace(cleaning=cleaning), cleaning)


def _clean(
    context: RequestContext, oss: OssClient, upload: HeldUpload, current: HeldState, cleaning: Cleaning
) -> HeldState:
    made: Shown | str | None = cleaning.copy or cleaning.problem
    if not made:
        seconds = min(oss.seconds_left(), context.seconds_left())
        if context.has_cleaned or seconds < LEAST_SECONDS or not cleaning.number:
            return current
        context.has_cleaned = True
        try:
            made = make_clean_copy(context, oss, upload, cleaning.number)
        except OssUnavailable:
            # Another request may have decided meanwhile; then it is held no longer.
            if decided := decided_state(context, oss, upload):
                return decided
            raise
    if made is None:
        # Another request has the lease, and may die over it.
        return current._replace(due=0, silent_at=context.now + PAUSES[0])
    if isinstance(made, str):
        context.line.reason = f"clean copy: {made}; a human must decide"
        return leave_to_a_human(context, oss, upload, Finding(METADATA, errcode=made))
    return current._replace(cleaning=Cleaning(made), stored_at=made.stored_at)
