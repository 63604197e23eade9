"""One upload in parts: what it will be, and how its file is cut."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from function.config.profile import BucketLocation
from function.config.settings import Settings
from function.credentials import MARGIN, StsCredentials
from function.oss.multipart import StoredPart
from function.oss.presign import OssRequest, presign


class MultipartUpload(NamedTuple):
    """
    All that must be known to go on with an upload that another instance began.

    Args:
        oss_id: OSS's own id of the upload; callers know it by ``upload_id``.

        key: where the object will be stored.

        part_size_bytes: of each part but the last, which has what is left.

        content_type: lower case, without parameters.

        claims: who wants it, and what they want to find in the receipt: ``sub``, ``owner``, ``profile`` and
            where given ``context``.
    """

    upload_id: str
    oss_id: str
    key: str
    size_bytes: int
    part_size_bytes: int
    content_type: str
    claims: Mapping[str, Any]

    @property
    def part_count(self) -> int:
        return -(-self.size_bytes // self.part_size_bytes)

    def bytes_of(self, number: int) -> int:
        """How long the part of this number is; the first is 1."""
        begins = (number - 1) * self.part_size_bytes
        return min(self.part_size_bytes, self.size_bytes - begins)

    def missing(self, stored: Iterable[StoredPart]) -> list[int]:
        """The numbers of the parts that OSS does not have in full, in order."""
        there = {part.number for part in stored if part.size_bytes == self.bytes_of(part.number)}
        return [number for number in range(1, self.part_count + 1) if number not in there]


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
