"""``POST /multipart-abort``: the caller gives up, and OSS drops the parts."""

from typing import Any

from function.context import RequestContext
from function.multipart.admission import admit
from function.multipart.lifecycle import drop_upload
from function.oss.objects_session import oss_client


def handle(context: RequestContext) -> dict[str, Any]:
    """
    Returns:
        ``{"state": "aborted"}``, however often it is asked.
    """
    upload = admit(context)
    location = context.settings.profiles[upload.claims["profile"]].location
    drop_upload(oss_client(context, location), upload)
    return {"state": "aborted"}
