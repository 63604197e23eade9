"""What may be done about an upload: committed, discarded, asked about; who asks again is told the same."""

from typing import NamedTuple

from function.context import Call
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
from function.holding.state import HELD, OPEN, Standing, seen
from function.holding.upload import HeldUpload, read_kept
from function.oss.client import OssCalls
from function.oss.objects import delete_object, head_object


def look(call: Call, oss: OssCalls, upload: HeldUpload) -> Standing:
    """
    Where it stands by now; a check that is due is begun, a decision that was cut off carried out.

    Returns:
        of what is held, and of nothing else, with ``held_until``.

    Raises:
        UploadError: OSS refuses, or does not answer.
    """
    if not upload.is_held_back:
        return Standing(PUBLISHED if _is_there(oss, upload) else GONE)
    before = seen(call, oss, upload)
    standing = _go_on(call, oss, upload, before)
    return standing._replace(held_until=before.held_until if standing.state in OPEN else None)


def commit(call: Call, oss: OssCalls, upload: HeldUpload, by_hand: str | None) -> str:
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
        state = look(call, oss, upload).state
    else:
        standing = seen(call, oss, upload)
        state = standing.state
        if state in OPEN:
            state = _decide_by_hand(call, oss, upload, by_hand) or _commit(call, oss, upload, standing)
    if state == GONE:
        raise NotUploaded
    if state == PUBLISHED and by_hand == REJECT:
        raise AlreadyPublished
    return state


def _decide_by_hand(call: Call, oss: OssCalls, upload: HeldUpload, what: str | None) -> str:
    return settle(call, oss, upload, decision_about(upload, what, BY_BACKEND)).state if what else ""


def _commit(call: Call, oss: OssCalls, upload: HeldUpload, standing: Standing) -> str:
    if not upload.profile.is_checked:
        return settle(call, oss, upload, decision_about(upload, PUBLISH, BY_COMMIT)).state
    if standing.state == HELD and not standing.is_in_check:
        # Remembered before the check begins, which may fail: the next call of any kind begins it then.
        records.put(oss, records.committed(upload.upload_id), {"etag": upload.etag}, call.now)
        standing = Standing(HELD, due=1, claim=records.submitted(upload.upload_id, 1))
    return _go_on(call, oss, upload, standing).state


def discard(call: Call, oss: OssCalls, upload: HeldUpload, *, is_backend: bool) -> str:
    """
    Nobody wants it any more: the state that came of it, ``GONE`` unless it was rejected before.

    Raises:
        AlreadyPublished: an owner may discard only what is held.

        UploadError: OSS refuses, or does not answer.
    """
    if not upload.profile.is_held:
        return _delete(call, oss, upload)
    state = _discard_any(call, oss, upload) if is_backend else _discard_held(call, oss, upload)
    if state == PUBLISHED:
        raise AlreadyPublished
    # A receipt of an object that was published before its profile held anything back.
    return state if upload.is_held_back else _delete(call, oss, upload)


def _discard_any(call: Call, oss: OssCalls, upload: HeldUpload) -> str:
    wanted = decision_about(upload, DISCARD, BY_BACKEND)
    decision, was_made = decide(oss, upload, wanted, call.now)
    if decision.what == PUBLISH:
        withdraw(oss, upload, wanted, call.now)
        decision = wanted
    return tell(call, upload, carry_out(oss, upload, decision, call.now, is_new=was_made)).state


def _discard_held(call: Call, oss: OssCalls, upload: HeldUpload) -> str:
    # Once its decision is forgotten, only the object itself says that it was published.
    standing = seen(call, oss, upload)
    if standing.state in (*OPEN, GONE):
        return settle(call, oss, upload, decision_about(upload, DISCARD, BY_OWNER)).state
    return standing.state


def _delete(call: Call, oss: OssCalls, upload: HeldUpload) -> str:
    """Of what was never held back: the object, if it is still the receipt's."""
    if _is_there(oss, upload):
        delete_object(oss, upload.key)
        tell_of(call, upload, GONE)
    return GONE


def _is_there(oss: OssCalls, upload: HeldUpload) -> bool:
    facts = head_object(oss, upload.key)
    return facts is not None and facts.etag == upload.etag


def _go_on(call: Call, oss: OssCalls, upload: HeldUpload, standing: Standing) -> Standing:
    if not standing.due:
        return standing
    # Imported by those who need it alone.
    from function.holding.check import submit_next

    return submit_next(call, oss, upload, standing)


class Recalled(NamedTuple):
    """What was decided about an upload: the receipt that it was about, and the state that came of it."""

    upload: HeldUpload
    state: str


def recall(call: Call, oss: OssCalls, upload_id: str) -> Recalled | None:
    """
    What became of an upload that is held no more; ``None`` where nothing was decided.

    Raises:
        Forbidden: its receipt has ended, or is of another bucket.

        UploadError: OSS refuses, or does not answer.
    """
    decision = read_decision(oss, upload_id)
    if decision is None:
        return None
    upload = read_kept(str(decision.receipt), oss.bucket, call.settings, call.now)
    outcome = tell(call, upload, carry_out(oss, upload, decision, call.now))
    return Recalled(upload, outcome.state)
