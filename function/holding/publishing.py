"""
Decisions are made and carried out: whoever sees one that is not carried out yet goes on with it.

Each of these may be cut off after any call, and run twice at once. In the end the object has its name, or
there is none, and nothing is held any more.
"""

from datetime import datetime
from typing import NamedTuple

from function.context import RequestContext
from function.errors import AlreadyExists
from function.holding import records
from function.holding.decision import DISCARD, PUBLISH, REJECT, Decision, decide, read_decision
from function.holding.upload import HeldUpload
from function.oss.client import OssClient
from function.oss.objects import Copied, copy_object, delete_object, head_object
from function.oss.post_form import CLASS_FIELD
from function.webhook import tell_business

PUBLISHED, REJECTED, GONE = "published", "rejected", "gone"


class Outcome(NamedTuple):
    """
    What came of a decision.

    Args:
        state: ``PUBLISHED``, ``REJECTED`` or ``GONE``.

        was_carried_out: whether something was left to do, and was done here.

        label: WeChat's, where its verdict decided.
    """

    state: str
    was_carried_out: bool
    label: int | None = None


def settle(context: RequestContext, oss: OssClient, upload: HeldUpload, wanted: Decision) -> Outcome:
    """
    Make a decision, unless there is one, and carry out the one that holds.

    Raises:
        UploadError: OSS refuses, or does not answer; then the next call goes on.
    """
    decision, was_made = decide(oss, upload, wanted, context.now)
    return tell(context, upload, carry_out(oss, upload, decision, context.now, is_new=was_made))


def tell(context: RequestContext, upload: HeldUpload, outcome: Outcome) -> Outcome:
    """The same; the business is told when something was carried out."""
    if outcome.was_carried_out:
        tell_of(context, upload, outcome.state, outcome.label)
    return outcome


def tell_of(context: RequestContext, upload: HeldUpload, event: str, label: int | None = None) -> None:
    """Tell the business of an event, with WeChat's label where there is one."""
    more = {} if label is None else {"label": label}
    tell_business(context, upload.receipt, event, **more)


def carry_out(
    oss: OssClient, upload: HeldUpload, decision: Decision, now: datetime, *, is_new: bool = False
) -> Outcome:
    """
    See to it that a decision is what happens.

    Args:
        is_new: whether it was made a moment ago, about what had just been looked at.

    Raises:
        AlreadyExists: another object has the name; what is held stays so.

        UploadError: OSS refuses, or does not answer; then the next call goes on.
    """
    if decision.what == PUBLISH:
        return _publish(oss, upload, decision, is_new)
    if decision.what == REJECT:
        return _reject(oss, upload, decision, now, is_new)
    return _discard(oss, upload, is_new)


def _publish(oss: OssClient, upload: HeldUpload, decision: Decision, is_new: bool) -> Outcome:
    # Who has decided a moment ago has looked just before, and the copy is of these bytes or of none.
    held = None if is_new else head_object(oss, upload.held_key)
    is_held = is_new or upload.is_ours(held)
    # The same client may have stored other bytes there meanwhile; nobody decided about those.
    if is_new or (upload.is_ours(held) and held.etag == decision.etag):
        is_there = _copy(oss, upload, decision.etag)
        # A copy takes its time, and a backend may have thought better of it meanwhile.
        latest = read_decision(oss, upload.upload_id)
        if latest is not None and latest.what == DISCARD:
            return _discard(oss, upload, is_new=False)
    else:
        is_there = _is_published(oss, upload)
    if is_there and is_held:
        delete_object(oss, upload.held_key)
    if is_there and upload.etag == decision.etag:
        return Outcome(PUBLISHED, is_held, decision.label)
    return Outcome(GONE, was_carried_out=False)


def _copy(oss: OssClient, upload: HeldUpload, etag: str) -> bool:
    """Whether the object of this name is the upload's by now, by this copy or by an earlier one."""
    profile = upload.profile
    try:
        copied = copy_object(
            oss,
            upload.held_key,
            upload.key,
            acl=profile.acl,
            source_etag=etag,
            forbid_overwrite=True,
            storage_class=dict(profile.pinned)[CLASS_FIELD],
        )
    except AlreadyExists:
        if not _is_published(oss, upload):
            raise
        return True
    return copied is Copied.DONE or _is_published(oss, upload)


def _is_published(oss: OssClient, upload: HeldUpload) -> bool:
    return upload.is_ours(head_object(oss, upload.key))


def _reject(oss: OssClient, upload: HeldUpload, decision: Decision, now: datetime, is_new: bool) -> Outcome:
    is_held = upload.is_ours(head_object(oss, upload.held_key))
    if is_held or is_new:
        label = {} if decision.label is None else {"label": decision.label}
        said = {"by": decision.by, **label, "key": upload.key, "receipt": decision.receipt}
        records.put(oss, records.rejected(upload.upload_id), said, now)
    if is_held:
        delete_object(oss, upload.held_key)
    return Outcome(REJECTED, is_held or is_new, decision.label)


def _discard(oss: OssClient, upload: HeldUpload, is_new: bool) -> Outcome:
    # In this order: as long as it is held, a copy may be under way.
    is_held = upload.is_ours(head_object(oss, upload.held_key))
    if is_held:
        delete_object(oss, upload.held_key)
    is_published = _is_published(oss, upload)
    if is_published:
        delete_object(oss, upload.key)
    return Outcome(GONE, is_new or is_held or is_published)
