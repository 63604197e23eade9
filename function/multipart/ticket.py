"""The ticket of an upload in parts: with it any instance goes on, and nobody without it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from function.auth.tokens import MAX_TOKEN_CHARACTERS, PARTS, is_of, issue_token, read_token
from function.config.messages import Message
from function.config.profile import Profile
from function.config.profiles import problem_in
from function.config.settings import Settings
from function.errors import BadRequest, Forbidden, Misconfigured, Unauthorized
from function.multipart.upload import MultipartUpload

# A receipt is read by the same rule, and may say a little more than its ticket.
MAX_TICKET_CHARACTERS = MAX_TOKEN_CHARACTERS - 128
LONGEST_OSS_ID = "x" * 64


def issue_ticket(upload: MultipartUpload, profile: Profile, settings: Settings, now: datetime) -> str:
    """
    The token that tells this upload again, for ``parts_within``.

    It is signed and not sealed: the caller may read what is in it, OSS's id of the upload as well, which
    stands in the address of each part anyway and is good for nothing by itself.
    """
    claims = {
        **upload.claims,
        "jti": upload.upload_id,
        "upload": upload.oss_id,
        "key": upload.key,
        "size": upload.size_bytes,
        "part": upload.part_size_bytes,
        "type": upload.content_type,
        **settings.token_scope(profile.location.bucket),
    }
    return issue_token(
        claims, audience=PARTS, secrets=settings.token_secrets, now=now, life=profile.parts_within
    )


def check_room(upload: MultipartUpload, profile: Profile, settings: Settings, now: datetime) -> None:
    """
    See to it that the ticket can be issued, before OSS has begun anything that would be left behind.

    Raises:
        BadRequest: ``context`` leaves it no room.

        Misconfigured: the key of the profile does.
    """
    longest = upload._replace(oss_id=LONGEST_OSS_ID)
    if len(issue_ticket(longest, profile, settings, now)) <= MAX_TICKET_CHARACTERS:
        return
    if "context" in upload.claims:
        bare = {name: value for name, value in upload.claims.items() if name != "context"}
        check_room(upload._replace(claims=bare), profile, settings, now)
        raise BadRequest("context is too long beside a key of this profile.")
    raise Misconfigured([problem_in(profile.name, Message("its key is too long for parts = true"))])


def read_ticket(fields: Mapping[str, Any], settings: Settings, now: datetime) -> MultipartUpload:
    """
    The upload that the ticket of a request is about.

    Args:
        fields: of the request's body.

    Raises:
        BadRequest: there is no ticket.

        Forbidden: it has ended, is for another app or bucket, for a profile without parts, or no ticket.
    """
    ticket = fields.get("ticket")
    if not isinstance(ticket, str) or not ticket:
        raise BadRequest("ticket must be the text that /multipart answered with.")
    try:
        claims = read_token(ticket, audience=PARTS, secrets=settings.token_secrets, now=now)
    except Unauthorized as error:
        raise _not_ours(error.reason) from None
    profile = settings.profiles.get(claims["profile"])
    if profile is None or not profile.parts:
        raise _not_ours("its profile has no parts any more")
    if not is_of(claims, settings.token_scope(profile.location.bucket)):
        raise _not_ours("for another app or bucket")
    return MultipartUpload(
        upload_id=claims["jti"],
        oss_id=claims["upload"],
        key=claims["key"],
        size_bytes=claims["size"],
        part_size_bytes=claims["part"],
        content_type=claims["type"],
        claims=claims,
    )


def _not_ours(reason: str) -> Forbidden:
    return Forbidden(
        "This is no ticket of an upload in parts that was begun here.", reason=f"ticket: {reason}"
    )
