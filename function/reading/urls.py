"""
URLs that stay the same for a while, so that a phone's cache knows a picture again.

Windows of ``read_for`` fill all time. A URL is signed as of the start of the window that now lies in, and
lives two windows: as long as one session signs it is the same throughout, and good for one more at least.
"""

from datetime import datetime, timedelta

from function.config.profile import Profile
from function.oss.post_form import Credentials, object_url
from function.oss.presign import NONE, OssRequest, encode, presign
from function.reading.wanted import WantedUrl

PROCESS = "x-oss-process"


def window_start(now: datetime, read_for: timedelta) -> datetime:
    """
    Args:
        now: timezone-aware UTC, whole seconds.

        read_for: whole seconds.
    """
    return now - timedelta(seconds=int(now.timestamp()) % int(read_for.total_seconds()))


def url_end(profile: Profile, now: datetime) -> datetime:
    """When a signed URL that is given now ends."""
    return window_start(now, profile.read_for) + profile.read_life


def signed_url(wanted: WantedUrl, profile: Profile, credentials: Credentials, now: datetime) -> str:
    """
    The URL that admits GET of this key with this processing, and nothing else.

    Args:
        credentials: they last until ``url_end``, or the URL does not.
    """
    query = {PROCESS: profile.variants[wanted.variant]} if wanted.variant is not None else NONE
    location = profile.location
    return presign(
        OssRequest("GET", location.bucket, location.region, wanted.key, query),
        credentials,
        window_start(now, profile.read_for),
        origin=location.read_origin,
        expires_in=profile.read_life,
    )


def plain_url(wanted: WantedUrl, profile: Profile) -> str:
    """The URL of what everybody may read, with the same processing; it never ends."""
    url = object_url(profile.location.read_origin, wanted.key)
    if wanted.variant is None:
        return url
    return f"{url}?{PROCESS}={encode(profile.variants[wanted.variant])}"
