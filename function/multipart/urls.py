"""The signed URLs of parts: each admits one part of one upload, for a quarter of an hour at most."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from function.config.places import BucketLocation
from function.config.settings import Settings
from function.credentials import StsCredentials
from function.form_life import MARGIN
from function.multipart.upload import MultipartUpload
from function.oss.presign import OssRequest, presign

MAX_URLS = 20
LONGEST_LIFE = timedelta(minutes=15)
# Where the session ends soon; less would be over before a part is on its way.
LEAST_LIFE = timedelta(seconds=60)
# wx.request sends a type of its own choice unless it is told one, and whatever is sent is signed.
CONTENT_TYPE = "application/octet-stream"
HEADERS = {"Content-Type": CONTENT_TYPE}


def urls_end(credentials: StsCredentials, now: datetime) -> datetime:
    """When URLs that are signed now end: like forms, before their credentials do."""
    return min(now + LONGEST_LIFE, credentials.expires_at - MARGIN)


def sign_parts(
    upload: MultipartUpload,
    numbers: Iterable[int],
    credentials: StsCredentials,
    settings: Settings,
    now: datetime,
) -> list[dict[str, Any]]:
    """
    The URLs of these parts.

    The number, OSS's id of the upload and, with ``SIGN_PART_LENGTH``, the length are signed: with one a
    client can send the part it was given for, again as well, and do nothing else.

    Returns:
        ``[{"number", "size", "url"}]``; each ``url`` wants a PUT with ``HEADERS``, and is for its holder
        only: it contains the security token.
    """
    expires_in = urls_end(credentials, now) - now
    location = settings.profiles[upload.claims["profile"]].location
    return [
        {
            "number": number,
            "size": upload.bytes_of(number),
            "url": presign(
                _put(upload, number, location, settings),
                credentials,
                now,
                origin=location.host,
                expires_in=expires_in,
            ),
        }
        for number in numbers
    ]


def _put(upload: MultipartUpload, number: int, location: BucketLocation, settings: Settings) -> OssRequest:
    headers = {"content-type": CONTENT_TYPE}
    additional: tuple[str, ...] = ()
    if settings.sign_part_length:
        headers["content-length"] = str(upload.bytes_of(number))
        additional = ("content-length",)
    return OssRequest(
        "PUT",
        location.bucket,
        location.region,
        upload.key,
        query={"partNumber": str(number), "uploadId": upload.oss_id},
        headers=headers,
        additional=additional,
    )
