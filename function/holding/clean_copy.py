"""
Clean copy of a held picture: processed by OSS, then verified by its own bytes.

OSS does not say whether its processing drops metadata, so only what is walked to its end and has none is
published. Nobody but the function writes below ``held/.clean/``.
"""

from function.config.content_types import default_disposition
from function.config.key_template import CLEAN
from function.config.profile import META_PREFIX, UPLOAD_ID_METADATA
from function.config.typing import NamedTuple
from function.errors import OssUnavailable
from function.holding import picture_metadata as pictures
from function.holding.held_upload import HeldUpload
from function.moderation.pictures import JPEG, MAX_BYTES, PNG, WEBP, PictureFile
from function.oss.client import OssClient
from function.oss.objects import (
    ObjectFacts,
    delete_object,
    first_bytes,
    head_object,
    process_object,
    read_range,
)

RANGE_BYTES = 1024 * 1024
UNSUPPORTED, TOO_LARGE, CHANGED = "unsupported", "too large", "the held object changed"
# Content type and processing by kind. A quality makes OSS encode anew what it might else return as it was.
PROCESSES = {
    JPEG: ("image/jpeg", "image/auto-orient,1/format,jpg/quality,q_90"),
    PNG: ("image/png", "image/auto-orient,1/format,png"),
    WEBP: ("image/webp", "image/auto-orient,1/format,webp/quality,q_90"),
}


class CleanCopy(NamedTuple):
    """A copy without metadata; only these bytes may be published."""

    etag: str
    content_type: str


def clean_key(upload: HeldUpload) -> str:
    """Return the name of an upload's clean copy."""
    return f"{CLEAN}{upload.upload_id}"


def make_clean_copy(oss: OssClient, upload: HeldUpload, etag: str) -> CleanCopy | str:
    """
    Make and verify the clean copy of a held object.

    Args:
        etag: of the held object, without quotes; other bytes are not published.

    Returns:
        the copy, or the reason why the picture cannot be cleaned.

    Raises:
        OssUnavailable: the held object changed meanwhile.
    """
    held = head_object(oss, upload.held_key)
    if held is None or held.etag != etag:
        raise OssUnavailable(reason=CHANGED)
    kind, reason = _examine(oss, upload, held)
    if not reason:
        reason = process_object(oss, upload.held_key, clean_key(upload), PROCESSES[kind][1])
    # Other bytes may have been there meanwhile; then OSS gives it a new date.
    if head_object(oss, upload.held_key) != held:
        raise OssUnavailable(reason=CHANGED)
    if reason:
        return reason
    copy = head_object(oss, clean_key(upload))
    if copy is None:
        raise OssUnavailable(reason="the clean copy disappeared")
    is_too_large = copy.size_bytes > MAX_BYTES
    left = TOO_LARGE if is_too_large else pictures.metadata_in(kind, _file(oss, clean_key(upload), copy))
    if left:
        # OSS gives it the ACL of the bucket, and an erasure does not know its name.
        delete_object(oss, clean_key(upload))
        return left
    return CleanCopy(copy.etag, PROCESSES[kind][0])


def _examine(oss: OssClient, upload: HeldUpload, held: ObjectFacts) -> tuple[str, str]:
    """Return the kind of picture that a held object becomes, and the reason if it cannot be cleaned."""
    if held.size_bytes > MAX_BYTES:
        return "", TOO_LARGE
    beginning, encoding = first_bytes(oss, upload.held_key, pictures.FIRST_BYTES)
    kind = "" if encoding else pictures.kind_after_cleaning(beginning)
    # OSS turns a JPEG by its EXIF, as its pages say.
    if kind in (PNG, WEBP):
        return kind, pictures.why_not_cleaned(kind, _file(oss, upload.held_key, held))
    return kind, "" if kind else UNSUPPORTED


def _file(oss: OssClient, key: str, facts: ObjectFacts) -> PictureFile:
    return PictureFile(
        facts.size_bytes, lambda at, count: read_range(oss, key, at, count, facts.etag), RANGE_BYTES
    )


def attributes_of(upload: HeldUpload, copy: CleanCopy) -> dict[str, str]:
    """Return type, headers and metadata under which a clean copy is published: those of its form."""
    pinned = {name.lower(): value for name, value in upload.profile.pinned}
    headers = ("cache-control", "content-disposition")
    kept = {name: value for name, value in pinned.items() if name in headers or name.startswith(META_PREFIX)}
    return {
        "content-disposition": default_disposition(copy.content_type),
        **kept,
        "content-type": copy.content_type,
        f"{META_PREFIX}{UPLOAD_ID_METADATA}": upload.upload_id,
    }
