"""What is stored already need not be sent again: an owner's object whose name is the digest of its bytes."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from function.config.key_template import is_held_name, published_name
from function.config.types import UPLOAD_ID_METADATA
from function.context import RequestContext
from function.errors import Forbidden, NotUploaded, UploadError
from function.oss.client import OssClient, opened, oss_clients
from function.oss.objects import ObjectFacts, head_object
from function.oss.post_form import iso, object_url
from function.uploads.receipt import answer_about, upload_of
from function.uploads.tickets import read_ticket


def answers_about_stored(context: RequestContext, tickets: Iterable[str]) -> dict[str, dict[str, Any]]:
    """
    What is answered instead of a form, by the ticket of that form.

    An object counts when ``/confirm`` would take the form's ticket for it: of the announced size and the
    wanted type. Where OSS cannot be asked the file is sent once more, and the log says why.

    Returns:
        ``{"exists": true, "key", "fileUrl", "uploadId", "serverTime", "receipt"}`` each, and ``held`` of what
        is not published yet.
    """
    found: dict[str, dict[str, Any]] = {}
    claims = {ticket: read_ticket(ticket, context.settings, context.now) for ticket in tickets}
    locations = {
        ticket: context.settings.profiles[said["profile"]].location for ticket, said in claims.items()
    }
    buckets = oss_clients(context, locations.values())
    for ticket, said in claims.items():
        location = locations[ticket]
        try:
            answer = _answer(context, opened(buckets[location]), said)
        except UploadError as error:
            # For no other file either; those for other buckets are none the worse for it.
            buckets[location] = error
            context.line.reason = f"not asked whether it exists: {error.reason}"
        else:
            if answer:
                found[ticket] = answer
    return found


def _answer(context: RequestContext, oss: OssClient, claims: Mapping[str, Any]) -> dict[str, Any] | None:
    for stored in _where_it_may_be(claims, oss):
        try:
            upload = upload_of(*stored)
        except (NotUploaded, Forbidden):
            continue
        told = answer_about(upload, context.settings)
        return {
            "exists": True,
            "key": told["key"],
            "fileUrl": object_url(context.settings.profiles[claims["profile"]].location.host, told["key"]),
            "uploadId": told["uploadId"],
            "serverTime": iso(context.now),
            "receipt": told["receipt"],
            **({"held": True} if upload.held else {}),
        }
    return None


def _where_it_may_be(
    ticket: Mapping[str, Any], oss: OssClient
) -> Iterator[tuple[Mapping[str, Any], ObjectFacts | None]]:
    """
    What OSS has under the name that the form would write, and under that of its publication.

    In this order: publishing copies, then deletes, so what is not found at first is found then.
    """
    key = ticket["key"]
    yield ticket, head_object(oss, key)
    if is_held_name(key):
        published = published_name(key)
        facts = head_object(oss, published)
        # It was an earlier upload that these bytes were published with.
        upload_id = facts.metadata.get(UPLOAD_ID_METADATA) if facts else None
        yield {**ticket, "key": published, "jti": upload_id or ticket["jti"]}, facts
