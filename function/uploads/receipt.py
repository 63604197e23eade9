"""The receipt: a token about one upload, which the business verifies offline."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from function.auth.tokens import RECEIPT, issue_token
from function.config.content_types import bare_type
from function.config.key_template import is_held_name, published_name
from function.config.settings import Settings
from function.config.types import UPLOAD_ID_METADATA
from function.context import RequestContext
from function.errors import BadRequest, Forbidden, NotUploaded
from function.oss.objects import ObjectFacts
from function.oss.post_form import object_url
from function.uploads.tickets import admits_file, admits_key, not_ours, read_ticket
from function.webhook import tell_business

# They come from the ticket as they went into it.
SAID_BY_CALLERS = ("context", "sha256")
RECEIPT_LIFE = timedelta(days=1)
# The state of what waits to be published.
HELD = "held"


class VerifiedUpload(NamedTuple):
    """
    One upload as it was verified.

    Args:
        etag: without quotes.

        width: in pixels, as ``height``; ``None`` for what is no picture.

        ticket: the claims of the ticket that went with its form.

        seen: whether OSS said so to the function itself; else it is what the uploader's callback said.

        held: whether the object waits, and gets its ``key`` only when it is published.
    """

    key: str
    size_bytes: int
    etag: str
    mime_type: str
    width: int | None
    height: int | None
    ticket: Mapping[str, Any]
    seen: bool
    held: bool


def answer_about(
    upload: VerifiedUpload, settings: Settings, life: timedelta = RECEIPT_LIFE
) -> dict[str, Any]:
    """
    What OSS hands to the mini-program.

    Args:
        life: of the receipt, from the ticket's date on, and while the object may be held.

    Returns:
        ``{"status", "key", "size", "etag", "mimeType", "url", "width", "height", "uploadId", "receipt"}``; no
        ``url`` while the object is held.
    """
    facts, profile = _facts(upload), settings.profiles[upload.ticket["profile"]]
    if upload.held:
        life += timedelta(days=profile.hold_days)
    return {
        "status": "ok",
        **facts,
        "url": None if upload.held else object_url(profile.location.host, upload.key),
        "width": upload.width,
        "height": upload.height,
        "uploadId": upload.ticket["jti"],
        "receipt": _receipt(upload, {**facts, "bucket": profile.location.bucket}, settings, life),
    }


def _facts(upload: VerifiedUpload) -> dict[str, Any]:
    return {
        "key": upload.key,
        "size": upload.size_bytes,
        "etag": upload.etag,
        "mimeType": upload.mime_type,
    }


def _receipt(upload: VerifiedUpload, facts: Mapping[str, Any], settings: Settings, life: timedelta) -> str:
    claims = {
        **facts,
        "sub": upload.ticket["sub"],
        "owner": upload.ticket["owner"],
        "profile": upload.ticket["profile"],
        "jti": upload.ticket["jti"],
        "seen": upload.seen,
        **({"held": True} if upload.held else {}),
        **{name: upload.ticket[name] for name in SAID_BY_CALLERS if name in upload.ticket},
    }
    # Dated from the form, so that a repeated callback or question gives the very same receipt.
    return issue_token(
        claims,
        audience=RECEIPT,
        secrets=settings.receipt_secrets,
        now=datetime.fromtimestamp(upload.ticket["iat"], UTC),
        life=life,
    )


STORED = "stored"


def read_confirmable(fields: Mapping[str, Any], settings: Settings, now: datetime) -> dict[str, Any]:
    """
    The claims of the ticket in a request's body; its ``key`` is what OSS is asked about.

    Raises:
        BadRequest: there is no ticket.

        Forbidden: it is no good, or not of a form whose upload is confirmed.
    """
    given = fields.get("ticket")
    if not isinstance(given, str) or not given:
        raise BadRequest("ticket must be the text that came with the form.")
    ticket = read_ticket(given, settings, now)
    # A ticket of a classic page names a folder, and no key.
    has_key = "key" in ticket and admits_key(ticket, ticket["key"])
    if not has_key or not settings.profiles[ticket["profile"]].confirm:
        raise not_ours("the ticket's upload is not one to confirm")
    return ticket


def upload_of(ticket: Mapping[str, Any], facts: ObjectFacts | None) -> VerifiedUpload:
    """
    The ticket's upload, as OSS has it.

    Args:
        facts: of the object under the ticket's ``key``; ``None`` when OSS says that there is none.

    Raises:
        NotUploaded: there is none, or not yet.

        Forbidden: it is not what the form admitted.
    """
    if facts is None:
        raise NotUploaded
    upload = seen_upload(ticket, facts)
    if upload.held:
        upload = upload._replace(ticket={**ticket, "jti": _id_of(facts, ticket)})
    if not admits_file(ticket, upload.size_bytes, upload.mime_type):
        reason = f"the form admitted no {upload.size_bytes} bytes of {upload.mime_type}"
        raise Forbidden("What is stored there is not what the form admitted.", reason=reason)
    return upload


def _id_of(held: ObjectFacts, ticket: Mapping[str, Any]) -> str:
    """Of the upload that is held: where its bytes are its name, perhaps an earlier one than the ticket's."""
    upload_id = held.metadata.get(UPLOAD_ID_METADATA)
    # Nobody but the function's own forms stores there.
    if not upload_id:
        raise NotUploaded
    # A name with an id in it is that upload's alone, and what is decided goes by the id.
    if upload_id != ticket["jti"] and ticket["jti"] in ticket["key"]:
        raise Forbidden("What is stored there is not what the form admitted.", reason="held by another id")
    return upload_id


def seen_upload(ticket: Mapping[str, Any], facts: ObjectFacts) -> VerifiedUpload:
    """An upload by form or in parts as OSS has it, whatever its ticket admits."""
    return VerifiedUpload(
        key=published_name(ticket["key"]),
        size_bytes=facts.size_bytes,
        etag=facts.etag,
        mime_type=bare_type(facts.content_type),
        width=None,
        height=None,
        ticket=ticket,
        seen=True,
        held=is_held_name(ticket["key"]),
    )


def answer_stored(
    context: RequestContext, upload: VerifiedUpload, life: timedelta = RECEIPT_LIFE
) -> dict[str, Any]:
    """
    What the caller is answered about an object that OSS has; the business is told, too.

    Args:
        life: of the receipt, from the ticket's date on.

    Returns:
        what ``/callback`` answers, ``width`` and ``height`` null, and the ``"state"``.
    """
    told = answer_about(upload, context.settings, life)
    tell_business(context, told["receipt"])
    return {**told, "state": HELD if upload.held else STORED}


def answer_recalled(claims: Mapping[str, Any], receipt: str, state: str, url: str | None) -> dict[str, Any]:
    """
    What the caller is answered about an object that is held no more.

    Args:
        claims: of the receipt, which is told once more, byte for byte.

        url: where the object is shown by now.
    """
    return {
        "status": "ok",
        **{name: claims[name] for name in ("key", "size", "etag", "mimeType")},
        "url": url,
        "width": None,
        "height": None,
        "uploadId": claims["jti"],
        "receipt": receipt,
        "state": state,
    }
