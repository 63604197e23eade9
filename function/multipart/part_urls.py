"""Presigned URLs of parts, and the numbers of those that OSS does not have."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from function.annotations import Any
from function.auth.signed_tokens import MAX_TOKEN_CHARACTERS
from function.config.profile import CREDENTIALS_MARGIN, BucketLocation
from function.config.profiles import problem_in
from function.config.settings import Settings
from function.errors import BadRequest, Misconfigured
from function.messages import Message
from function.oss.multipart import StoredPart
from function.oss.presign import OssRequest, presign
from function.sts.credentials import StsCredentials
from function.uploads.tickets import MultipartTicket

MAX_URLS = 20
MAX_STORED_LISTED = 1000
# A receipt says a little more than its ticket, and is read by the same rule.
MAX_TICKET_CHARACTERS = MAX_TOKEN_CHARACTERS - 128
LONGEST_OSS_ID = "x" * 64
LONGEST_LIFE = timedelta(minutes=15)
# If the session ends soon; a shorter URL would expire before the part is sent.
LEAST_LIFE = timedelta(seconds=60)
# wx.request chooses a type unless it is given one, and the type is signed.
CONTENT_TYPE = "application/octet-stream"
HEADERS = {"Content-Type": CONTENT_TYPE}


def urls_end(credentials: StsCredentials, now: datetime) -> datetime:
    """Return when URLs that are signed now expire: like forms, before their credentials do."""
    return min(now + LONGEST_LIFE, credentials.expires_at - CREDENTIALS_MARGIN)


def sign_parts(
    ticket: MultipartTicket,
    numbers: Iterable[int],
    credentials: StsCredentials,
    settings: Settings,
    now: datetime,
) -> list[dict[str, Any]]:
    """
    Return the presigned URLs of these parts: ``[{"number", "size", "url"}]``.

    The number, OSS's id of the upload and, with ``SIGN_PART_LENGTH``, the length are signed, so a client can
    only send the part that the URL is for, once or again. Each URL needs a PUT with ``HEADERS`` and is a
    secret: it contains the security token.
    """
    expires_in = urls_end(credentials, now) - now
    location = settings.profiles[ticket.profile].location
    return [
        {
            "number": number,
            "size": ticket.bytes_of(number),
            "url": presign(
                _put(ticket, number, location, settings),
                credentials,
                now,
                origin=location.host,
                expires_in=expires_in,
            ),
        }
        for number in numbers
    ]


def _put(ticket: MultipartTicket, number: int, location: BucketLocation, settings: Settings) -> OssRequest:
    headers = {"content-type": CONTENT_TYPE}
    additional: tuple[str, ...] = ()
    if settings.sign_part_length:
        headers["content-length"] = str(ticket.bytes_of(number))
        additional = ("content-length",)
    return OssRequest(
        "PUT",
        location.bucket,
        location.region,
        ticket.key,
        query={"partNumber": str(number), "uploadId": ticket.oss_id},
        headers=headers,
        additional=additional,
    )


def missing_parts(ticket: MultipartTicket, stored: Iterable[StoredPart]) -> list[int]:
    """Return the numbers of the parts that OSS does not have in full, in order."""
    there = {part.number for part in stored if part.size_bytes == ticket.bytes_of(part.number)}
    return [number for number in range(1, ticket.part_count + 1) if number not in there]


def listed_parts(stored: Iterable[StoredPart], after: int) -> list[dict[str, Any]]:
    """Return one page of the stored parts with higher numbers: ``[{"number", "size", "etag"}]``."""
    page = [part for part in stored if part.number > after][:MAX_STORED_LISTED]
    return [{"number": part.number, "size": part.size_bytes, "etag": part.etag} for part in page]


def check_ticket_length(ticket: MultipartTicket, settings: Settings) -> None:
    """
    Check that a ticket can be issued, before OSS has begun an upload that would be left behind.

    Raises:
        BadRequest: ``context`` or ``replaces`` makes it too long.
        Misconfigured: the key of the profile does.
    """
    if len(ticket._replace(oss_id=LONGEST_OSS_ID).issue(settings)) <= MAX_TICKET_CHARACTERS:
        return
    if ticket.replaces is not None:
        check_ticket_length(ticket._replace(replaces=None), settings)
        raise BadRequest("replaces is too long for a key of this length.")
    if ticket.context is not None:
        check_ticket_length(ticket._replace(context=None), settings)
        raise BadRequest("context is too long for a key of this length.")
    raise Misconfigured([problem_in(ticket.profile, Message("its key is too long for parts = true"))])
