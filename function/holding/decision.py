"""
Decisions about held uploads: made once, then applied.

A request that finds a decision which was cut off continues it. Applying may stop after any call to OSS and
may run twice at once; in the end the object has its name or does not exist, and nothing is held any more.
A decision is changed in two cases only: a backend discards what it has published, and what passed a check is
discarded if another upload has the name, a digest. A copy whose response was not heard may still finish then,
so such an upload is gone a minute after the copy was sent, not before.
A due record is written before each decision and removed after the business was notified: a tick continues a
decision that was cut off, without another request.
"""

from contextlib import suppress
from datetime import datetime, timedelta

from function.context import RequestContext
from function.errors import AlreadyExists, OssRejected, OssUnavailable, UploadError
from function.holding import publication, records
from function.holding.events import notify, notify_due
from function.holding.held_upload import HeldUpload
from function.holding.records import DISCARD, ENDS, EXPIRE, PUBLISH, REJECT, Decision, get_decision
from function.holding.state import GONE, PUBLISHED, REJECTED, REVIEW, HeldState, undecided_state
from function.moderation.finding import Finding
from function.oss import due
from function.oss.client import OssClient
from function.oss.objects import head_object

# Kind of due records. A minute later the request that wrote one is over, whether it has decided or not.
DECISION, DUE_AFTER = "decision", timedelta(seconds=60)
BY_CHECK, BY_COMMIT, BY_BACKEND, BY_OWNER = "check", "commit", "backend", "owner"
# Kind of the due records of what is accepted and undecided: until a checker has answered, then at the end.
CHECK, EXPIRED = "check", "expired"


def settle(context: RequestContext, oss: OssClient, upload: HeldUpload) -> HeldState:
    """
    Apply a pending decision, then return the state of an upload.

    Raises:
        AlreadyExists: it is to be published, and another object has the name.
    """
    state = decided_state(context, oss, upload)
    if state is None:
        state = undecided_state(oss, upload, context.now)
        if state.state == GONE:
            # It may have been decided and applied in the meantime.
            state = decided_state(context, oss, upload) or state
    return state


def decided_state(context: RequestContext, oss: OssClient, upload: HeldUpload) -> HeldState | None:
    """Apply the decision about an upload, and return its state; ``None`` without one."""
    decision = get_decision(oss, upload.upload_id)
    return apply(context, oss, upload, decision) if decision else None


def decide(
    context: RequestContext,
    oss: OssClient,
    upload: HeldUpload,
    action: str,
    by: str,
    finding: Finding | None = None,
    reviewer: str = "",
) -> HeldState:
    """
    Decide about the bytes of a receipt unless that is done, apply what counts, and return the new state.

    Args:
        action, by, finding, reviewer: as in ``Decision``.

    Raises:
        UploadError: OSS refuses, or does not respond; the next request continues.
    """
    decision = Decision(
        action, by, upload.receipt, upload.etag, context.now, finding, reviewer=reviewer, copy=upload.copy
    )
    valid, is_new = make_decision(context, oss, upload, decision)
    return apply(context, oss, upload, valid, is_new=is_new)


def make_decision(
    context: RequestContext, oss: OssClient, upload: HeldUpload, decision: Decision
) -> tuple[Decision, bool]:
    """
    Make a decision unless there is one.

    Returns:
        the decision that counts, and whether it was made here.

    Raises:
        UploadError: OSS refuses, or does not respond; it may have been made or not.
    """
    ours = note_due(context, oss, upload, decision.action, decision.at)
    if records.create(oss, records.decision_key(upload.upload_id), decision.fields, decision.at):
        return decision, True
    earlier = get_decision(oss, upload.upload_id)
    if earlier is None:
        raise OssUnavailable(reason="the decision disappeared while it was made")
    # The earlier one has a record of its own.
    if ours != _due_name(upload, earlier.action, earlier.at):
        forget_due(context, oss, ours)
    return earlier, False


