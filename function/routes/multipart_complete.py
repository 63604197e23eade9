"""``POST /multipart-complete``: the parts become the object, and the caller gets its receipt."""

from datetime import timedelta
from typing import Any

from function.config.option_values import CHECK
from function.context import RequestContext
from function.errors import UploadGone
from function.multipart.admission import admit
from function.multipart.lifecycle import complete_upload
from function.oss.objects_session import oss_client
from function.routes.confirm import begin_check, recalled, settled
from function.uploads.confirm import answer_stored, seen_upload
from function.uploads.receipt import RECEIPT_LIFE


def handle(context: RequestContext) -> dict[str, Any]:
    """
    Returns:
        what became of the upload, with its receipt; the same each time, byte for byte.
    """
    upload = admit(context)
    ticket = upload.claims
    profile = context.settings.profiles[ticket["profile"]]
    oss = oss_client(context, profile.location)
    try:
        facts = complete_upload(oss, upload, acl=profile.stored_acl, forbid_overwrite=not profile.overwrite)
    except UploadGone:
        if profile.is_held and (told := recalled(context, oss, upload.upload_id)):
            return told
        raise
    if profile.is_held and (told := settled(context, oss, facts, upload.upload_id)):
        return told
    life = timedelta(seconds=ticket["exp"] - ticket["iat"]) + RECEIPT_LIFE
    told = answer_stored(context, seen_upload(ticket, facts), life)
    if profile.hold == (CHECK,):
        begin_check(context, told["receipt"])
    return told
