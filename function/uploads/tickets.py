"""The ticket that goes with a form, and the callback field that carries it to OSS and back."""

import json
from base64 import b64encode
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from function.auth.tokens import MAX_TOKEN_CHARACTERS, PARTS, TICKET, is_of, issue_token, read_token
from function.config.key_template import is_plain
from function.config.messages import Message
from function.config.profile import Profile
from function.config.profiles import problem_in
from function.config.settings import Settings
from function.errors import BadRequest, Forbidden, Misconfigured, Unauthorized
from function.multipart.upload import MultipartUpload
from function.oss.post_form import UploadRule

MAX_FIELD_CHARACTERS = 5 * 1024
# A receipt says a little more than its ticket, and is read by the same rule.
MAX_TICKET_CHARACTERS = MAX_TOKEN_CHARACTERS - 256
# OSS calls back when the upload ends, which may be later than the form's own end.
LIFE_BEYOND_FORM = timedelta(hours=1)

# The names on the left are ours; what OSS puts in stands on the right.
REPORTED = {
    "bucket": "${bucket}",
    "object": "${object}",
    "etag": "${etag}",
    "size": "${size}",
    "mimeType": "${mimeType}",
    "width": "${imageInfo.width}",
    "height": "${imageInfo.height}",
    "format": "${imageInfo.format}",
    "reqId": "${reqId}",
}


def issue_ticket(
    settings: Settings,
    profile: Profile,
    rule: UploadRule,
    upload_id: str,
    *,
    subject: str,
    owner: str,
    said: Mapping[str, Any],
    now: datetime,
) -> str:
    """
    What tells later whose form it was, and what it admitted.

    Args:
        rule: what the form admits, and where it is stored; the ticket says so again, for OSS signs whatever
            callback a form names.

        subject: the caller as the business knows them.

        said: what the caller wants to find in the receipt: ``context``, ``sha256``.

    Returns:
        a token that lives an hour longer than its form.

    Raises:
        Misconfigured: it would be longer than what we read.
    """
    claims = {
        "jti": upload_id,
        "folder" if profile.takes_filename else "key": rule.key,
        "type": rule.content_type,
        "sizes": [rule.min_size_bytes, rule.max_size_bytes],
        "profile": profile.name,
        "sub": subject,
        "owner": owner,
        **settings.token_scope(profile.location.bucket),
        **said,
    }
    ticket = issue_token(
        claims,
        audience=TICKET,
        secrets=settings.token_secrets,
        now=now,
        life=profile.expires_in + LIFE_BEYOND_FORM,
    )
    # With a callback its field decides, of which OSS takes less than that.
    if len(ticket) > MAX_TICKET_CHARACTERS and not profile.callback:
        raise Misconfigured([problem_in(profile.name, Message("its key is too long for confirm = true"))])
    return ticket


def callback_field(settings: Settings, profile: Profile, ticket: str) -> str:
    """
    The value of the form's ``callback`` field; the form pins it, so a client cannot change or drop it.

    Returns:
        base64 of JSON, under the 5 KB that OSS takes.

    Raises:
        Misconfigured: it would be longer.

    Source: https://help.aliyun.com/zh/oss/developer-reference/callback
    """
    url = settings.callback_url or ""
    parameter = {
        "callbackUrl": url,
        "callbackBody": "&".join(f"{name}={variable}" for name, variable in REPORTED.items())
        + f"&ticket={ticket}",
        "callbackBodyType": "application/x-www-form-urlencoded",
        # Gateways that share addresses, as Function Compute's do, need the name in the TLS handshake.
        "callbackSNI": url.startswith("https://"),
    }
    field = b64encode(json.dumps(parameter, separators=(",", ":")).encode()).decode()
    if len(field) > MAX_FIELD_CHARACTERS:
        raise Misconfigured([problem_in(profile.name, Message("its key is too long for callback = true"))])
    return field


def read_ticket(ticket: str, settings: Settings, now: datetime) -> dict[str, Any]:
    """
    The claims of a ticket that lives, made for this app, whose profile is still there and in the same bucket.

    Raises:
        Forbidden: it does not, or is none.
    """
    try:
        claims = read_token(ticket, audience=TICKET, secrets=settings.token_secrets, now=now)
    except Unauthorized as error:
        raise not_ours(f"ticket: {error.reason}") from None
    profile = settings.profiles.get(claims.get("profile", ""))
    if profile is None:
        raise not_ours("the ticket's profile does not exist any more")
    if not is_of(claims, settings.token_scope(profile.location.bucket)):
        raise not_ours("the ticket is for another app or bucket")
    return claims


def admits_key(ticket: Mapping[str, Any], key: str) -> bool:
    """Whether the ticket's form admitted an object of this key, and the key says what it seems to."""
    if not key or not is_plain(key):
        return False
    folder = ticket.get("folder")
    return key.startswith(folder) and key != folder if folder else key == ticket.get("key")


def admits_file(ticket: Mapping[str, Any], size_bytes: int, content_type: str) -> bool:
    """Whether the ticket's form admitted so many bytes of this type; a page says the type itself."""
    least, most = ticket.get("sizes") or (1, 0)
    return least <= size_bytes <= most and ticket.get("type") in ("", content_type)


def not_ours(reason: str) -> Forbidden:
    """What is told to whoever calls back or asks without a right to; the reason is for the log."""
    return Forbidden("This is about no upload that was signed here.", reason=reason)


# A receipt is read by the same rule, and may say a little more than its ticket.
MAX_MULTIPART_TICKET_CHARACTERS = MAX_TOKEN_CHARACTERS - 128
LONGEST_OSS_ID = "x" * 64


def issue_multipart_ticket(
    upload: MultipartUpload, profile: Profile, settings: Settings, now: datetime
) -> str:
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
    if len(issue_multipart_ticket(longest, profile, settings, now)) <= MAX_MULTIPART_TICKET_CHARACTERS:
        return
    if "context" in upload.claims:
        bare = {name: value for name, value in upload.claims.items() if name != "context"}
        check_room(upload._replace(claims=bare), profile, settings, now)
        raise BadRequest("context is too long beside a key of this profile.")
    raise Misconfigured([problem_in(profile.name, Message("its key is too long for parts = true"))])


def read_multipart_ticket(fields: Mapping[str, Any], settings: Settings, now: datetime) -> MultipartUpload:
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
        raise _no_multipart_ticket(error.reason) from None
    profile = settings.profiles.get(claims["profile"])
    if profile is None or not profile.parts:
        raise _no_multipart_ticket("its profile has no parts any more")
    if not is_of(claims, settings.token_scope(profile.location.bucket)):
        raise _no_multipart_ticket("for another app or bucket")
    return MultipartUpload(
        upload_id=claims["jti"],
        oss_id=claims["upload"],
        key=claims["key"],
        size_bytes=claims["size"],
        part_size_bytes=claims["part"],
        content_type=claims["type"],
        claims=claims,
    )


def _no_multipart_ticket(reason: str) -> Forbidden:
    return Forbidden(
        "This is no ticket of an upload in parts that was begun here.", reason=f"ticket: {reason}"
    )
