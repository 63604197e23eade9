"""The life of an upload in parts: begun, looked at, completed or dropped; who asks again is told the same."""

from collections.abc import Mapping
from typing import Any

from function.config.content_types import bare_type
from function.config.key_template import published_name
from function.config.profile import ACL_FIELD, META_PREFIX, UPLOAD_ID_METADATA
from function.config.types import Rate
from function.context import RequestContext
from function.errors import (
    AlreadyComplete,
    AlreadyExists,
    BadRequest,
    Incomplete,
    OssUnavailable,
    UploadGone,
)
from function.http.json_body import read_json_object
from function.limits.rate_limit import RateLimitItem
from function.multipart.upload import MAX_URLS, missing_parts
from function.oss.client import OssClient
from function.oss.multipart import Completed, StoredPart, abort, complete, initiate, list_parts
from function.oss.objects import ObjectFacts, head_object
from function.oss.post_form import TYPE_FIELD
from function.uploads.tickets import MultipartTicket, ticket_in

# The status is a form's matter, the type has another name here, and the ACL is for the completion.
NOT_AT_THE_BEGINNING = ("success_action_status", TYPE_FIELD, ACL_FIELD)
MAX_MISSING_TOLD = 20
# A part may be sent again while the others are completed; who does so twice gets a 503.
COMPLETIONS = 2


def begin_upload(oss: OssClient, ticket: MultipartTicket, pinned: Mapping[str, str]) -> MultipartTicket:
    """
    Have OSS begin the upload: the same, with OSS's id of it.

    Args:
        pinned: what a form would pin, fields under OSS's names, each with the one value it may have.

    Raises:
        AlreadyExists: the name is taken, and must not be overwritten.

        UploadError: OSS refuses, or does not answer.
    """
    headers = initiate_headers(pinned, ticket.upload_id)
    return ticket._replace(oss_id=initiate(oss, ticket.key, headers))


def initiate_headers(pinned: Mapping[str, str], upload_id: str) -> dict[str, str]:
    """
    What a form would pin, as headers of InitiateMultipartUpload, names in lower case.

    Args:
        upload_id: kept with the object; it proves later that the object of this name is this upload's.
    """
    kept = {name.lower(): value for name, value in pinned.items() if name not in NOT_AT_THE_BEGINNING}
    return {**kept, "content-type": pinned[TYPE_FIELD], f"{META_PREFIX}{UPLOAD_ID_METADATA}": upload_id}


def stored_parts(oss: OssClient, ticket: MultipartTicket) -> list[StoredPart]:
    """
    What OSS has of an upload that is under way.

    Raises:
        AlreadyComplete, UploadGone: it is not.

        UploadError: OSS refuses, or does not answer.
    """
    parts = list_parts(oss, ticket.key, ticket.oss_id)
    if parts is None:
        raise AlreadyComplete if object_of(oss, ticket) else UploadGone
    return parts


def complete_upload(
    oss: OssClient, ticket: MultipartTicket, *, acl: str, forbid_overwrite: bool
) -> ObjectFacts:
    """
    Make the parts the object, if that has not been done, and say what OSS says of it.

    Every outcome but "incomplete" is read from OSS afterwards: an earlier completion, one whose answer was
    lost, and one that another instance made a moment ago look the same, and are answered the same.

    Raises:
        Incomplete: with the numbers of parts that are lacking, or of another size.

        AlreadyExists: the name is another object's, which must not be overwritten.

        UploadGone: OSS no longer knows the upload, and it left no object.

        UploadError: OSS refuses, or does not answer.
    """
    try:
        _complete(oss, ticket, acl, forbid_overwrite)
    except AlreadyExists:
        # By this very upload, perhaps: two completions at once.
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
                f"{len(missing)} of {ticket.part_count} parts are not there in full.",
                details={"missing": missing[:MAX_MISSING_TOLD]},
            )
        ours = [part for part in parts if part.number <= ticket.part_count]
        outcome = complete(oss, ticket.key, ticket.oss_id, ours, acl=acl, forbid_overwrite=forbid_overwrite)
        if outcome is not Completed.PART_CHANGED:
            return
    raise OssUnavailable(reason="CompleteMultipartUpload: parts changed while they were completed")


def drop_upload(oss: OssClient, ticket: MultipartTicket) -> None:
    """
    Have OSS forget the upload and its parts; what it has forgotten already is as good.

    Raises:
        AlreadyComplete: it is an object by now.

        UploadError: OSS refuses, or does not answer.
    """
    if not abort(oss, ticket.key, ticket.oss_id) and object_of(oss, ticket):
        raise AlreadyComplete


def object_of(oss: OssClient, ticket: MultipartTicket) -> ObjectFacts | None:
    """
    The object that the upload became; ``None`` where there is none, or another's of that name.

    Its metadata has the id of the upload since OSS was asked to begin it, and only the function asks that.
    """
    facts = head_object(oss, ticket.key)
    if facts is None:
        return None
    wanted = (ticket.upload_id, ticket.size_bytes, ticket.content_type)
    found = (facts.metadata.get(UPLOAD_ID_METADATA), facts.size_bytes, bare_type(facts.content_type))
    return facts if found == wanted else None


# A file of ten thousand parts needs 500 calls for its URLs, and is not sent in four minutes.
CALLS_PER_TICKET = Rate(120, 60)


def admit(context: RequestContext) -> MultipartTicket:
    """
    The upload that a request is about.

    Raises:
        BadRequest, Forbidden, TooManyRequests
    """
    ticket, _ = _read(context)
    _count(context, ticket)
    return ticket


def admit_with_numbers(context: RequestContext) -> tuple[MultipartTicket, list[int] | None]:
    """
    The upload that a request is about, and the parts that URLs are wanted for; ``None`` leaves those to us.

    Raises:
        BadRequest, Forbidden, TooManyRequests
    """
    ticket, fields = _read(context)
    # A malformed request does not count against the ticket.
    numbers = _numbers(fields.get("numbers"), ticket)
    _count(context, ticket)
    return ticket, numbers


def _read(context: RequestContext) -> tuple[MultipartTicket, Mapping[str, Any]]:
    fields = read_json_object(context.request.body)
    ticket = MultipartTicket.read(ticket_in(fields), context.settings, context.now)
    line = context.line
    line.profile, line.owner = ticket.profile, ticket.owner
    line.key, line.upload_id = published_name(ticket.key), ticket.upload_id
    return ticket, fields


def _count(context: RequestContext, ticket: MultipartTicket) -> None:
    context.instance.limiter.hit([RateLimitItem("parts", CALLS_PER_TICKET, ticket.upload_id)], context.now)


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
        f"numbers must be a list of 1 to {MAX_URLS} numbers from 1 to {ticket.part_count}, each once."
    )
