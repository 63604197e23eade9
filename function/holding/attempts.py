"""Attempts at a step of a check: the lease before, the result after; each asks the table of transitions."""

from function.annotations import Any
from function.config.profile import COMMIT
from function.holding import records
from function.holding.held_upload import Case
from function.holding.progress import Progress
from function.holding.state import HeldState
from function.holding.transitions import ACCEPTED, after


def accept(case: Case, current: HeldState) -> Progress | None:
    """
    Record that the bytes of a receipt are accepted, before the check begins.

    Returns:
        ``None`` if another request was faster.
    """
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
    state, earlier = after(event, current.stage), current.progress
    progress = earlier or _accepted(case, 0)
    if current.stage == ACCEPTED and earlier is not None:
        # A copy that was made anew is checked anew.
        fresh = _accepted(case, earlier.turn)
        same = earlier._asdict()
        progress = fresh._replace(
            **{each: same[each] for each in ("receipt", "etag", "rules", "is_committed")}
        )
    if state != current.stage:
        progress = progress._replace(since=case.now, failures=0)
    progress = progress._replace(state=state, copy=case.upload.copy_number, **changes)
    lease = progress._replace(is_lease=True).fields if earlier is None else {}
    return progress if records.create(case.oss, current.lease, lease, case.now) else None


def note(case: Case, progress: Progress, event: str, **changes: Any) -> Progress:
    """Record what came of an attempt, and return the progress."""
    progress = progress._replace(
        state=after(event, progress.state), at=case.now, turn=progress.turn + 1, is_lease=False, **changes
    )
    records.put(case.oss, records.accepted_key(case.upload.upload_id), progress.fields, case.now)
    return progress


def left_for_later(case: Case, current: HeldState) -> HeldState:
    """Return the state of an upload whose next step this request does not take, once it is accepted."""
    if current.progress is None:
        accept(case, current)
    return current
