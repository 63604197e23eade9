"""Actions on a held upload: commit, discard, resume; each may be repeated."""

from collections.abc import Mapping

from function.annotations import Any
from function.context import RequestContext
from function.errors import AlreadyExists, AlreadyPublished, Forbidden, NotUploaded, OssUnavailable
from function.holding import records
from function.holding import transitions as states
from function.holding.apply_decision import discard_any
from function.holding.current_state import HeldState, next_step, stored_state
from function.holding.decide import apply, decide, decided_state, settle
from function.holding.decision_records import (
    forget_due,
    leave_to_a_human,
    note_check,
    note_due,
    notify,
    notify_due,
)
from function.holding.held_upload import ByHand, Case, HeldUpload, read_recorded
from function.holding.leases import accept
from function.holding.publication import delete_same
from function.holding.records import Decision, get_decision
from function.holding.steps import take_step
from function.moderation.finding import RULES, Finding, read_finding
from function.oss import due
from function.oss.client import OssClient, same_bucket
from function.oss.objects import head_object
from function.uploads.receipt import invalid_receipt


def commit_held(case: Case, by_hand: ByHand | None, *, is_backend: bool) -> HeldState:
    """
    Begin the next step, and return the new state.

    Args:
        by_hand: decision of a backend instead.

    Raises:
        BadRequest, AlreadyLabelled: it takes no such label.
        Forbidden: it would be deleted, and its key is none of its profile's; or an owner commits what was
            stored under other rules.
        NotUploaded: the upload is gone.
        AlreadyPublished: it is too late to reject it.
    """
    if by_hand and by_hand.action == states.REJECT:
        _check_key(case)
    if by_hand and by_hand.is_labelled:
        from function.holding.label_record import refuse_review

        refuse_review(case)
    if not case.upload.is_held:
        # A hold may have published it: then its decision may be cut off.
        if case.upload.profile.is_held:
            decided_state(case)
        ended = stored_state(case.oss, case.upload)
    else:
        ended = _committed(case, by_hand, is_backend)
    if ended.shown == states.GONE:
        raise NotUploaded
    if ended.shown == states.PUBLISHED and by_hand and by_hand.action == states.REJECT:
        raise AlreadyPublished
    return ended


def _committed(case: Case, by_hand: ByHand | None, is_backend: bool) -> HeldState:
    oss, upload = case.oss, case.upload
    if not (by_hand or upload.profile.is_reviewed):
        # Publishing finds an earlier decision by itself, so none is looked for.
        facts = head_object(oss, upload.held_key)
        if upload.is_waiting(facts, case.now):
            if not is_backend and upload.profile.has_other_rules(facts.metadata):
                raise Forbidden("Only a backend may commit this upload.", reason="stored under other rules")
            return decide(case, HeldState(states.HELD), states.PUBLISH, states.BY_COMMIT)
        ended = settle(case)
        if ended.state == states.HELD:
            raise OssUnavailable(reason="the held object was stored meanwhile")
        return ended
    current = settle(case)
    if current.state not in states.OPEN:
        return current
    if by_hand:
        return _decide_by_hand(case, current, by_hand)
    return _begin_check(case, current, is_backend)


def _decide_by_hand(case: Case, current: HeldState, hand: ByHand) -> HeldState:
    was_in_review = current.state == states.REVIEW
    if hand.action == states.PUBLISH and case.upload.profile.strip:
        from function.holding.cleaning import clean_by_hand

        current = clean_by_hand(case, current)
        # A picture that cannot be cleaned, or not yet, still waits.
        if current.copy is None:
            return current
        case = case.of_copy(current.copy)
    ended = decide(case, current, hand.action, states.BY_BACKEND, hand=hand)
    if was_in_review:
        from function.holding.review_list import forget_review

        forget_review(case)
    return ended


def _begin_check(case: Case, current: HeldState, is_backend: bool) -> HeldState:
    oss, upload = case.oss, case.upload
    if current.has_other_rules and not is_backend and not upload.profile.is_checked:
        return leave_to_a_human(case, current, Finding(RULES))
    if current.state == states.HELD:
        if current.progress or upload.profile.strip:
            # Recorded before the check begins, which may fail: then any later request begins it.
            progress = accept(case, current)
            if progress is None:
                # Another request was faster, and may end before it leaves anything due.
                latest = settle(case)
                return take_step(case, latest) if latest.due else latest
            current = current._replace(progress=progress)
        current = next_step(oss, upload, current, case.now)
        if current.cleaning:
            # An attempt by hand leaves nothing due.
            case = note_check(case)
    return take_step(case, current) if current.due else current


