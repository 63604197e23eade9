"""Accepted uploads that are undecided: a tick continues their check, and ends them with their hold."""

from datetime import datetime, timedelta

from function.context import RequestContext
from function.holding.actions import submit_if_due
from function.holding.decision import apply, make_decision, settle
from function.holding.held_upload import HeldUpload, read_recorded
from function.holding.records import EXPIRE, Decision, get_decision
from function.holding.state import CHECKING, GONE, SILENCE, HeldState, state_at_end
from function.oss import due
from function.oss.client import OssClient, same_bucket

BY_TIME = "time"


def continue_check(context: RequestContext, oss: OssClient, record: due.Due) -> bool:
    """
    Continue the check that a due record is about, or end the upload at the end of its hold.

    The record moves to when the next step is due, and goes once there is a decision.

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
    current = settle(context, own, upload)
    if context.now >= upload.held_until:
        if current.state == GONE:
            _expire(context, own, upload)
    else:
        current = submit_if_due(context, own, upload, current)
        if context.wechat_has_failed or context.aliyun_has_failed:
            return False
        if at := _continued_at(context, own, upload, current):
            due.write(oss, record.kind, record.owner, record.id, at, fields, context.now)
    due.remove(oss, record.name)
    return True


def _continued_at(
    context: RequestContext, oss: OssClient, upload: HeldUpload, current: HeldState
) -> datetime | None:
    """Return when a tick continues an upload again; ``None`` once there is a decision, or a human decides."""
    # What is gone without a decision is told at the end.
    if current.state == GONE and get_decision(oss, upload.upload_id) is None:
        return upload.held_until
    if not (current.due or current.silent_at or current.state == CHECKING):
        return None
    at = current.silent_at or context.now + (timedelta(0) if current.due else SILENCE)
    return min(max(at, context.now + timedelta(seconds=1)), upload.held_until)


def _expire(context: RequestContext, oss: OssClient, upload: HeldUpload) -> None:
    """End an accepted upload whose hold is over and which nobody has decided about, and tell the business."""
    if get_decision(oss, upload.upload_id) is None:
        state = state_at_end(oss, upload, context.now)
        decision = Decision(EXPIRE, BY_TIME, upload.receipt, upload.etag, context.now, state=state)
        valid, is_new = make_decision(context, oss, upload, decision)
        apply(context, oss, upload, valid, is_new=is_new)