def overrule(
    context: RequestContext, oss: OssClient, upload: HeldUpload, publication: Decision, discarding: Decision
) -> Decision:
    """Replace the decision to publish by one to discard, and return that."""
    note_due(context, oss, upload, DISCARD, discarding.at)
    # The publication deletes the held object after the response to its copy.
    sent = publication.at if upload.is_ours(head_object(oss, upload.held_key)) else None
    again = records.written_at(oss, records.copy_key(upload.upload_id))
    discarding = discarding._replace(copied=max(filter(None, (sent, again)), default=None))
    records.put(oss, records.decision_key(upload.upload_id), discarding.fields, discarding.at)
    # Whoever copies once more records that, then looks at the decision: what was recorded meanwhile may run.
    late = records.written_at(oss, records.copy_key(upload.upload_id))
    if late != again:
        discarding = discarding._replace(copied=max(filter(None, (sent, late)), default=None))
        records.put(oss, records.decision_key(upload.upload_id), discarding.fields, discarding.at)
    return discarding


def leave_to_a_human(
    context: RequestContext, oss: OssClient, upload: HeldUpload, finding: Finding
) -> HeldState:
    """Record that a person must decide about an upload, unless that is recorded already."""
    from function.holding.reviews import list_for_review

    name = note_due(context, oss, upload, REVIEW, context.now)
    note_end(context, oss, upload)
    fields = {**finding.fields, "receipt": upload.receipt}
    is_new = records.create(oss, records.review_key(upload.upload_id), fields, context.now)
    if is_new:
        list_for_review(oss, upload, fields, context.now)
    if is_new and notify(context, upload, REVIEW, finding):
        forget_due(context, oss, name)
    return HeldState(REVIEW)


def note_due(context: RequestContext, oss: OssClient, upload: HeldUpload, what: str, at: datetime) -> str:
    """
    Write the due record of something that is about to be decided, and return its name.

    Args:
        what: an action, or ``REVIEW``.
        at: time of the decision.
    """
    # A discard may overrule a publication that is under way in the same minute.
    id, fields = f"{upload.upload_id}-{what}", {"receipt": upload.receipt, "what": what}
    try:
        # What is deleted by its key without a receipt is told to nobody, and its caller repeats it.
        if upload.receipt:
            due.write(oss, DECISION, upload.owner, id, at + DUE_AFTER, fields, context.now)
    except OssRejected as error:
        # The role may be older than due records; the next request continues then.
        context.line.reason = error.reason
    return _due_name(upload, what, at)


def note_end(context: RequestContext, oss: OssClient, upload: HeldUpload) -> None:
    """Write the due record by which a tick ends an upload that nobody has decided about in time."""
    with suppress(OssRejected):
        fields = {"receipt": upload.receipt}
        due.write(oss, CHECK, upload.owner, upload.upload_id, upload.held_until, fields, context.now)


def _due_name(upload: HeldUpload, what: str, at: datetime) -> str:
    return due.name_of(DECISION, upload.owner, f"{upload.upload_id}-{what}", at + DUE_AFTER)


def forget_due(context: RequestContext, oss: OssClient, name: str) -> None:
    """Remove a due record; a failure changes no response: a tick finds nothing left to do."""
    try:
        due.remove(oss, name)
    except UploadError as error:
        context.line.reason = error.reason


def apply(
    context: RequestContext,
    oss: OssClient,
    upload: HeldUpload,
    decision: Decision,
    *,
    is_new: bool = False,
    is_due: bool = False,
) -> HeldState:
    """
    Apply a decision, notify the business if anything was left to do, and return the new state.

    Args:
        is_new: whether it was just made, about an upload whose state had just been read.
        is_due: whether the business may not have heard of it although nothing is left to do.

    Raises:
        AlreadyExists: another object has the name; the upload stays held.
        UploadError: OSS refuses, or does not respond; the next request continues.
    """
    if decision.action == PUBLISH:
        try:
            ended, has_changed = _publish(oss, upload, decision, context.now, is_new)
        except AlreadyExists:
            # Who commits hears it, and may wait for the name; of a check's decision nobody would hear.
            if decision.by != BY_CHECK or not upload.profile.key.is_named_by_digest:
                raise
            discarding = Decision(DISCARD, BY_CHECK, decision.receipt, decision.etag, context.now)
            decision = overrule(context, oss, upload, decision, discarding)
            # Where it is not the first, a record says when this copy was sent.
            ended, has_changed = _discard(oss, upload, decision, context.now, is_copy_heard=True)
    elif decision.action == REJECT:
        ended, has_changed = _reject(oss, upload, decision, context.now, is_new)
    else:
        ended, has_changed = _discard(oss, upload, decision, context.now, is_new=is_new)
    state, is_delivered = ended.state, True
    more = ended.published.fields if ended.published else {}
    event, more = (EXPIRED, {"state": decision.state}) if decision.action == EXPIRE else (state, more)
    # A publication may have become impossible, but its object need not be gone for good.
    if upload.receipt and (has_changed or (is_due and (state != GONE or decision.action in ENDS))):
        deliver = notify_due if is_due else notify
        is_delivered = deliver(
            context,
            upload,
            event,
            None if state == GONE else decision.finding,
            decision.at,
            **more,
        )
    if state == PUBLISHED and upload.content.replaces:
        from function.holding.replacement import delete_replaced

        delete_replaced(context, upload.content, upload.key)
    if has_changed and is_delivered and not is_due:
        forget_due(context, oss, _due_name(upload, decision.action, decision.at))
    return ended


