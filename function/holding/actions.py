"""Actions on a held upload: commit, discard, resume; each may be repeated."""

from collections.abc import Mapping

from function.annotations import Any
from function.context import RequestContext
from function.errors import AlreadyExists, AlreadyPublished, Forbidden, NotUploaded
from function.holding import records
from function.holding.decision import (
    BY_BACKEND,
    BY_COMMIT,
    BY_OWNER,
    apply,
    decide,
    decided_state,
    forget_due,
    leave_to_a_human,
    make_decision,
    note_due,
    overrule,
    settle,
)
from function.holding.events import notify, notify_due
from function.holding.held_upload import HeldUpload, read_recorded
from function.holding.publication import delete_same
from function.holding.records import DISCARD, PUBLISH, REJECT, Decision, get_decision
from function.holding.state import (
    GONE,
    HELD,
    OPEN,
    PUBLISHED,
    REVIEW,
    HeldState,
    first_step,
    stored_state,
)
from function.moderation.finding import RULES, Finding, read_finding
from function.oss import due
from function.oss.client import OssClient, same_bucket
from function.oss.objects import head_object
from function.uploads.receipt import invalid_receipt


def commit_held(
    context: RequestContext,
    oss: OssClient,
    upload: HeldUpload,
    manual_decision: str | None,
    reviewer: str = "",
    *,
    is_backend: bool,
) -> HeldState:
    """
    Begin the next step, and return the new state.

    Args:
        manual_decision: ``PUBLISH`` or ``REJECT``, if a backend decides instead.
        reviewer: name of the person who decided, for the record.

    Raises:
        Forbidden: it would be deleted, and its key is none of its profile's; or an owner commits what was
            stored under other rules.
        NotUploaded: the upload is gone.
        AlreadyPublished: it is too late to reject it.
    """
    if manual_decision == REJECT:
        _check_key(context, upload)
    if not upload.is_held:
        # A hold may have published it: then its decision may be cut off.
        if upload.profile.is_held:
            decided_state(context, oss, upload)
        after = stored_state(oss, upload)
    else:
        after = settle(context, oss, upload)
        if after.state in OPEN and manual_decision:
            after = _decide_by_hand(context, oss, upload, after, manual_decision, reviewer)
        elif after.state in OPEN:
            after = _publish_or_check(context, oss, upload, after, is_backend)
    if after.state == GONE:
        raise NotUploaded
    if after.state == PUBLISHED and manual_decision == REJECT:
        raise AlreadyPublished
    return after


def _decide_by_hand(
    context: RequestContext, oss: OssClient, upload: HeldUpload, current: HeldState, action: str, who: str
) -> HeldState:
    if action == PUBLISH and upload.profile.strip:
        from function.holding.cleaning import clean_by_hand

        current = clean_by_hand(context, oss, upload, current)
        # A picture that cannot be cleaned, or not yet, still waits.
        if current.copy is None:
            return current
        upload = upload._replace(copy=current.copy)
    after = decide(context, oss, upload, action, BY_BACKEND, reviewer=who)
    if current.state == REVIEW:
        from function.holding.reviews import forget_review

        forget_review(context, oss, upload)
    return after


def _publish_or_check(
    context: RequestContext, oss: OssClient, upload: HeldUpload, current: HeldState, is_backend: bool
) -> HeldState:
    if current.has_other_rules and not is_backend and not upload.profile.is_checked:
        if upload.profile.is_reviewed:
            return leave_to_a_human(context, oss, upload, Finding(RULES))
        raise Forbidden("Only a backend may commit this upload.", reason="stored under other rules")
    if not upload.profile.is_reviewed:
        return decide(context, oss, upload, PUBLISH, BY_COMMIT)
    if current.state == HELD and not current.is_in_check:
        # Recorded before the check begins, which may fail: then any later request begins it.
        fields = {"etag": upload.etag, "receipt": upload.receipt, "rules": upload.profile.rules}
        records.put(oss, records.commit_key(upload.upload_id), fields, context.now)
        current = first_step(oss, upload, current, context.now)
        if current.cleaning and current.cleaning.number != 1:
            # The first attempt was by hand, which leaves nothing due.
            from function.holding.wechat_check import note_check

            note_check(context, oss, upload)
    return submit_if_due(context, oss, upload, current)


def discard(context: RequestContext, oss: OssClient, upload: HeldUpload, *, is_backend: bool) -> str:
    """
    Delete an upload, and return the new state: ``GONE`` unless it was rejected before.

    Raises:
        Forbidden: its key is none of its profile's.
        AlreadyPublished: an owner may discard only what is held.
    """
    _check_key(context, upload)
    if not upload.profile.is_held:
        return _delete(context, oss, upload)
    state = discard_any(context, oss, upload) if is_backend else _discard_held(context, oss, upload)
    if state == PUBLISHED:
        raise AlreadyPublished
    # The receipt may be of an object that was published before its profile had a hold.
    return state if upload.is_held else _delete(context, oss, upload)


