"""Lifecycle of a multipart upload: begun, listed, completed or aborted; each step is idempotent."""

from collections.abc import Mapping

from function.annotations import Any
from function.config.content_types import bare_type
from function.config.key_template import published_name
from function.config.profile import ACL_FIELD, MAX_PARTS, META_PREFIX, UPLOAD_ID_METADATA
from function.config.types import Rate
from function.context import RequestContext
from function.errors import AlreadyComplete, AlreadyExists, BadRequest, Incomplete, OssUnavailable, UploadGone
from function.http.json_body import read_json_object
from function.multipart.part_urls import MAX_URLS, missing_parts
from function.oss.client import OssClient
from function.oss.multipart import Completed, StoredPart, abort, complete, initiate, list_parts
from function.oss.objects import ObjectFacts, head_object
from function.oss.post_form import TYPE_FIELD
from function.uploads.rates_by_ticket import count_call
from function.uploads.tickets import MultipartTicket, ticket_in

# The status is for forms, the type has another name here, and the ACL is set by the completion.
NOT_AT_THE_BEGINNING = ("success_action_status", TYPE_FIELD, ACL_FIELD)
MAX_MISSING_LISTED = 20
# A part may be sent again during the completion; after the second time the response is 503.
COMPLETIONS = 2


def begin_upload(oss: OssClient, ticket: MultipartTicket, pinned: Mapping[str, str]) -> MultipartTicket:
    """
    Begin the upload at OSS, and return its ticket with OSS's id.

    Args:
        pinned: fields that a form would pin, under OSS's names.

    Raises:
        AlreadyExists: the name is taken, and must not be overwritten.
    """
    headers = initiate_headers(pinned, ticket.upload_id)
    return ticket._replace(oss_id=initiate(oss, ticket.key, headers))


def initiate_headers(pinned: Mapping[str, str], upload_id: str) -> dict[str, str]:
    """
    Return the fields that a form would pin as headers of InitiateMultipartUpload, names in lower case.

    The upload id is stored with the object; it proves later that the object of this name is this upload's.
    """
    headers = {name.lower(): value for name, value in pinned.items() if name not in NOT_AT_THE_BEGINNING}
    return {**headers, "content-type": pinned[TYPE_FIELD], f"{META_PREFIX}{UPLOAD_ID_METADATA}": upload_id}


def stored_parts(oss: OssClient, ticket: MultipartTicket) -> list[StoredPart]:
    """Return OSS's parts of an unfinished upload; raise ``AlreadyComplete`` or ``UploadGone`` for another."""
    parts = list_parts(oss, ticket.key, ticket.oss_id)
    if parts is None:
        raise AlreadyComplete if object_of(oss, ticket) else UploadGone
    return parts


def complete_upload(
    oss: OssClient, ticket: MultipartTicket, *, acl: str, forbid_overwrite: bool
) -> ObjectFacts:
    """
    Complete the upload, unless that has been done, and return the object as OSS reports it.

    Every outcome but "incomplete" is read from OSS afterwards: an earlier completion, one whose response was
    lost, and one of another instance look the same, and get the same response.

    Raises:
        Incomplete: with the numbers of parts that are missing or of another size.
        AlreadyExists: the name is another object's, which must not be overwritten.
        UploadGone: OSS no longer knows the upload, and it left no object.
    """
    try:
        _complete(oss, ticket, acl, forbid_overwrite)
    except AlreadyExists:
        # Perhaps by this very upload: two completions at once.
        if facts := object_of(oss, ticket):
            return facts
        raise
    if facts := object_of(oss, ticket):
        return facts
    raise UploadGone


