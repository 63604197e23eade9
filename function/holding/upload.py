"""One upload that is held back, as its receipt tells of it."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, TypeGuard

from function.auth.tokens import RECEIPT, is_of, read_token
from function.config.key_template import held_name
from function.config.profile import Profile
from function.config.settings import Settings
from function.config.types import UPLOAD_ID_METADATA
from function.errors import Forbidden, Unauthorized
from function.holding.records import is_name
from function.oss.objects import ObjectFacts

# A receipt outlives what it is about by so much, so that one may still ask what became of it.
LIFE_BEYOND_HOLD = timedelta(days=1)

# The claims that are looked at here.
READ = ("jti", "key", "etag", "owner", "profile")


class HeldUpload(NamedTuple):
    """
    What a receipt is about; of an object that was never held back as well.

    Args:
        claims: the receipt's.

        receipt: its text.
    """

    claims: Mapping[str, Any]
    receipt: str
    profile: Profile

    @property
    def upload_id(self) -> str:
        return str(self.claims["jti"])

    @property
    def key(self) -> str:
        """The name that the object has once it is published."""
        return str(self.claims["key"])

    @property
    def held_key(self) -> str:
        """Where it waits until then."""
        return held_name(self.key)

    @property
    def etag(self) -> str:
        return str(self.claims["etag"])

    @property
    def is_held_back(self) -> bool:
        """Whether it was stored to be published later."""
        return self.claims.get("held") is True

    @property
    def held_until(self) -> datetime:
        """
        When what has not been decided by then counts as gone at the latest.

        The bucket's rule deletes by its own time, and what was decided an hour or a day before the object it
        is about. Nobody may wait until a refusal is forgotten, so what is held ends before any decision does.
        """
        return datetime.fromtimestamp(self.claims["exp"], UTC) - LIFE_BEYOND_HOLD

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
    The upload that a receipt of this function is about.

    Raises:
        Forbidden: it is forged, has ended, is for another app or bucket, or its profile is gone.
    """
    try:
        claims = read_token(text, audience=RECEIPT, secrets=settings.receipt_secrets, now=now)
    except Unauthorized as error:
        raise _not_ours(error.reason) from None
    # A business that shares the secret could write others than the function does.
    if not all(isinstance(claims.get(name), str) for name in READ) or not is_name(claims["jti"]):
        raise _not_ours("a claim that none of ours lacks")
    profile = settings.profiles.get(claims["profile"])
    if profile is None:
        raise _not_ours("its profile does not exist any more")
    # Nor would its session reach what it had stored.
    if not profile.gives_receipts:
        raise _not_ours("its profile gives no receipts any more")
    # A receipt need not say for which mini-program it is; one that says so is held to it.
    scope = settings.token_scope(profile.location.bucket)
    if not is_of({**scope, **claims}, scope):
        raise _not_ours("for another app or bucket")
    upload = HeldUpload(claims, text, profile)
    if upload.is_held_back and not profile.is_held:
        raise _not_ours("its profile holds nothing back any more")
    return upload


def read_kept(text: str, bucket: str, settings: Settings, now: datetime) -> HeldUpload:
    """
    The upload that a receipt is about which this bucket has kept.

    Raises:
        Forbidden: as ``read_receipt`` does; or it is about another bucket's: whoever may write records in one
            has no say about what waits in another.
    """
    upload = read_receipt(text, settings, now)
    if upload.profile.location.bucket != bucket:
        raise _not_ours("kept in another bucket than its own")
    return upload


def _not_ours(reason: str) -> Forbidden:
    return Forbidden("This is no receipt of an upload here.", reason=f"receipt: {reason}")
