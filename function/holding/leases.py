"""Leases of the steps of a check, and what came of them: the record of an accepted upload."""

from function.annotations import Any
from function.config.profile import COMMIT
from function.holding import records
from function.holding.accepted_record import Progress
from function.holding.current_state import HeldState
from function.holding.held_upload import Case
from function.holding.transitions import ACCEPTED, next_state


def accept(case: Case, current: HeldState) -> Progress | None:
    """
    Record that the bytes of a receipt are accepted, before the check begins.

    Returns:
        ``None`` if another request was faster.
    """
    next_state("accept", current.state)
    name = records.accepted_key(case.upload.upload_id)
    if current.progress is None:
        progress = _accepted(case, 0)
        return progress if records.create(case.oss, name, progress.fields, case.now) else None
    progress = _accepted(case, current.progress.turn + 1)
    if current.progress.etag == progress.etag:
        # Its check began when none was required.
        progress = current.progress._replace(is_committed=True, rules=progress.rules, turn=progress.turn)
    records.put(case.oss, name, progress.fields, case.now)
    return progress


def _accepted(case: Case, turn: int) -> Progress:
    upload, profile = case.upload, case.upload.profile
    is_committed = COMMIT in profile.hold
    return Progress(
        ACCEPTED, upload.receipt, upload.etag, profile.rules, is_committed, case.now, case.now, turn
    )


def begin(case: Case, current: HeldState, event: str, **changes: Any) -> Progress | None:
    """
    Take the lease of the step that is due.

    Args:
        event: of the table.
        changes: fields of the progress.

    Returns:
        ``None`` if another request has it.
    """
    state, earlier = next_state(event, current.state), current.progress
    progress = earlier or _accepted(case, 0)
    if current.state == ACCEPTED and earlier is not None:
        # A copy that was made anew is checked anew.
        kept = (earlier.receipt, earlier.etag, earlier.rules, earlier.is_committed)
        progress = Progress(state, *kept, case.now, case.now, earlier.turn)
    if state != current.state:
        progress = progress._replace(since=case.now, failures=0)
    progress = progress._replace(state=state, copy=case.upload.copy_number, **changes)
    lease = progress._replace(is_lease=True).fields if earlier is None else {}
    return progress if records.create(case.oss, current.lease, lease, case.now) else None


def note(case: Case, progress: Progress, event: str, **changes: Any) -> Progress:
    """Record what came of an attempt, and return the progress."""
    progress = progress._replace(
        state=next_state(event, progress.state),
        at=case.now,
        turn=progress.turn + 1,
        is_lease=False,
        **changes,
    )
    records.put(case.oss, records.accepted_key(case.upload.upload_id), progress.fields, case.now)
    return progress
