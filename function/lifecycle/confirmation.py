"""Confirmation of a stored upload: its receipt, or what was decided about it, and the begin of its check."""

from datetime import timedelta

from function.annotations import Any
from function.config.profile import CHECK, Profile
from function.context import RequestContext
from function.errors import AlreadyExists
from function.oss.client import OssClient
from function.oss.objects import ObjectFacts
from function.oss.post_form import object_url
from function.uploads.receipt import RECEIPT_LIFE, VerifiedUpload, describe, describe_decided, report_stored

# A first confirmation comes earlier than this, when nothing can be decided yet.
FIRST_CONFIRMED_WITHIN = timedelta(seconds=10)


def report(
    context: RequestContext,
    oss: OssClient,
    upload: VerifiedUpload,
    facts: ObjectFacts,
    life: timedelta = RECEIPT_LIFE,
) -> dict[str, Any]:
    """Report a stored upload, or the decision about it, and begin its check if that comes first."""
    profile = context.settings.profiles[upload.ticket.profile]
    if profile.is_held and (response := _settled(context, oss, facts, upload, life)):
        return response
    if profile.ai_label:
        from function.lifecycle.labelling import with_label

        upload = with_label(context, oss, upload, facts, life)
    if upload.ticket.replaces and not upload.is_held:
        from function.holding.replaced_deletion import delete_replaced

        delete_replaced(context, upload.ticket, upload.key, facts.last_modified)
    return begin_check(context, profile, report_stored(context, upload, life))


def decided_response(
    context: RequestContext, oss: OssClient, upload_id: str, receipt: str = ""
) -> dict[str, Any] | None:
    """Return the response about an upload with a decision, with its receipt; ``None`` if undecided."""
    from function.holding.commands import resume_decided
    from function.holding.current_state import label_of
    from function.holding.held_upload import Case
    from function.holding.transitions import PUBLISHED

    found = resume_decided(context, oss, upload_id, receipt)
    if found is None:
        return None
    upload, state = found
    url = object_url(upload.profile.location.host, upload.key) if state == PUBLISHED else None
    label = label_of(Case(context, oss, upload))
    return describe_decided(upload.content, upload.receipt, state, url, label)


def _settled(
    context: RequestContext, oss: OssClient, held: ObjectFacts, upload: VerifiedUpload, life: timedelta
) -> dict[str, Any] | None:
    """Return the decided response of an object that is still held; ``None`` if undecided."""
    # A new one needs no search.
    if context.now < held.last_modified + FIRST_CONFIRMED_WITHIN:
        return None
    try:
        receipt = describe(upload, context.settings, life)["receipt"]
        return decided_response(context, oss, upload.ticket.upload_id, receipt)
    except AlreadyExists:
        # Another object has the name, so this one is still held.
        return None


def begin_check(context: RequestContext, profile: Profile, response: dict[str, Any]) -> dict[str, Any]:
    """
    Begin the content check where nothing else is required; its failure is not the request's.

    Returns:
        the response; with another ``state`` and ``url`` where a checker answers in the call.
    """
    if profile.hold != (CHECK,):
        return response
    from function.holding.steps import begin_check_after
    from function.holding.transitions import PUBLISHED

    state = begin_check_after(context, response["receipt"]).shown
    if not profile.is_checked_by_aliyun:
        return response
    context.line.state = state
    url = object_url(profile.location.host, response["key"]) if state == PUBLISHED else None
    return {**response, "state": state, "url": url}
