"""The receipt: a token about one upload, which the business verifies offline."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from function.auth.tokens import RECEIPT, issue_token
from function.config.settings import Settings
from function.oss.post_form import object_url

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
