"""State of an upload, as ``/status`` reads it: nothing is begun, applied or told."""

from function.context import RequestContext
from function.holding.current_state import HeldState, ended_state, stored_state, undecided_state
from function.holding.held_upload import HeldUpload
from function.holding.publication import check_no_copy_runs, find_published
from function.holding.records import ENDS, Decision, get_decision
from function.holding.transitions import DISCARD, GONE, PUBLISH, REJECT
from function.oss.client import OssClient


def read_state(context: RequestContext, oss: OssClient, upload: HeldUpload) -> HeldState:
    """
    Return the state of an upload.

    A recorded publication counts once its object is there, and shows the state before it until then.

    Returns:
        with ``held_until`` as long as the upload is held.

    Raises:
        OssUnavailable: a copy may still finish, so the upload cannot be called gone.
    """
    decision = get_decision(oss, upload.upload_id) if upload.profile.is_held else None
    if not upload.is_held:
        if decision is not None and decision.copied:
            check_no_copy_runs(oss, upload.upload_id, decision.copied, context.now)
        return stored_state(oss, upload)
    if decision is not None:
        return _recorded_state(context, oss, upload, decision)
    state = undecided_state(oss, upload, context.now)
    # It may have been decided and applied in the meantime.
    if state.shown == GONE and (decision := get_decision(oss, upload.upload_id)):
        return _recorded_state(context, oss, upload, decision)
    return state


def _recorded_state(
    context: RequestContext, oss: OssClient, upload: HeldUpload, decision: Decision
) -> HeldState:
    if decision.action == REJECT:
        return HeldState(REJECT)
    sent = decision.copied
    if decision.action == PUBLISH and upload.etag == decision.etag:
        if there := find_published(oss, upload):
            return ended_state(there)
        state, sent = undecided_state(oss, upload, context.now), decision.at
        if state.shown != GONE:
            return state
    elif decision.action in ENDS and (there := find_published(oss, upload)):
        # A discard overruled the publication, and has not deleted its object yet.
        return ended_state(there)
    if sent:
        check_no_copy_runs(oss, upload.upload_id, sent, context.now)
    return HeldState(DISCARD)
