"""Where an upload stands: what its decision says, else what is stored and what has been remembered."""

from datetime import datetime, timedelta
from typing import NamedTuple

from function.config.profile import COMMIT
from function.context import RequestContext
from function.errors import OssUnavailable
from function.holding import records
from function.holding.decision import read_decision
from function.holding.publishing import GONE, PUBLISHED, Outcome, carry_out, tell
from function.holding.upload import HeldUpload
from function.oss.client import OssClient
from function.oss.objects import head_object

HELD, CHECKING, REVIEW = "held", "checking", "review"
OPEN = (HELD, CHECKING, REVIEW)
# WeChat promises a verdict within 30 minutes; after that it will not come any more.
SILENCE = timedelta(minutes=35)
MAX_SUBMISSIONS = 2
# After which the next call asks again, whenever it comes.
FREE_FAILURES = 5
# More than anybody could be refused in the days that something is held.
MAX_FAILURES = 10**9
# Twice what any request lives: whoever was to submit it, and has not said how it went, is no more.
CUT_OFF = timedelta(seconds=60)


class HeldState(NamedTuple):
    """
    Where an upload stands.

    Args:
        was_carried_out: whether its decision was, just now.

        label: WeChat's, where its verdict decided.

        due: the number of the submission that is due; one more than ``MAX_SUBMISSIONS`` when WeChat has been
            silent for good, 0 for none.

        claim: the marker that whoever makes it creates first; empty while somebody else is about to.

        failures: how often WeChat could not be asked for it.

        held_until: when what is held counts as gone, as far as that was looked at.
    """

    state: str
    was_carried_out: bool = False
    label: int | None = None
    due: int = 0
    claim: str = ""
    failures: int = 0
    held_until: datetime | None = None

    @property
    def is_in_check(self) -> bool:
        """Whether nothing but a verdict is lacking."""
        return self.state == CHECKING or self.due > 0


def seen(context: RequestContext, oss: OssClient, upload: HeldUpload) -> HeldState:
    """``standing_of``; the business is told when something was carried out."""
    standing = state_of(oss, upload, context.now)
    tell(context, upload, Outcome(standing.state, standing.was_carried_out, standing.label))
    return standing


def state_of(oss: OssClient, upload: HeldUpload, now: datetime) -> HeldState:
    """
    Where an upload stands; a decision that was not carried out is.

    Raises:
        AlreadyExists: it is to be published, and another object has the name.

        UploadError: OSS refuses, or does not answer.
    """
    standing = _decided(oss, upload, now)
    if standing is not None:
        return standing
    held = head_object(oss, upload.held_key)
    if upload.is_waiting(held, now):
        return _open(oss, upload, now)._replace(held_until=upload.ends(held))
    # Its decision is forgotten after a while; the object is not.
    if upload.is_ours(head_object(oss, upload.key)):
        return HeldState(PUBLISHED)
    # Or it was decided, and done, since we looked.
    return _decided(oss, upload, now) or HeldState(GONE)


def _decided(oss: OssClient, upload: HeldUpload, now: datetime) -> HeldState | None:
    decision = read_decision(oss, upload.upload_id)
    return HeldState(*carry_out(oss, upload, decision, now)) if decision else None


def _open(oss: OssClient, upload: HeldUpload, now: datetime) -> HeldState:
    if not upload.profile.is_checked:
        return HeldState(HELD)
    if records.get(oss, records.review(upload.upload_id)) is not None:
        return HeldState(REVIEW)
    if not _is_committed(oss, upload):
        return HeldState(HELD)
    return in_check(oss, upload, now)


def _is_committed(oss: OssClient, upload: HeldUpload) -> bool:
    """Whether the bytes of this receipt were committed, or need not be."""
    if COMMIT not in upload.profile.hold:
        return True
    said = records.get(oss, records.committed(upload.upload_id))
    return said is not None and said.get("etag") == upload.etag


def in_check(oss: OssClient, upload: HeldUpload, now: datetime) -> HeldState:
    """
    How far the check of an upload is that nothing else is lacking for.

    Raises:
        UploadError: OSS refuses, or does not answer.
    """
    for number in range(1, MAX_SUBMISSIONS + 1):
        first = records.submitted(upload.upload_id, number)
        said = records.get(oss, first)
        due = HeldState(HELD if number == 1 else CHECKING, due=number)
        if said is None:
            return due._replace(claim=first)
        since = _since(said.get("at"), now)
        if "trace" not in said:
            failures, late = _number(said.get("failures", 0)), max(0, since // CUT_OFF)
            # Each name is one attempt, and whoever creates it makes it: one after each failure, and after
            # each while in which nobody has said how it went.
            again = records.submitted(upload.upload_id, number, f"-{failures}-{late}")
            is_time = late or (failures and since >= _pause(failures))
            return due._replace(claim=again if is_time else "", failures=failures)
        if since < SILENCE:
            return HeldState(CHECKING)
    return HeldState(CHECKING, due=MAX_SUBMISSIONS + 1)


def _pause(failures: int) -> timedelta:
    """How long nobody asks after so many failures in a row: clients ask as often as they like."""
    return min(timedelta(seconds=max(0, failures - FREE_FAILURES)), CUT_OFF)


def _since(text: object, now: datetime) -> timedelta:
    try:
        return now - datetime.fromisoformat(str(text))
    # The second of one without a zone.
    except (ValueError, TypeError):
        raise OssUnavailable(reason="a marker without its time") from None


def _number(value: object) -> int:
    # It becomes part of a name, and a request may be about other buckets, too.
    if not isinstance(value, int) or not 0 <= value < MAX_FAILURES:
        raise OssUnavailable(reason="a marker without its number")
    return value
