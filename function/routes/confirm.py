"""``POST /confirm``: a ticket for a receipt of what OSS itself says."""

from datetime import timedelta
from typing import Any

from function.config.key_template import published_name
from function.config.profile import CHECK
from function.config.types import Rate
from function.context import RequestContext
from function.errors import AlreadyExists, NotUploaded
from function.http.json_body import read_json_object
from function.limits.rate_limit import RateLimitItem
from function.oss.client import OssClient, oss_client
from function.oss.objects import ObjectFacts, head_object
from function.uploads.receipt import check_stored, describe_decided, read_confirmable, report_stored

CONFIRMATIONS_PER_TICKET = Rate(30, 60)
# Who asks for the first time does so earlier, and nobody has decided by then.
FIRST_ASKED_WITHIN = timedelta(seconds=10)


def handle(context: RequestContext) -> dict[str, Any]:
    """
    Returns:
        what ``/callback`` answers, ``width`` and ``height`` null, and ``"state"``: ``stored`` or ``held``, or
        what became of what is held no more.
    """
    settings, line = context.settings, context.line
    ticket = read_confirmable(read_json_object(context.request.body), settings, context.now)
    line.profile, line.owner = ticket.profile, ticket.owner
    line.key, line.upload_id = published_name(ticket.key), ticket.upload_id
    # Whoever has a ticket could have OSS asked for ever.
    claim = RateLimitItem("confirmations", CONFIRMATIONS_PER_TICKET, ticket.upload_id)
    context.instance.limiter.hit([claim], context.now)
    profile = settings.profiles[ticket.profile]
    oss = oss_client(context, profile.location)
    facts = head_object(oss, ticket.key)
    if facts is None:
        if profile.is_held and (told := recalled(context, oss, ticket.upload_id)):
            return told
        raise NotUploaded
    upload = check_stored(ticket, facts)
    if profile.is_held and (told := settled(context, oss, facts, upload.ticket.upload_id)):
        return told
    told = report_stored(context, upload)
    if profile.hold == (CHECK,):
        begin_check(context, told["receipt"])
    return told


def recalled(context: RequestContext, oss: OssClient, upload_id: str) -> dict[str, Any] | None:
    """The answer about an upload that is held no more, with the receipt that it had; ``None`` of another."""
    # Imported by those who need it alone, as the next.
    from function.holding.actions import recall
    from function.holding.request import answer_about

    found = recall(context, oss, upload_id)
    if found is None:
        return None
    upload, state = found
    return describe_decided(upload.content, upload.receipt, state, answer_about(upload, state)["url"])


def settled(
    context: RequestContext, oss: OssClient, held: ObjectFacts, upload_id: str
) -> dict[str, Any] | None:
    """
    ``recalled`` of what waits although it was decided: who did it was cut off, or it was stored once more.

    Args:
        held: of the object that waits; of one that was stored a moment ago nothing is looked for.
    """
    if context.now < held.last_modified + FIRST_ASKED_WITHIN:
        return None
    try:
        return recalled(context, oss, upload_id)
    except AlreadyExists:
        # Another object has the name, so this one waits still.
        return None


def begin_check(context: RequestContext, receipt: str) -> None:
    """Begin what comes first where nothing but WeChat must have looked; the answer never suffers from it."""
    from function.holding.check import begin_check_after

    begin_check_after(context, receipt)
