"""``POST /multipart-abort``: the caller gives up, and OSS drops the parts."""

from typing import Any

from function.instance import Call
from function.objects_session import oss_of
from function.parts.admission import admit
from function.parts.life import drop_upload


def answer(call: Call) -> dict[str, Any]:
    """
    Returns:
        ``{"state": "aborted"}``, however often it is asked.
    """
    upload = admit(call)
    place = call.settings.profiles[upload.claims["profile"]].place
    drop_upload(oss_of(call, place), upload)
    return {"state": "aborted"}
