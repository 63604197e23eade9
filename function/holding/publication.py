"""Publication of a held object: copies under its key, and deletion where it was held."""

from collections.abc import Callable
from datetime import datetime, timedelta
from math import ceil

from function.annotations import Any, NamedTuple
from function.config.content_types import bare_type
from function.config.profile import STORAGE_CLASS_FIELD
from function.errors import AlreadyExists, OssUnavailable
from function.holding import records
from function.holding.held_upload import HeldUpload
from function.holding.records import Decision, get_decision
from function.holding.transitions import DISCARD
from function.oss.client import OssClient
from function.oss.objects import ObjectFacts, copy_object, delete_object, head_object
from function.oss.presign import NONE

# A copy that was sent has ended after this, whether its response was heard or not.
COPY_LIFE = timedelta(seconds=60)
# Records have the instant of their request, which may send a copy as late as its own timeout.
REQUEST_LIFE = timedelta(seconds=30)


class Published(NamedTuple):
    """
    Published object: with ``strip`` not what the receipt describes.

    Args:
        etag: without quotes.
    """

    etag: str
    size_bytes: int
    mime_type: str

    @property
    def fields(self) -> dict[str, Any]:
        """Return the fields of a response and of an event."""
        return {"etag": self.etag, "size": self.size_bytes, "mimeType": self.mime_type}

    @staticmethod
    def of(facts: ObjectFacts) -> "Published":
        return Published(facts.etag, facts.size_bytes, bare_type(facts.content_type))


def publish_copy(oss: OssClient, upload: HeldUpload, decision: Decision) -> Published | None:
    """
    Copy what a decision is about to its key: the held object, or its clean copy; no other bytes.

    Returns:
        the object of this name, if it is the upload, by this copy or an earlier one.

    Raises:
        AlreadyExists: another object has the name.
        UploadError: OSS refuses, or does not respond, or the clean copy is gone.
    """
    try:
        copied = _copy(oss, upload, decision)
    except AlreadyExists:
        there = find_published(oss, upload)
        if there is None:
            raise
        return there
    there = copied or find_published(oss, upload)
    # Only these bytes may be shown; the held object ends by time.
    if there is None and decision.copy is not None:
        raise OssUnavailable(reason="the clean copy is gone")
    return there


def _copy(oss: OssClient, upload: HeldUpload, decision: Decision) -> Published | None:
    profile, source, etag, replaced = upload.profile, upload.held_key, decision.etag, NONE
    storage_class = dict(profile.pinned)[STORAGE_CLASS_FIELD]
    if decision.copy is not None:
        from function.holding.clean_copy import attributes_of, put_labelled

        source, etag = decision.copy.key, decision.copy.etag
        replaced = attributes_of(upload, decision.copy)
        if decision.label is not None:
            headers = {STORAGE_CLASS_FIELD: storage_class, **replaced}
            put_labelled(oss, upload, decision.copy, decision.label, headers)
            return None
    copied = copy_object(
        oss,
        source,
        upload.key,
        acl=profile.acl,
        source_etag=etag,
        storage_class=storage_class,
        replaced=replaced,
    )
    shown = upload._replace(copy=decision.copy).shown
    return Published(copied, shown.size_bytes, shown.content_type) if copied else None


def find_published(oss: OssClient, upload: HeldUpload) -> Published | None:
    """Return the object of this name, if it is the upload."""
    facts = head_object(oss, upload.key)
    return Published.of(facts) if upload.is_ours(facts) else None


def overruled_by(oss: OssClient, upload: HeldUpload) -> Decision | None:
    """Return the decision that a backend made in place of a publication, if it did."""
    latest = get_decision(oss, upload.upload_id)
    return latest if latest is not None and latest.action == DISCARD else None


def check_no_copy_runs(oss: OssClient, upload_id: str, sent: datetime | None, now: datetime) -> None:
    """
    Check that no copy can finish any more.

    Args:
        sent: instant of the request of the first copy; ``None`` if its response was heard.

    Raises:
        OssUnavailable: one may, so the upload cannot be called gone.
    """
    again = records.written_at(oss, records.copy_key(upload_id))
    last = max(filter(None, (sent, again)), default=None)
    if last is not None and (left := last + REQUEST_LIFE + COPY_LIFE - now) > timedelta(0):
        seconds = ceil(min(left, COPY_LIFE).total_seconds())
        raise OssUnavailable(reason="a copy may still finish", retry_after=seconds)


def delete_held(oss: OssClient, upload: HeldUpload) -> None:
    """Delete the held object, and its clean copies before it: without them it shows that they are left."""
    if upload.profile.strip:
        from function.holding.clean_record import copies_of

        for copy in copies_of(oss, upload):
            delete_object(oss, copy)
    delete_same(oss, upload.held_key, upload.is_ours)


def delete_same(oss: OssClient, key: str, is_same: Callable[[ObjectFacts | None], bool]) -> None:
    """
    Delete an object, and repeat that only while the name has the same one.

    Another upload of the same bytes may have got a name that is a digest by then.
    """
    try:
        delete_object(oss, key, is_repeatable=False)
    except OssUnavailable:
        if is_same(head_object(oss, key)):
            delete_object(oss, key, is_repeatable=False)
