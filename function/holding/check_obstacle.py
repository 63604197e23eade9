"""Obstacle to a content check: the reason why no checker may look at a held object."""

from function.holding.held_upload import HeldUpload
from function.moderation.finding import ANIMATED, UNSUPPORTED
from function.moderation.picture_structure import RANGE_BYTES, Frames, frames_of, is_compressed
from function.oss.client import OssClient
from function.oss.objects import first_bytes, read_range


def obstacle_in(oss: OssClient, upload: HeldUpload) -> tuple[str, bytes]:
    """
    Return the reason why no checker may look at a held object, empty for none, and its first bytes.

    Raises:
        UploadError: OSS does not respond, or the object was replaced meanwhile.
    """
    shown = upload.shown
    beginning, encoding = first_bytes(oss, shown.key, RANGE_BYTES)
    if is_compressed(encoding):
        return UNSUPPORTED, beginning
    frames = frames_of(
        beginning, shown.size_bytes, lambda at, count: read_range(oss, shown.key, at, count, shown.etag)
    )
    if frames is Frames.SEVERAL and upload.profile.check_animated == "review":
        return ANIMATED, beginning
    return UNSUPPORTED if frames is Frames.UNKNOWN else "", beginning
