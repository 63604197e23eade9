"""``POST /multipart-complete``: the parts become the object, and the caller gets its receipt."""

from datetime import timedelta
from typing import Any

from function.instance import Call
from function.objects_session import oss_of
from function.parts.admission import admit
from function.parts.life import complete_upload
from function.receipts.confirm import answer_stored, seen_upload
from function.receipts.receipt import RECEIPT_LIFE


def answer(call: Call) -> dict[str, Any]:
    """
    Returns:
        what became of the upload, with its receipt; the same each time, byte for byte.
    """
    upload = admit(call)
    ticket = upload.claims
    profile = call.settings.profiles[ticket["profile"]]
    facts = complete_upload(
        oss_of(call), upload, acl=profile.stored_acl, forbid_overwrite=not profile.overwrite
    )
    life = timedelta(seconds=ticket["exp"] - ticket["iat"]) + RECEIPT_LIFE
    return answer_stored(call, seen_upload(ticket, facts), life)
