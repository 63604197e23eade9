"""``POST /multipart-complete``: the parts become the object, and the caller gets its receipt."""

from datetime import timedelta
from typing import Any

from function.instance import Call
from function.objects_session import oss_of
from function.parts.admission import admit
from function.parts.life import complete_upload
from function.receipts.receipt import RECEIPT_LIFE, Upload, answer_about
from function.receipts.webhook import tell_business

STORED = "stored"


def answer(call: Call) -> dict[str, Any]:
    """
    Returns:
        what became of the upload, with its receipt; the same each time, byte for byte.
    """
    upload = admit(call)
    settings, ticket = call.settings, upload.claims
    profile = settings.profiles[ticket["profile"]]
    facts = complete_upload(oss_of(call), upload, acl=profile.acl, forbid_overwrite=not profile.overwrite)
    stored = Upload(
        key=upload.key,
        size_bytes=facts.size_bytes,
        etag=facts.etag,
        mime_type=upload.content_type,
        width=None,
        height=None,
        ticket=ticket,
        seen=True,
    )
    told = answer_about(stored, settings, timedelta(seconds=ticket["exp"] - ticket["iat"]) + RECEIPT_LIFE)
    if settings.upload_webhook_url:
        problem = tell_business(settings.upload_webhook_url, told["receipt"], call.instance.exchange)
        call.line.webhook = problem or "ok"
    return {**told, "state": STORED}
