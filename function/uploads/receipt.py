"""Receipt: a signed token about one verified upload, which the business verifies offline."""

import re
from datetime import datetime, timedelta

from function.annotations import TYPE_CHECKING, Any, NamedTuple
from function.auth import app_in
from function.auth import signed_tokens as tokens
from function.config.content_types import bare_type
from function.config.key_template import is_held_name, published_name
from function.config.profile import UPLOAD_ID_METADATA, Profile
from function.config.settings import Settings
from function.context import RequestContext
from function.errors import Forbidden, NotUploaded, Unauthorized
from function.oss.objects import ObjectFacts
from function.oss.post_form import object_url
from function.uploads.ai_labels import declared_in, label_in, told_label
from function.uploads.tickets import FormTicket, MultipartTicket
from function.webhook import notify_business

if TYPE_CHECKING:
    from function.ai_label.label import AiLabel

RECEIPT_LIFE = timedelta(days=1)
ETAG = "[!-~]{1,128}"
# Names of records add up to 23 characters to the id, and have 128 at most.
UPLOAD_ID = r"[0-9A-Za-z_-]{1,100}"
# States of an object that was just stored.
STORED, HELD = "stored", "held"


class VerifiedUpload(NamedTuple):
    """
    One upload, verified.

    Args:
        key: of the object once it is published.
        etag: without quotes.
        width: in pixels, as ``height``; ``None`` for anything but pictures.
        is_seen: True if OSS reported it to the function itself, False if a callback did.
        is_held: True if the object waits to be published.
        stored_at: when OSS stored it; as a callback does not say that, when its form was signed.
        ai_label: label of AI-made content: what its ticket declares, until its bytes were read.
    """

    key: str
    size_bytes: int
    etag: str
    mime_type: str
    width: int | None
    height: int | None
    ticket: FormTicket | MultipartTicket
    is_seen: bool
    is_held: bool
    stored_at: datetime
    ai_label: "AiLabel | None" = None


class Receipt(NamedTuple):
    """
    Content of a receipt, as far as the function itself reads it.

    Args:
        key: of the object once it is published.
        is_held: True if the object was stored to be published later.
        held_until: when an undecided upload ends; a receipt lives a day longer, for its outcome.
        replaces: key of the object that this one replaces, if any.
        ai_label: label of AI-made content, if it was examined or declared.
        app: of its caller, as the caller's other tokens have it.
    """

    upload_id: str
    key: str
    size_bytes: int
    etag: str
    mime_type: str
    profile: str
    subject: str
    owner: str
    is_held: bool
    held_until: datetime
    replaces: str | None = None
    ai_label: "AiLabel | None" = None
    app: str | None = None

    @staticmethod
    def issue(upload: VerifiedUpload, settings: Settings, life: timedelta) -> str:
        """Return a token dated from the ticket, so that a repeated request gets the very same receipt."""
        ticket = upload.ticket
        profile = settings.profiles[ticket.profile]
        # A multipart upload may be complete long before its ticket ends.
        until = upload.stored_at + timedelta(days=profile.hold_days)
        until = min(until, ticket.issued_at + life - RECEIPT_LIFE)
        held = {"held": True, "heldUntil": int(until.timestamp())}
        optional = {"context": ticket.context, "sha256": ticket.sha256, "replaces": ticket.replaces}
        claims = {
            "key": upload.key,
            "size": upload.size_bytes,
            "etag": upload.etag,
            "mimeType": upload.mime_type,
            "bucket": profile.location.bucket,
            "sub": ticket.subject,
            "owner": ticket.owner,
            "profile": ticket.profile,
            "jti": ticket.upload_id,
            "seen": upload.is_seen,
            # A function with one caller signs receipts without it.
            **({"app": ticket.app} if ticket.app and ":" in ticket.app else {}),
            **(held if upload.is_held else {}),
            **{name: value for name, value in optional.items() if value is not None},
            **told_label(upload.ai_label, in_short=True),
        }
        return tokens.issue_token(
            claims, audience=tokens.RECEIPT, secrets=settings.receipt_secrets, now=ticket.issued_at, life=life
        )

    @classmethod
    def read(
        cls, text: str, settings: Settings, now: datetime, leeway: timedelta = tokens.NO_LEEWAY
    ) -> "Receipt":
        """
        Return the content of a valid receipt of a profile that exists in the same bucket; else ``Forbidden``.

        The business can sign receipts, too, so each claim is checked.
        """
        secrets = settings.receipt_secrets
        try:
            claims = tokens.read_token(text, audience=tokens.RECEIPT, secrets=secrets, now=now, leeway=leeway)
            profile = settings.profiles.get(tokens.text_claim(claims, "profile"))
            if profile is None:
                raise tokens.invalid_token("its profile does not exist any more")
            # A receipt need not name its mini-program; if it does, it must be ours, or a caller's of several.
            bucket, unnamed = profile.location.bucket, settings.unnamed
            app = app_in({"app": unnamed and unnamed.app, "bucket": bucket, **claims}, settings, bucket)
            expires_at = tokens.time_claim(claims, "exp")
            # A receipt of an earlier version, or of the business, may lack it.
            ends = (
                tokens.time_claim(claims, "heldUntil") if "heldUntil" in claims else expires_at - RECEIPT_LIFE
            )
            return cls(
                upload_id=tokens.text_claim(claims, "jti", UPLOAD_ID),
                key=tokens.text_claim(claims, "key", tokens.KEY),
                size_bytes=tokens.count_claim(claims, "size"),
                etag=tokens.text_claim(claims, "etag", ETAG),
                mime_type=tokens.text_claim(claims, "mimeType"),
                profile=profile.name,
                subject=tokens.text_claim(claims, "sub", tokens.SUBJECT),
                owner=tokens.text_claim(claims, "owner"),
                is_held=claims.get("held") is True,
                replaces=tokens.text_claim(claims, "replaces", tokens.KEY) if "replaces" in claims else None,
                held_until=min(ends, expires_at),
                ai_label=label_in(claims) if "aiLabel" in claims else None,
                app=app,
            )
        except Unauthorized as error:
            raise invalid_receipt(error.reason) from None


