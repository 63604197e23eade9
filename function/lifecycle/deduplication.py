"""Deduplication: an owner's object that is named by its digest and stored already is not sent again."""

from collections.abc import Collection, Iterator

from function.annotations import Any
from function.config.key_template import is_held_name, published_name
from function.context import RequestContext
from function.errors import Forbidden, NotUploaded, UploadError
from function.oss.client import OssClient, oss_clients, require_client
from function.oss.instants import iso
from function.oss.objects import ObjectFacts, head_object
from function.oss.post_form import object_url
from function.uploads.receipt import check_stored, describe, upload_id_in
from function.uploads.tickets import FormTicket


def stored_responses(context: RequestContext, tickets: Collection[FormTicket]) -> dict[str, dict[str, Any]]:
    """
    Return the responses that replace forms, by upload id.

    An object counts when ``/confirm`` would accept the form's ticket for it: of the announced size and type.
    Where OSS cannot be reached the file is sent once more, and the log says why.
    """
    found: dict[str, dict[str, Any]] = {}
    profiles = context.settings.profiles
    buckets = oss_clients(context, [profiles[ticket.profile].location for ticket in tickets])
    for ticket in tickets:
        location = profiles[ticket.profile].location
        try:
            response = _find(context, require_client(buckets[location]), ticket)
        except UploadError as error:
            # No other file of this bucket is looked for either; other buckets are not affected.
            buckets[location] = error
            context.line.reason = f"not checked for existence: {error.reason}"
        else:
            if response:
                found[ticket.upload_id] = response
    return found


def _find(context: RequestContext, oss: OssClient, ticket: FormTicket) -> dict[str, Any] | None:
    profile = context.settings.profiles[ticket.profile]
    for candidate, facts in _candidates(ticket, oss):
        # A receipt of this profile would have it treated by other rules than it was stored under.
        if profile.has_other_rules(facts.metadata):
            continue
        try:
            upload = check_stored(candidate, facts, profile)
        except (NotUploaded, Forbidden):
            continue
        stored = describe(upload, context.settings)
        # What was discarded does not exist, even if deleting it failed.
        if is_held_name(ticket.key):
            from function.holding.commands import is_there

            try:
                if not is_there(context, oss, stored["uploadId"], stored["receipt"], is_held=upload.is_held):
                    continue
            except UploadError as error:
                # Only this file is sent once more: the trouble is with its decision.
                context.line.reason = f"not checked for existence: {error.reason}"
                return None
        if profile.ai_label:
            from function.lifecycle.labelling import with_label

            stored = describe(with_label(context, oss, upload, facts), context.settings)
        host = profile.location.host
        return {
            "exists": True,
            "key": stored["key"],
            "fileUrl": object_url(host, stored["key"]),
            "uploadId": stored["uploadId"],
            "serverTime": iso(context.now),
            "receipt": stored["receipt"],
            **({"held": True} if upload.is_held else {}),
            **{name: stored[name] for name in ("aiLabel",) if name in stored},
        }
    return None


def _candidates(ticket: FormTicket, oss: OssClient) -> Iterator[tuple[FormTicket, ObjectFacts]]:
    """
    Yield what OSS has under the name that the form would write, then under that of its publication.

    In this order: publishing copies, then deletes, so what is not found at first is found then.
    """
    if facts := head_object(oss, ticket.key):
        yield ticket, facts
    if is_held_name(ticket.key):
        published = published_name(ticket.key)
        if facts := head_object(oss, published):
            # An earlier upload published these bytes.
            yield ticket._replace(key=published, upload_id=upload_id_in(facts) or ticket.upload_id), facts