def discard(case: Case, *, is_backend: bool) -> str:
    """
    Delete an upload, and return the new state: ``GONE`` unless it was rejected before.

    Raises:
        Forbidden: its key is none of its profile's.
        AlreadyPublished: an owner may discard only what is held.
    """
    _check_key(case)
    if not case.upload.profile.is_held:
        return _delete(case)
    state = discard_any(case, states.BY_BACKEND) if is_backend else _discard_held(case)
    if state == states.PUBLISHED:
        raise AlreadyPublished
    # The receipt may be of an object that was published before its profile had a hold.
    return state if case.upload.is_held else _delete(case)


def _check_key(case: Case) -> None:
    """Check that the profile's template made the key; the business, which can sign receipts, may name any."""
    has_hooks = case.context.instance.hooks_file is not None
    template = case.upload.profile.key._replace(has_inner_folders=has_hooks)
    if template.read(case.upload.key) is None:
        raise invalid_receipt("its key is none of its profile's")


def _discard_held(case: Case) -> str:
    # Once the rule has deleted a decision, only the object itself shows that it was published.
    current = settle(case)
    if current.state in states.OPEN:
        return decide(case, current, states.DISCARD, states.BY_OWNER).shown
    if current.shown == states.GONE:
        return decide(case, HeldState(states.HELD), states.DISCARD, states.BY_OWNER).shown
    return current.shown


def _delete(case: Case) -> str:
    """Delete an object that was never held, if it still is the receipt's."""
    oss, upload = case.oss, case.upload
    facts = head_object(oss, upload.key)
    if upload.is_stored(facts):
        has_webhook = case.context.settings.upload_webhook_url is not None
        name = note_due(case, states.DISCARD, case.now) if has_webhook else ""
        # The same bytes may be stored once more; then OSS gives them a new date.
        delete_same(oss, upload.key, lambda latest: latest == facts)
        if notify(case, states.GONE):
            forget_due(case, name)
    return states.GONE


def is_there(context: RequestContext, oss: OssClient, upload_id: str, receipt: str, *, is_held: bool) -> bool:
    """
    Return whether the object of an upload stays where it was found: held, or under its own name.

    A decision that says otherwise is applied.

    Raises:
        UploadError: as ``resume_decided``.
    """
    decision = get_decision(oss, upload_id)
    if decision is None or (decision.action == states.PUBLISH and not is_held):
        return True
    try:
        _resume(context, oss, decision, receipt)
    except AlreadyExists:
        # Another object has the name, so this one is still held.
        return True
    return False


def resume_decided(
    context: RequestContext, oss: OssClient, upload_id: str, receipt: str = ""
) -> tuple[HeldUpload, str] | None:
    """
    Apply the decision about an upload that is not held any more, and return its upload and state.

    Args:
        receipt: of the upload, if it is known; a decision about what was deleted by its key may have none.

    Returns:
        ``None`` if nothing was decided, or nobody knows a receipt.

    Raises:
        Forbidden: its receipt has expired, or is of another bucket.
    """
    decision = get_decision(oss, upload_id)
    if decision is None or not (decision.receipt or receipt):
        return None
    return _resume(context, oss, decision, receipt)


def _resume(
    context: RequestContext, oss: OssClient, decision: Decision, receipt: str
) -> tuple[HeldUpload, str]:
    upload = read_recorded(decision.receipt or receipt, oss.bucket, context.settings, context.now)
    return upload, apply(Case(context, oss, upload), decision).shown


def continue_decision(context: RequestContext, oss: OssClient, record: due.Due) -> bool:
    """
    Apply the decision that a due record announced, and tell the business of it.

    Raises:
        Unreadable: the record has not these fields.
        UploadError: as ``apply``; the record stays.
    """
    return due.complete(oss, record, lambda fields: _continue(context, oss, fields))


def _continue(context: RequestContext, oss: OssClient, fields: Mapping[str, Any]) -> None:
    what = due.text_of(fields, "what")
    upload = read_recorded(due.text_of(fields, "receipt"), oss.bucket, context.settings, context.now)
    oss = same_bucket(context, oss, upload.profile.location)
    case = Case(context, oss, upload)
    decision = get_decision(oss, upload.upload_id) if upload.profile.is_held else None
    if decision is not None:
        # Another decision has a record of its own.
        if decision.action != what:
            return
        case = case._replace(
            upload=read_recorded(decision.receipt, oss.bucket, context.settings, context.now)
        )
        if decision.action == states.DISCARD and not upload.is_held:
            _delete(case)
        apply(case, decision, is_due=True)
    elif not upload.profile.is_held:
        # It was to be deleted; if it is there, it was not, and the caller knows.
        if not upload.is_stored(head_object(oss, upload.key)):
            notify_due(case, states.GONE)
    elif what == states.REVIEW and (review := records.get(oss, records.review_key(upload.upload_id))):
        from function.holding.review_list import list_for_review

        list_for_review(oss, upload, review, context.now)
        notify_due(case, states.REVIEW, read_finding(review))
    # Else the request died before it decided.