def _publish(
    oss: OssClient, upload: HeldUpload, decision: Decision, now: datetime, is_new: bool
) -> tuple[HeldState, bool]:
    # The state was read just before a new decision, and only these bytes are copied.
    held = None if is_new else head_object(oss, upload.held_key)
    is_held = is_new or upload.is_ours(held)
    # The same client may have stored other bytes there since; the decision is not about those.
    if is_new or (upload.is_ours(held) and held.etag == decision.etag):
        if not is_new:
            # Then the decision is read again: a discard sees this copy, or this request sees the discard.
            records.put(oss, records.copy_key(upload.upload_id), {}, now)
            if overruled := publication.overruled_by(oss, upload):
                return _discard(oss, upload, overruled, now)
        there = publication.publish_copy(oss, upload, decision)
        # A copy takes time, and a backend may have overruled the decision meanwhile.
        if overruled := publication.overruled_by(oss, upload):
            return _discard(oss, upload, overruled, now, is_copy_heard=is_new)
    else:
        there = publication.find_published(oss, upload)
        if there is None:
            publication.check_no_copy_runs(oss, upload, decision.at, now)
    if there and is_held:
        publication.delete_held(oss, upload)
    if there and upload.etag == decision.etag:
        return HeldState(PUBLISHED, published=there), is_held
    return HeldState(GONE), False


def _reject(
    oss: OssClient, upload: HeldUpload, decision: Decision, now: datetime, is_new: bool
) -> tuple[HeldState, bool]:
    is_held = upload.is_ours(head_object(oss, upload.held_key))
    if is_held or is_new:
        # ``by`` is the step or the caller, and a checker's name stands in its finding.
        found = decision.fields.get("finding", {})
        who = {"by": decision.by, **({"reviewer": decision.reviewer} if decision.reviewer else {})}
        evidence = {**found, **who, "key": upload.key, "receipt": decision.receipt}
        records.put(oss, records.rejection_key(upload.upload_id), evidence, now)
    if is_held:
        publication.delete_held(oss, upload)
    return HeldState(REJECTED), is_held or is_new


def _discard(
    oss: OssClient,
    upload: HeldUpload,
    decision: Decision,
    now: datetime,
    *,
    is_new: bool = False,
    is_copy_heard: bool = False,
) -> tuple[HeldState, bool]:
    # In this order: a copy may be under way as long as the held object exists.
    is_held = upload.is_ours(head_object(oss, upload.held_key))
    if is_held:
        publication.delete_held(oss, upload)
    is_there = publication.find_published(oss, upload) is not None
    if is_there:
        publication.delete_same(oss, upload.key, upload.is_ours)
    if decision.copied is not None:
        publication.check_no_copy_runs(oss, upload, None if is_copy_heard else decision.copied, now)
    # Whoever deleted it by its key may have had no receipt; the first who has one tells.
    done = decision._replace(copied=None, receipt=decision.receipt or upload.receipt)
    if done != decision:
        records.put(oss, records.decision_key(upload.upload_id), done.fields, now)
    return HeldState(GONE), is_new or is_held or is_there or done != decision
