"""Held upload: the upload that a receipt is about, and whether its object still waits."""

from datetime import datetime, timedelta

from function.annotations import Any, NamedTuple, TypeGuard
from function.auth.signed_tokens import NO_LEEWAY
from function.config.key_template import held_name
from function.config.profile import UPLOAD_ID_METADATA, Profile
from function.config.settings import Settings
from function.context import RequestContext
from function.oss.client import OssClient
from function.oss.objects import ObjectFacts, first_bytes, read_range
from function.oss.presign import NONE, PROCESS, OssRequest, presign
from function.sts.session_policy import OBJECTS
from function.uploads.receipt import Receipt, invalid_receipt


class Shown(NamedTuple):
    """
    The object that checkers and reviewers look at, and that is published: the held one, or its clean copy.

    Args:
        etag: without quotes.
        stored_at: when OSS stored a copy, to the second.
        number: of the attempt that made a copy; 0 for the held object itself.
    """

    key: str
    etag: str
    size_bytes: int
    content_type: str
    stored_at: datetime | None = None
    number: int = 0

    @property
    def fields(self) -> dict[str, Any]:
        """Return the fields of a record."""
        return {"key": self.key, "etag": self.etag, "size": self.size_bytes, "type": self.content_type}


class HeldUpload(NamedTuple):
    """
    Upload that a receipt is about; the object need never have been held.

    Args:
        receipt: text of the receipt.
        copy: its clean copy, once that is known.
    """

    content: Receipt
    receipt: str
    profile: Profile
    copy: Shown | None = None

    @property
    def upload_id(self) -> str:
        return self.content.upload_id

    @property
    def key(self) -> str:
        """Return the key of the published object."""
        return self.content.key

    @property
    def held_key(self) -> str:
        """Return the key of the held object."""
        return held_name(self.key)

    @property
    def etag(self) -> str:
        return self.content.etag

    @property
    def shown(self) -> Shown:
        """Return what is checked, and later published."""
        content = self.content
        return self.copy or Shown(self.held_key, self.etag, content.size_bytes, content.mime_type)

    @property
    def copy_number(self) -> int:
        """Return the number of its clean copy: one that was made anew is checked anew; else 0."""
        return self.shown.number if self.shown.number > 1 else 0

    @property
    def owner(self) -> str:
        return self.content.owner

    @property
    def is_held(self) -> bool:
        """True if the object was stored to be published later."""
        return self.content.is_held

    @property
    def held_until(self) -> datetime:
        """Return when an undecided object counts as gone at the latest; a decision outlives that."""
        return self.content.held_until

    def is_ours(self, facts: ObjectFacts | None) -> TypeGuard[ObjectFacts]:
        """Return whether an object, held or published, is this upload's: its form pinned the id."""
        return facts is not None and facts.metadata.get(UPLOAD_ID_METADATA) == self.upload_id

    def is_stored(self, facts: ObjectFacts | None) -> TypeGuard[ObjectFacts]:
        """Return whether an object that was never held is this upload's: it has the receipt's bytes."""
        return facts is not None and facts.etag == self.etag

    def is_waiting(self, facts: ObjectFacts | None, now: datetime) -> TypeGuard[ObjectFacts]:
        """Return whether the held object is this upload's, has the receipt's bytes, and has not ended."""
        if not self.is_ours(facts):
            return False
        # A callback's size is the word of whoever uploads: no check of such an object could ever end.
        said = (self.etag, self.content.size_bytes)
        return (facts.etag, facts.size_bytes) == said and now < self.ends(facts)

    def ends(self, facts: ObjectFacts) -> datetime:
        """Return when this held object counts as gone: at ``held_until`` or earlier."""
        # A multipart upload may be complete, and decided, long before its ticket expires.
        ends = facts.last_modified + timedelta(days=self.profile.hold_days)
        if self.profile.key.is_named_by_digest:
            # The same bytes sent again get a receipt of the earlier upload, dated from a later form.
            ends -= self.profile.expires_in
        return min(ends, self.held_until)


class Case(NamedTuple):
    """
    A held upload at work.

    Args:
        oss: client of its bucket.
        due: name of the due record by which a tick continues it if this request dies; empty for none.
    """

    context: RequestContext
    oss: OssClient
    upload: HeldUpload
    due: str = ""

    @property
    def now(self) -> datetime:
        return self.context.now

    def of_copy(self, copy: Shown | None) -> "Case":
        """Return the same case, of a clean copy if there is one."""
        return self._replace(upload=self.upload._replace(copy=copy)) if copy else self


class ByHand(NamedTuple):
    """
    Decision of a person.

    Args:
        action: ``PUBLISH`` or ``REJECT``.
        reviewer: name of the person; empty if the backend sends none.
        is_labelled: True if they label the upload as suspected to be AI-made.
    """

    action: str
    reviewer: str
    is_labelled: bool


def read_receipt(text: str, settings: Settings, now: datetime, leeway: timedelta = NO_LEEWAY) -> HeldUpload:
    """
    Return the upload that a receipt of this function is about.

    Raises:
        Forbidden: invalid, expired, for another app or bucket, or its profile no longer fits.
    """
    content = Receipt.read(text, settings, now, leeway)
    profile = settings.profiles[content.profile]
    # Without receipts its session could not reach the object.
    if not profile.gives_receipts:
        raise invalid_receipt("its profile gives no receipts any more")
    if content.is_held and not profile.is_held:
        raise invalid_receipt("its profile holds nothing any more")
    return HeldUpload(content, text, profile)


def read_recorded(text: str, bucket: str, settings: Settings, now: datetime) -> HeldUpload:
    """
    Return the upload of a receipt that a record of this bucket holds, even if it has expired since.

    Raises:
        Forbidden: as ``read_receipt`` does otherwise; or its object is in another bucket: records in one must
            not decide about objects in another.
    """
    upload = read_receipt(text, settings, now, timedelta.max)
    if upload.profile.location.bucket != bucket:
        raise invalid_receipt("recorded in another bucket than its own")
    return upload


def held_url(
    context: RequestContext,
    oss: OssClient,
    upload: HeldUpload,
    life: timedelta,
    *,
    process: str = "",
    is_until_session_ends: bool = False,
) -> str:
    """
    Return a presigned URL of a held object, or of its clean copy; it contains a session's security token.

    Args:
        life: whole seconds; the least if the URL lasts until the session ends.
        process: image processing of OSS to apply; empty for none.
    """
    location, now = upload.profile.location, context.now
    credentials = context.credentials(location.session(OBJECTS), [now + life])
    return presign(
        OssRequest("GET", oss.bucket, oss.region, upload.shown.key, {PROCESS: process} if process else NONE),
        credentials,
        now,
        origin=location.read_origin,
        expires_in=credentials.expires_at - now if is_until_session_ends else life,
    )


def obstacle_in(oss: OssClient, upload: HeldUpload) -> tuple[str, bytes]:
    """
    Return the reason why no checker may look at a held object, empty for none, and its first bytes.

    Raises:
        UploadError: OSS does not respond, or the object was replaced meanwhile.
    """
    from function.moderation.finding import ANIMATED, UNSUPPORTED
    from function.moderation.picture_structure import RANGE_BYTES, Frames, frames_of, is_compressed

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