def _complete(oss: OssClient, ticket: MultipartTicket, acl: str, forbid_overwrite: bool) -> None:
    for _ in range(COMPLETIONS):
        parts = list_parts(oss, ticket.key, ticket.oss_id)
        if parts is None:
            return
        if missing := missing_parts(ticket, parts):
            raise Incomplete(
                f"{len(missing)} of {ticket.part_count} parts are missing or incomplete.",
                details={"missing": missing[:MAX_MISSING_LISTED]},
            )
        ours = [part for part in parts if part.number <= ticket.part_count]
        outcome = complete(oss, ticket.key, ticket.oss_id, ours, acl=acl, forbid_overwrite=forbid_overwrite)
        if outcome is not Completed.PART_CHANGED:
            return
    raise OssUnavailable(reason="CompleteMultipartUpload: parts changed while they were completed")


def abort_upload(oss: OssClient, ticket: MultipartTicket) -> None:
    """Abort the upload, also one that OSS forgot; raise ``AlreadyComplete`` if it has become an object."""
    if not abort(oss, ticket.key, ticket.oss_id) and object_of(oss, ticket):
        raise AlreadyComplete


def object_of(oss: OssClient, ticket: MultipartTicket) -> ObjectFacts | None:
    """
    Return the object that the upload became; ``None`` if there is none, or the name is another upload's.

    Its metadata has the id of the upload from the beginning, and only the function can begin one.
    """
    facts = head_object(oss, ticket.key)
    if facts is None:
        return None
    expected = (ticket.upload_id, ticket.size_bytes, ticket.content_type)
    found = (facts.metadata.get(UPLOAD_ID_METADATA), facts.size_bytes, bare_type(facts.content_type))
    return facts if found == expected else None


# A file of ten thousand parts needs 500 calls for its URLs, and takes more than four minutes to send.
LIMIT, CALLS_PER_TICKET = "parts", Rate(120, 60)


def read_ticket(context: RequestContext) -> MultipartTicket:
    """Return the ticket of a request, and count the request."""
    ticket, _ = _read(context)
    count_call(context, LIMIT, CALLS_PER_TICKET, ticket)
    return ticket


def read_parts_request(context: RequestContext) -> tuple[MultipartTicket, list[int] | None, int | None]:
    """
    Read and count a request of ``/multipart-parts``.

    Returns:
        the ticket; the numbers of the parts to sign URLs for, ``None`` if it leaves them to us; the number
        after which the list of stored parts begins, ``None`` without a list.
    """
    ticket, fields = _read(context)
    # A malformed request does not count against the ticket.
    numbers, stored_after = _numbers(fields.get("numbers"), ticket), _stored_after(fields)
    count_call(context, LIMIT, CALLS_PER_TICKET, ticket)
    return ticket, numbers, stored_after


def _read(context: RequestContext) -> tuple[MultipartTicket, Mapping[str, Any]]:
    fields = read_json_object(context.request.body)
    ticket = MultipartTicket.read(ticket_in(fields), context.settings, context.now)
    line = context.line
    line.profile, line.owner = ticket.profile, ticket.owner
    line.key, line.upload_id = published_name(ticket.key), ticket.upload_id
    return ticket, fields


def _numbers(numbers: Any, ticket: MultipartTicket) -> list[int] | None:
    if numbers is None:
        return None
    if (
        isinstance(numbers, list)
        and 1 <= len(numbers) <= MAX_URLS
        and all(type(number) is int and 1 <= number <= ticket.part_count for number in numbers)
        and len(set(numbers)) == len(numbers)
    ):
        return numbers
    raise BadRequest(
        f"numbers must be a list of 1 to {MAX_URLS} different numbers from 1 to {ticket.part_count}."
    )


def _stored_after(fields: Mapping[str, Any]) -> int | None:
    stored, after = fields.get("stored"), fields.get("storedAfter")
    stored, after = False if stored is None else stored, 0 if after is None else after
    if type(stored) is not bool or type(after) is not int or not 0 <= after <= MAX_PARTS:
        raise BadRequest(f"stored must be true or false, storedAfter a number from 0 to {MAX_PARTS}.")
    return after if stored else None
