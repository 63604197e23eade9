"""One upload that is held back, as its receipt tells of it."""

from datetime import datetime, timedelta
from typing import NamedTuple, TypeGuard

from function.config.key_template import held_name
from function.config.profile import UPLOAD_ID_METADATA, Profile
from function.config.settings import Settings
from function.oss.objects import ObjectFacts
from function.uploads.receipt import Receipt, invalid_receipt

# A receipt outlives what it is about by so much, so that one may still ask what became of it.
LIFE_BEYOND_HOLD = timedelta(days=1)


class HeldUpload(NamedTuple):
    """
    Upload that a receipt is about; the object need never have been held.

    Args:
        receipt: text of the receipt.
    """

    content: Receipt
    receipt: str
    profile: Profile

    @property
    def upload_id(self) -> str:
        return self.content.upload_id

    @property
    def key(self) -> str:
        """The name that the object has once it is published."""
        return self.content.key

    @property
    def held_key(self) -> str:
        """Where it waits until then."""
        return held_name(self.key)

    @property
    def etag(self) -> str:
        return self.content.etag

    @property
    def owner(self) -> str:
        return self.content.owner

    @property
    def is_held_back(self) -> bool:
        """Whether it was stored to be published later."""
        return self.content.is_held

    @property
    def held_until(self) -> datetime:
        """
        When what has not been decided by then counts as gone at the latest.

        The bucket's rule deletes by its own time, and what was decided an hour or a day before the object it
        is about. Nobody may wait until a refusal is forgotten, so what is held ends before any decision does.
        """
        return self.content.expires_at - LIFE_BEYOND_HOLD

    def is_ours(self, facts: ObjectFacts | None) -> TypeGuard[ObjectFacts]:
        """Whether an object, held or published, is of this upload: its form pinned the id."""
        return facts is not None and facts.metadata.get(UPLOAD_ID_METADATA) == self.upload_id

    def is_waiting(self, facts: ObjectFacts | None, now: datetime) -> TypeGuard[ObjectFacts]:
        """Whether the held object is this upload's, has the receipt's bytes, and is not held too long."""
        return self.is_ours(facts) and facts.etag == self.etag and now < self.ends(facts)

    def ends(self, facts: ObjectFacts) -> datetime:
        """When this object, which is held, counts as gone: as ``held_until`` says, or earlier."""
        # What was sent in parts may have been complete, and decided about, long before its ticket ends.
        ends = facts.last_modified + timedelta(days=self.profile.hold_days)
        if self.profile.key.is_named_by_digest:
            # Who has the same bytes once more gets a receipt of the earlier upload, dated from a later form.
            ends -= self.profile.expires_in
        return min(ends, self.held_until)


def read_receipt(text: str, settings: Settings, now: datetime) -> HeldUpload:
    """
    Return the upload that a receipt of this function is about.

    Raises:
        Forbidden: invalid, expired, for another app or bucket, or its profile no longer fits.
    """
    content = Receipt.read(text, settings, now)
    profile = settings.profiles[content.profile]
    # Without receipts its session could not reach the object.
    if not profile.gives_receipts:
        raise invalid_receipt("its profile gives no receipts any more")
    if content.is_held and not profile.is_held:
        raise invalid_receipt("its profile holds nothing any more")
    return HeldUpload(content, text, profile)


def read_kept(text: str, bucket: str, settings: Settings, now: datetime) -> HeldUpload:
    """
    The upload that a receipt is about which this bucket has kept.

    Raises:
        Forbidden: as ``read_receipt`` does; or it is about another bucket's: whoever may write records in one
            has no say about what waits in another.
    """
    upload = read_receipt(text, settings, now)
    if upload.profile.location.bucket != bucket:
        raise invalid_receipt("recorded in another bucket than its own")
    return upload
