"""What may be done about an upload: committed, discarded, asked about; who asks again is told the same."""

from typing import NamedTuple

from function.context import RequestContext
from function.errors import AlreadyPublished, NotUploaded
from function.holding import records
from function.holding.decision import (
    BY_BACKEND,
    BY_COMMIT,
    BY_OWNER,
    DISCARD,
    PUBLISH,
    REJECT,
    decide,
    decision_about,
    read_decision,
    withdraw,
)
from function.holding.publishing import GONE, PUBLISHED, carry_out, settle, tell, tell_of
from function.holding.state import HELD, OPEN, HeldState, seen
from function.holding.upload import HeldUpload, read_kept
from function.oss.client import OssClient
from function.oss.objects import delete_object, head_object


def look(context: RequestContext, oss: OssClient, upload: HeldUpload) -> HeldState:
    """
    Where it stands by now; a check that is due is begun, a decision that was cut off carried out.

    Returns:
        of what is held, and of nothing else, with ``held_until``.

    Raises:
        UploadError: OSS refuses, or does not answer.
    """
    if not upload.is_held_back:
        return HeldState(PUBLISHED if _is_there(oss, upload) else GONE)
    before = seen(context, oss, upload)
    standing = _go_on(context, oss, upload, before)
    return standing._replace(held_until=before.held_until if standing.state in OPEN else None)


def commit(context: RequestContext, oss: OssClient, upload: HeldUpload, by_hand: str | None) -> str:
    """
    The next step: the state that came of it.

    Args:
        by_hand: ``PUBLISH`` or ``REJECT``, when a backend decides instead of the steps.

    Raises:
        NotUploaded: there is nothing to commit.

        AlreadyPublished: it is too late to reject it.

        UploadError: OSS refuses, or does not answer.
    """
    if not upload.is_held_back:
        state = look(context, oss, upload).state
    else:
        standing = seen(context, oss, upload)
        state = standing.state
        if state in OPEN:
            state = _decide_by_hand(context, oss, upload, by_hand) or _commit(context, oss, upload, standing)
    if state == GONE:
        raise NotUploaded
    if state == PUBLISHED and by_hand == REJECT:
        raise AlreadyPublished
    return state


def _decide_by_hand(context: RequestContext, oss: OssClient, upload: HeldUpload, what: str | None) -> str:
    return settle(context, oss, upload, decision_about(upload, what, BY_BACKEND)).state if what else ""


def _commit(context: RequestContext, oss: OssClient, upload: HeldUpload, standing: HeldState) -> str:
    if not upload.profile.is_checked:
        return settle(context, oss, upload, decision_about(upload, PUBLISH, BY_COMMIT)).state
    if standing.state == HELD and not standing.is_in_check:
        # Remembered before the check begins, which may fail: the next call of any kind begins it then.
        records.put(oss, records.committed(upload.upload_id), {"etag": upload.etag}, context.now)
        standing = HeldState(HELD, due=1, claim=records.submitted(upload.upload_id, 1))
    return _go_on(context, oss, upload, standing).state


def discard(context: RequestContext, oss: OssClient, upload: HeldUpload, *, is_backend: bool) -> str:
    """
    Nobody wants it any more: the state that came of it, ``GONE`` unless it was rejected before.

    Raises:
        AlreadyPublished: an owner may discard only what is held.

        UploadError: OSS refuses, or does not answer.
    """
    if not upload.profile.is_held:
        return _delete(context, oss, upload)
    state = _discard_any(context, oss, upload) if is_backend else _discard_held(context, oss, upload)
    if state == PUBLISHED:
        raise AlreadyPublished
    # A receipt of an object that was published before its profile held anything back.
    return state if upload.is_held_back else _delete(context, oss, upload)


def _discard_any(context: RequestContext, oss: OssClient, upload: HeldUpload) -> str:
    wanted = decision_about(upload, DISCARD, BY_BACKEND)
    decision, was_made = decide(oss, upload, wanted, context.now)
    if decision.what == PUBLISH:
        withdraw(oss, upload, wanted, context.now)
        decision = wanted
    return tell(context, upload, carry_out(oss, upload, decision, context.now, is_new=was_made)).state


def _discard_held(context: RequestContext, oss: OssClient, upload: HeldUpload) -> str:
    # Once its decision is forgotten, only the object itself says that it was published.
    standing = seen(context, oss, upload)
    if standing.state in (*OPEN, GONE):
        return settle(context, oss, upload, decision_about(upload, DISCARD, BY_OWNER)).state
    return standing.state


def _delete(context: RequestContext, oss: OssClient, upload: HeldUpload) -> str:
    """Of what was never held back: the object, if it is still the receipt's."""
    if _is_there(oss, upload):
        delete_object(oss, upload.key)
        tell_of(context, upload, GONE)
    return GONE


def _is_there(oss: OssClient, upload: HeldUpload) -> bool:
    facts = head_object(oss, upload.key)
    return facts is not None and facts.etag == upload.etag


def _go_on(context: RequestContext, oss: OssClient, upload: HeldUpload, standing: HeldState) -> HeldState:
    if not standing.due:
        return standing
    # Imported by those who need it alone.
    from function.holding.check import submit_next

    return submit_next(context, oss, upload, standing)


class Recalled(NamedTuple):
    """What was decided about an upload: the receipt that it was about, and the state that came of it."""

    upload: HeldUpload
    state: str


def recall(context: RequestContext, oss: OssClient, upload_id: str) -> Recalled | None:
    """
    What became of an upload that is held no more; ``None`` where nothing was decided.

    Raises:
        Forbidden: its receipt has ended, or is of another bucket.

        UploadError: OSS refuses, or does not answer.
    """
    decision = read_decision(oss, upload_id)
    if decision is None:
        return None
    upload = read_kept(str(decision.receipt), oss.bucket, context.settings, context.now)
    outcome = tell(context, upload, carry_out(oss, upload, decision, context.now))
    return Recalled(upload, outcome.state)
