"""``POST /multipart-parts``: fresh URLs for parts, and how many are missing."""

from typing import Any

from function.context import Call
from function.multipart.admission import admit_with_numbers
from function.multipart.lifecycle import stored_parts
from function.multipart.urls import LEAST_LIFE, MAX_URLS, sign_parts, urls_end
from function.oss.objects_session import oss_of
from function.oss.post_form import iso
from function.session_policy import UPLOADS


def answer(call: Call) -> dict[str, Any]:
    """
    Returns:
        URLs for the parts that are asked for, else for the first that OSS does not have in full.
    """
    settings, now = call.settings, call.now
    upload, numbers = admit_with_numbers(call)
    place = settings.profiles[upload.claims["profile"]].place
    missing = upload.missing(stored_parts(oss_of(call, place), upload))
    session, ends = place.session(UPLOADS), [now + LEAST_LIFE]
    obtained = call.instance.credentials_for(session, call.request.context, now, ends)
    call.line.sts_refreshed = call.line.sts_refreshed or obtained.are_new
    return {
        "parts": sign_parts(upload, numbers or missing[:MAX_URLS], obtained.credentials, settings, now),
        "missing": len(missing),
        "expiresAt": iso(urls_end(obtained.credentials, now)),
        "serverTime": iso(now),
    }