def invalid_receipt(reason: str) -> Forbidden:
    """Return the refusal of a receipt; the reason is for the log."""
    return Forbidden("Unknown or invalid receipt.", reason=f"receipt: {reason}")


def describe(upload: VerifiedUpload, settings: Settings, life: timedelta = RECEIPT_LIFE) -> dict[str, Any]:
    """
    Return what the mini-program gets about an upload; no ``url`` while the object is held.

    Args:
        life: of the receipt, from the ticket's date on, and as long as the object may be held.
    """
    profile = settings.profiles[upload.ticket.profile]
    if upload.is_held:
        life += timedelta(days=profile.hold_days)
    url = None if upload.is_held else object_url(profile.location.host, upload.key)
    receipt, size = Receipt.issue(upload, settings, life), (upload.width, upload.height)
    return _response(upload, upload.ticket.upload_id, url, receipt, size, **told_label(upload.ai_label))


def _response(
    about: "VerifiedUpload | Receipt",
    upload_id: str,
    url: str | None,
    receipt: str,
    size: tuple[int | None, int | None] = (None, None),
    **more: Any,
) -> dict[str, Any]:
    """Return the fields of a response about an upload; ``size`` is width and height."""
    return {
        "status": "ok",
        "key": about.key,
        "size": about.size_bytes,
        "etag": about.etag,
        "mimeType": about.mime_type,
        "url": url,
        "width": size[0],
        "height": size[1],
        "uploadId": upload_id,
        "receipt": receipt,
        **more,
    }


def check_stored(ticket: FormTicket, facts: ObjectFacts, profile: Profile) -> VerifiedUpload:
    """
    Return the ticket's upload, as OSS has it.

    Raises:
        NotUploaded: the held object is no upload of a form.
        Forbidden: it is not what the form admitted, or an earlier upload under other rules of a hold.
    """
    if is_held_name(ticket.key):
        upload_id = _id_of(facts, ticket)
        if upload_id != ticket.upload_id and profile.has_other_rules(facts.metadata):
            raise _mismatch("held under other rules")
        ticket = ticket._replace(upload_id=upload_id)
    upload = seen_upload(ticket, facts)
    if not ticket.admits_file(upload.size_bytes, upload.mime_type):
        raise _mismatch(f"the form admitted no {upload.size_bytes} bytes of {upload.mime_type}")
    return upload


def _id_of(held: ObjectFacts, ticket: FormTicket) -> str:
    """Return the id of the held upload: of an earlier one than the ticket's, perhaps, with the same bytes."""
    upload_id = upload_id_in(held)
    # Only the function's own forms store there.
    if not upload_id:
        raise NotUploaded
    # A name with an id in it belongs to that upload alone, and decisions go by the id.
    if upload_id != ticket.upload_id and ticket.upload_id in ticket.key:
        raise _mismatch("held by another id")
    return upload_id


def upload_id_in(facts: ObjectFacts) -> str:
    """Return the id of an object's upload; empty if it is none of this function's."""
    upload_id = facts.metadata.get(UPLOAD_ID_METADATA, "")
    return upload_id if re.fullmatch(UPLOAD_ID, upload_id) else ""


def _mismatch(reason: str) -> Forbidden:
    return Forbidden("The stored object does not match its form.", reason=reason)


def seen_upload(ticket: FormTicket | MultipartTicket, facts: ObjectFacts) -> VerifiedUpload:
    """Return an upload as OSS has it, whatever its ticket admits."""
    return VerifiedUpload(
        key=published_name(ticket.key),
        size_bytes=facts.size_bytes,
        etag=facts.etag,
        mime_type=bare_type(facts.content_type),
        width=None,
        height=None,
        ticket=ticket,
        is_seen=True,
        is_held=is_held_name(ticket.key),
        stored_at=facts.last_modified,
        ai_label=declared_in(ticket),
    )


def report_stored(
    context: RequestContext, upload: VerifiedUpload, life: timedelta = RECEIPT_LIFE
) -> dict[str, Any]:
    """
    Notify the business of an object that OSS has, and return what the caller gets.

    Args:
        life: of the receipt, from the ticket's date on.
    """
    response = describe(upload, context.settings, life)
    notify_stored(context, upload, response["receipt"])
    return {**response, "state": HELD if upload.is_held else STORED}


def notify_stored(context: RequestContext, upload: VerifiedUpload, receipt: str) -> None:
    """Notify the business of a stored object, once from this instance."""
    ticket = upload.ticket
    location = context.settings.profiles[ticket.profile].location
    more = {**told_label(upload.ai_label), **context.settings.caller_field(ticket.app)}
    notify_business(context, location, receipt, ticket.upload_id, ticket.owner, at=upload.stored_at, **more)


def describe_decided(
    receipt: Receipt, text: str, state: str, url: str | None, label: "AiLabel | None"
) -> dict[str, Any]:
    """Return what the caller gets about an object no longer held; ``text`` is its receipt, repeated."""
    return _response(receipt, receipt.upload_id, url, text, state=state, **told_label(label))
