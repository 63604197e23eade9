"""
Effects of a decision: the object has its name or does not exist, and the business knows.

Taking effect may stop after any call to OSS and may run twice at once; a request that finds a decision which
was cut off continues it. A copy whose response was not heard may still finish, so such an upload is gone a
minute after the copy was sent, not before.
"""

from function.errors import AlreadyExists
from function.holding import publication, records
from function.holding.current_state import HeldState
from function.holding.decision_records import (
    due_name,
    forget_due,
    make_decision,
    notify,
    notify_due,
    overrule,
)
from function.holding.held_upload import Case
from function.holding.records import ENDS, Decision, get_decision
from function.holding.transitions import BY_CHECK, DISCARD, EXPIRE, GONE, PUBLISH, REJECT
from function.oss.objects import head_object

EXPIRED = "expired"


def take_effect(
    case: Case, decision: Decision, *, is_new: bool = False, is_due: bool = False
) -> tuple[HeldState, str]:
    """
    Apply a decision, and notify the business if anything was left to do.

    Args:
        is_new: whether it was just made, about an upload whose state had just been read.
        is_due: whether the business may not have heard of it although nothing is left to do.

    Returns:
        the new state, and the name of a due record to forget; empty for none.

    Raises:
        AlreadyExists: another object has the name; the upload stays held.
        UploadError: OSS refuses, or does not respond; the next request continues.
    """
    if decision.action == PUBLISH:
        try:
            ended, has_changed = _publish(case, decision, is_new)
        except AlreadyExists:
            # Who commits hears it, and may wait for the name; of a check's decision nobody would hear.
            if decision.by != BY_CHECK or not case.upload.profile.key.is_named_by_digest:
                raise
            discarding = Decision(DISCARD, BY_CHECK, decision.receipt, decision.etag, case.now)
            decision = overrule(case, decision, discarding)
            # Where it is not the first, a record says when this copy was sent.
            ended, has_changed = _discard(case, decision, is_copy_heard=True)
    elif decision.action == REJECT:
        ended, has_changed = _reject(case, decision, is_new)
    else:
        ended, has_changed = _discard(case, decision, is_new=is_new)
    state, is_delivered = ended.shown, True
    more = ended.published.fields if ended.published else {}
    event, more = (EXPIRED, {"state": decision.state}) if decision.action == EXPIRE else (state, more)
    # A publication may have become impossible, but its object need not be gone for good.
    if case.upload.receipt and (has_changed or (is_due and (state != GONE or decision.action in ENDS))):
        finding = None if state == GONE else decision.finding
        is_delivered = (notify_due if is_due else notify)(case, event, finding, decision.at, **more)
    is_done = has_changed and is_delivered and not is_due
    name = case.due if decision.due else due_name(case, decision.action, decision.at)
    return ended, name if is_done else ""


def _publish(case: Case, decision: Decision, is_new: bool) -> tuple[HeldState, bool]:
    oss, upload = case.oss, case.upload
    # The state was read just before a new decision, and only these bytes are copied.
    held = None if is_new else head_object(oss, upload.held_key)
    is_held = is_new or upload.is_ours(held)
    # The same client may have stored other bytes there since; the decision is not about those.
    if is_new or (upload.is_ours(held) and held.etag == decision.etag):
        if not is_new:
            # Then the decision is read again: a discard sees this copy, or this request sees the discard.
            records.put(oss, records.copy_key(upload.upload_id), {}, case.now)
            if overruled := publication.overruled_by(oss, upload):
                return _discard(case, overruled)
        there = publication.publish_copy(oss, upload, decision)
        # A copy takes time, and a backend may have overruled the decision meanwhile.
        if overruled := publication.overruled_by(oss, upload):
            return _discard(case, overruled, is_copy_heard=is_new)
    else:
        there = publication.find_published(oss, upload)
        if there is None:
            publication.check_no_copy_runs(oss, upload.upload_id, decision.at, case.now)
    if there and is_held:
        publication.delete_held(oss, upload)
    if there and upload.etag == decision.etag:
        return HeldState(PUBLISH, published=there), is_held
    return HeldState(DISCARD), False


def _reject(case: Case, decision: Decision, is_new: bool) -> tuple[HeldState, bool]:
    oss, upload = case.oss, case.upload
    is_held = upload.is_ours(head_object(oss, upload.held_key))
    if is_held or is_new:
        # ``by`` is the step or the caller, and a checker's name stands in its finding.
        found = decision.fields.get("finding", {})
        who = {"by": decision.by, **({"reviewer": decision.reviewer} if decision.reviewer else {})}
        evidence = {**found, **who, "key": upload.key, "receipt": decision.receipt}
        records.put(oss, records.rejection_key(upload.upload_id), evidence, case.now)
    if is_held:
        publication.delete_held(oss, upload)
    return HeldState(REJECT), is_held or is_new


def _discard(
    case: Case, decision: Decision, *, is_new: bool = False, is_copy_heard: bool = False
) -> tuple[HeldState, bool]:
    oss, upload = case.oss, case.upload
    # In this order: a copy may be under way as long as the held object exists.
    is_held = upload.is_ours(head_object(oss, upload.held_key))
    if is_held:
        publication.delete_held(oss, upload)
    is_there = publication.find_published(oss, upload) is not None
    if is_there:
        publication.delete_same(oss, upload.key, upload.is_ours)
    if decision.copied is not None:
        sent = None if is_copy_heard else decision.copied
        publication.check_no_copy_runs(oss, upload.upload_id, sent, case.now)
    # Whoever deleted it by its key may have had no receipt; the first who has one tells.
    done = decision._replace(copied=None, receipt=decision.receipt or upload.receipt)
    if done != decision:
        records.put(oss, records.decision_key(upload.upload_id), done.fields, case.now)
    return HeldState(DISCARD), is_new or is_held or is_there or done != decision


def discard_any(case: Case, by: str) -> str:
    """
    Discard an upload that may be published, and return the new state: ``GONE`` unless it was rejected before.

    Args:
        case: its upload lacks a receipt if it is deleted by its key and none is on record.
    """
    upload = case.upload
    discarding = Decision(DISCARD, by, upload.receipt, upload.etag, case.now)
    earlier = get_decision(case.oss, upload.upload_id)
    decision, is_new = (earlier, False) if earlier else make_decision(case, None, discarding)
    if decision.action == PUBLISH:
        decision = overrule(case, decision, discarding)
    ended, done = take_effect(case, decision, is_new=is_new)
    forget_due(case, done)
    return ended.shown
