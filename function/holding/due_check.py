"""Accepted uploads that are undecided: a tick continues their check, and ends them with their hold."""

from datetime import datetime, timedelta

from function.context import RequestContext
from function.holding.accepted_record import SILENCE, get_progress
from function.holding.current_state import HeldState, next_step, open_state
from function.holding.decide import apply, settle
from function.holding.decision_records import CHECK, make_decision
from function.holding.held_upload import Case, read_recorded
from function.holding.leases import accept
from function.holding.records import Decision, get_decision
from function.holding.steps import take_step
from function.holding.transitions import ACCEPTED, BY_TIME, CHECKING, DISCARD, EXPIRE, GONE, HELD, OPEN
from function.oss import due
from function.oss.client import OssClient, same_bucket


def continue_check(context: RequestContext, oss: OssClient, record: due.Due) -> bool:
    """
    Continue the check that a due record is about, or end the upload at the end of its hold.

    The record moves to when the next step is due. Once there is a decision, it goes when the business knows.

    Returns:
        False if a checker does not respond: then the record keeps its time.

    Raises:
        Unreadable: the record has no receipt.
        UploadError: OSS refuses, or does not respond; the record stays.
    """
    fields = due.read(oss, record)
    if fields is None:
        return True
    upload = read_recorded(due.text_of(fields, "receipt"), oss.bucket, context.settings, context.now)
    own = same_bucket(context, oss, upload.profile.location)
    case = Case(context, own, upload, record.name)
    current = settle(case, CHECK)
    if case.upload.profile.is_reviewed and current.state == HELD and current.progress is None:
        # Only this record shows that it was accepted: a commit was cut off, or is under way.
        if progress := accept(case, current):
            current = next_step(own, upload, current._replace(progress=progress), context.now)
        else:
            current = settle(case, CHECK)
    if context.now >= upload.held_until:
        if current.shown == GONE and _expire(case):
            return True
    elif current.due:
        current = take_step(case, current)
        if context.wechat_failed or context.aliyun_has_failed:
            return False
        if current.state not in (*OPEN, DISCARD):
            return True
    if context.now < upload.held_until and (at := _continued_at(case, current)):
        due.write(oss, record.kind, record.owner, record.id, at, fields, context.now)
    due.remove(oss, record.name)
    return True


def _continued_at(case: Case, current: HeldState) -> datetime | None:
    """Return when a tick continues an upload again; ``None`` once there is a decision, or a human decides."""
    upload, now = case.upload, case.now
    # What is gone without a decision is told at the end, as is what needs another commit since.
    if current.state == HELD or (current.shown == GONE and get_decision(case.oss, upload.upload_id) is None):
        return upload.held_until
    if not (current.due or current.next_at or current.shown == CHECKING):
        return None
    at = current.next_at or now + (timedelta(0) if current.due else SILENCE)
    return min(max(at, now + timedelta(seconds=1)), upload.held_until)


def _expire(case: Case) -> bool:
    """
    End an accepted upload whose hold is over and which nobody has decided about, and tell the business.

    Returns:
        False if somebody has decided, or other bytes than these were accepted.
    """
    oss, upload = case.oss, case.upload
    if get_decision(oss, upload.upload_id) is not None:
        return False
    current = open_state(oss, upload, case.now, upload.held_until)
    if current.state == HELD:
        # The profile may require no check any more, or another commit: the due record shows an acceptance.
        progress = get_progress(oss, upload.upload_id)
        if progress is not None and progress.etag != upload.etag:
            return False
        current = HeldState(ACCEPTED)
    decision = Decision(EXPIRE, BY_TIME, upload.receipt, upload.etag, case.now, state=current.shown)
    valid, is_new = make_decision(case, current, decision)
    apply(case, valid, is_new=is_new)
    return True
