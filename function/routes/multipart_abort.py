"""``POST /multipart-abort``: the caller gives up, and OSS drops the parts."""

from typing import Any

from function.context import Call
from function.multipart.admission import admit
from function.multipart.lifecycle import drop_upload
from function.oss.objects_session import oss_of


def answer(call: Call) -> dict[str, Any]:
    """
    Returns:
        ``{"state": "aborted"}``, however often it is asked.
    """
    upload = admit(call)
    place = call.settings.profiles[upload.claims["profile"]].place
    drop_upload(oss_of(call, place), upload)
    return {"state": "aborted"}
