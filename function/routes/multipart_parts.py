"""``POST /multipart-parts``: fresh URLs for parts, and how many are missing."""

from typing import Any

from function.context import RequestContext
from function.multipart.admission import admit_with_numbers
from function.multipart.lifecycle import stored_parts
from function.multipart.urls import LEAST_LIFE, MAX_URLS, sign_parts, urls_end
from function.oss.objects_session import oss_client
from function.oss.post_form import iso
from function.session_policy import UPLOADS


def handle(context: RequestContext) -> dict[str, Any]:
    """
    Returns:
        URLs for the parts that are asked for, else for the first that OSS does not have in full.
    """
    settings, now = context.settings, context.now
    upload, numbers = admit_with_numbers(context)
    location = settings.profiles[upload.claims["profile"]].location
    missing = upload.missing(stored_parts(oss_client(context, location), upload))
    session, ends = location.session(UPLOADS), [now + LEAST_LIFE]
    obtained = context.instance.credentials_for(session, context.request.context, now, ends)
    context.line.sts_refreshed = context.line.sts_refreshed or obtained.are_new
    return {
        "parts": sign_parts(upload, numbers or missing[:MAX_URLS], obtained.credentials, settings, now),
        "missing": len(missing),
        "expiresAt": iso(urls_end(obtained.credentials, now)),
        "serverTime": iso(now),
    }