def _check_key(context: RequestContext, upload: HeldUpload) -> None:
    """Check that the profile's template made the key; the business, which can sign receipts, may name any."""
    has_hooks = context.instance.hooks_file is not None
    template = upload.profile.key._replace(has_inner_folders=has_hooks)
    if template.read(upload.key) is None:
        raise invalid_receipt("its key is none of its profile's")


def discard_any(context: RequestContext, oss: OssClient, upload: HeldUpload, by: str = BY_BACKEND) -> str:
    """
    Discard an upload that may be published, and return the new state: ``GONE`` unless it was rejected before.

    Args:
        upload: without a receipt if it is deleted by its key and none is on record.
    """
    discarding = Decision(DISCARD, by, upload.receipt, upload.etag, context.now)
    earlier = get_decision(oss, upload.upload_id)
    decision, is_new = (earlier, False) if earlier else make_decision(context, oss, upload, discarding)
    if decision.action == PUBLISH:
        decision = overrule(context, oss, upload, decision, discarding)
    return apply(context, oss, upload, decision, is_new=is_new).state


def _discard_held(context: RequestContext, oss: OssClient, upload: HeldUpload) -> str:
    # Once the rule has deleted a decision, only the object itself shows that it was published.
    state = settle(context, oss, upload).state
    if state in (*OPEN, GONE):
        return decide(context, oss, upload, DISCARD, BY_OWNER).state
    return state


def _delete(context: RequestContext, oss: OssClient, upload: HeldUpload) -> str:
    """Delete an object that was never held, if it still is the receipt's."""
    facts = head_object(oss, upload.key)
    if upload.is_stored(facts):
        has_webhook = context.settings.upload_webhook_url is not None
        name = note_due(context, oss, upload, DISCARD, context.now) if has_webhook else ""
        # The same bytes may be stored once more; then OSS gives them a new date.
        delete_same(oss, upload.key, lambda latest: latest == facts)
        if notify(context, upload, GONE) and name:
            forget_due(context, oss, name)
    return GONE


def submit_if_due(
    context: RequestContext, oss: OssClient, upload: HeldUpload, current: HeldState
) -> HeldState:
    if not current.due:
        return current
    from function.holding.wechat_check import submit_due

    return submit_due(context, oss, upload, current)


def is_there(context: RequestContext, oss: OssClient, upload_id: str, receipt: str, *, is_held: bool) -> bool:
    """
    Return whether the object of an upload stays where it was found: held, or under its own name.

    A decision that says otherwise is applied.

    Raises:
        UploadError: as ``resume_decided``.
    """
    decision = get_decision(oss, upload_id)
    if decision is None or (decision.action == PUBLISH and not is_held):
        return True
    try:
        _apply_recorded(context, oss, decision, receipt)
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
    return _apply_recorded(context, oss, decision, receipt)


def _apply_recorded(
    context: RequestContext, oss: OssClient, decision: Decision, receipt: str
) -> tuple[HeldUpload, str]:
    upload = read_recorded(decision.receipt or receipt, oss.bucket, context.settings, context.now)
    return upload, apply(context, oss, upload, decision).state


def continue_decision(context: RequestContext, oss: OssClient, record: due.Due) -> bool:
    """
    Apply the decision that a due record announced, and tell the business of it.

    Raises:
        Unreadable: the record has not these fields.
        UploadError: as ``apply``; the record stays.
    """
    return due.complete(oss, record, lambda fields: _apply_announced(context, oss, fields))


def _apply_announced(context: RequestContext, oss: OssClient, fields: Mapping[str, Any]) -> None:
    what = due.text_of(fields, "what")
    upload = read_recorded(due.text_of(fields, "receipt"), oss.bucket, context.settings, context.now)
    oss = same_bucket(context, oss, upload.profile.location)
    decision = get_decision(oss, upload.upload_id) if upload.profile.is_held else None
    if decision is not None:
        # Another decision has a record of its own.
        if decision.action != what:
            return
        upload = read_recorded(decision.receipt, oss.bucket, context.settings, context.now)
        if decision.action == DISCARD and not upload.is_held:
            _delete(context, oss, upload)
        apply(context, oss, upload, decision, is_due=True)
    elif not upload.profile.is_held:
        # It was to be deleted; if it is there, it was not, and the caller knows.
        if not upload.is_stored(head_object(oss, upload.key)):
            notify_due(context, upload, GONE)
    elif what == REVIEW and (review := records.get(oss, records.review_key(upload.upload_id))):
        from function.holding.reviews import list_for_review

        list_for_review(oss, upload, review, context.now)
        notify_due(context, upload, REVIEW, read_finding(review))
    # Else the request died before it decided.
