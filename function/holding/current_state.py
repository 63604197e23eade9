"""State of a held upload, and what is due; reads only."""

from datetime import datetime

from function.annotations import TYPE_CHECKING, NamedTuple
from function.config.profile import COMMIT
from function.holding import records
from function.holding import transitions as states
from function.holding.accepted_record import MAX_SUBMISSIONS, Progress, get_progress
from function.holding.held_upload import Case, HeldUpload, Shown
from function.holding.publication import Published, find_published
from function.oss.client import OssClient
from function.oss.objects import head_object

if TYPE_CHECKING:
    from function.ai_label.label import AiLabel
    from function.holding.clean_record import Cleaning

# What may be due: a clean copy, or what follows it where no checker looks; a question to Aliyun; a submission
# to WeChat; a review, as a check failed or WeChat stayed silent.
CLEAN, ASK, SUBMIT, GIVE_UP, SILENT = "clean", "ask", "submit", "give up", "silent"


class HeldState(NamedTuple):
    """
    The state of an upload, and what is due.

    Args:
        state: of the table of transitions.
        due: what is due; empty for nothing.
        lease: name of the record that the request creates first which does that.
        progress: of an upload that was accepted; perhaps with other bytes, which the same form has stored.
        next_at: when the next step is due.
        held_until: when the hold ends, if that is known.
        stored_at: when OSS stored the held object, or its clean copy, to the second.
        has_other_rules: True if the object was stored under other rules of a hold than its profile has.
        cleaning: of the picture, where its profile has ``strip`` and it may begin.
        published: the object under its own name.
    """

    state: str
    due: str = ""
    lease: str = ""
    progress: Progress | None = None
    next_at: datetime | None = None
    held_until: datetime | None = None
    stored_at: datetime | None = None
    has_other_rules: bool = False
    cleaning: "Cleaning | None" = None
    published: Published | None = None

    @property
    def shown(self) -> str:
        """Return the name of the state in responses and events."""
        progress = self.progress
        if self.state == states.SUBMITTING and progress and progress.number == 1 and not progress.answer:
            # Nobody checks it before WeChat has accepted it.
            return states.HELD
        return states.SHOWN[self.state]

    @property
    def copy(self) -> Shown | None:
        """Return the clean copy, if there is one."""
        return self.cleaning.copy if self.cleaning else None


def label_of(case: Case) -> "AiLabel | None":
    """Return what is known of the label of AI-made content of an upload; its bytes are not read."""
    profile = case.upload.profile
    if not (profile.is_held and profile.ai_label):
        return case.upload.content.ai_label
    from function.holding.label_record import recorded_label

    return recorded_label(case)


def undecided_state(oss: OssClient, upload: HeldUpload, now: datetime) -> HeldState:
    """Return the state of an upload that has no decision (any more)."""
    facts = head_object(oss, upload.held_key)
    if upload.is_waiting(facts, now):
        ends = upload.ends(facts)
        found = open_state(oss, upload, now, ends)
        # What is checked is the copy, which nobody else can store again.
        stored_at = found.copy.stored_at if found.copy else facts.last_modified
        other = upload.profile.has_other_rules(facts.metadata)
        return found._replace(held_until=ends, stored_at=stored_at, has_other_rules=other)
    # The bucket's rule deletes the decision after a while, but not the object.
    return ended_state(find_published(oss, upload))


def stored_state(oss: OssClient, upload: HeldUpload) -> HeldState:
    """Return the state of an object that was never held."""
    facts = head_object(oss, upload.key)
    return ended_state(Published.of(facts) if upload.is_stored(facts) else None)


def ended_state(there: Published | None) -> HeldState:
    """Return the state of what is held no more: published, if its object is there."""
    return HeldState(states.PUBLISH, published=there) if there else HeldState(states.DISCARD)


def open_state(oss: OssClient, upload: HeldUpload, now: datetime, ends: datetime) -> HeldState:
    """Return the state of an upload whose object waits until ``ends``, or did when its hold ended."""
    profile = upload.profile
    if not profile.is_reviewed:
        return HeldState(states.HELD)
    is_in_review = records.get(oss, records.review_key(upload.upload_id)) is not None
    progress = get_progress(oss, upload.upload_id)
    is_committed = progress is not None and progress.is_committed and progress.etag == upload.etag
    if not is_in_review and COMMIT in profile.hold and not is_committed:
        return HeldState(states.HELD, progress=progress)
    cleaning = _cleaning(oss, upload, now) if profile.strip else None
    upload = upload._replace(copy=cleaning.copy if cleaning else None)
    if is_in_review:
        state = HeldState(states.REVIEW)
    elif cleaning and not (upload.copy and profile.is_checked):
        # Then nobody but the one who has the lease does anything.
        due, next_at = "" if cleaning.next_at else CLEAN, cleaning.next_at
        state = HeldState(states.ACCEPTED, due, progress=progress, next_at=next_at)
    else:
        state = check_state(upload, progress, now, ends)
    return state._replace(cleaning=cleaning)


def _cleaning(oss: OssClient, upload: HeldUpload, now: datetime) -> "Cleaning":
    from function.holding.clean_record import get_cleaning

    return get_cleaning(oss, upload, now)


def next_step(oss: OssClient, upload: HeldUpload, current: HeldState, now: datetime) -> HeldState:
    """Return the state of an upload whose progress or clean copy has just changed, and what is due then."""
    if upload.profile.strip and upload.copy is None:
        return current._replace(state=states.ACCEPTED, due=CLEAN, cleaning=_cleaning(oss, upload, now))
    ends = current.held_until or upload.held_until
    first = check_state(upload, current.progress, now, ends)
    return current._replace(state=first.state, due=first.due, lease=first.lease, next_at=first.next_at)


def is_first_attempt(current: HeldState) -> bool:
    """Return whether nobody has begun the step that is due: a clean copy, Aliyun's check, or WeChat's."""
    if current.due == CLEAN:
        return current.cleaning is not None and current.cleaning.number == 1
    return current.due in (ASK, SUBMIT) and current.state in (states.ACCEPTED, states.ANSWERED)


def check_state(upload: HeldUpload, progress: Progress | None, now: datetime, ends: datetime) -> HeldState:
    """
    Return the state of an accepted upload that lacks its check.

    Args:
        ends: when its object ends.
    """
    first = ASK if upload.profile.is_checked_by_aliyun else SUBMIT
    if progress is None:
        return HeldState(states.ACCEPTED, first, records.accepted_key(upload.upload_id))
    lease, next_at = progress.lease(upload.upload_id, ends, now), progress.next_at(ends)
    # A copy that was made anew is checked anew.
    if progress.state == states.ACCEPTED or progress.copy != upload.copy_number:
        return HeldState(states.ACCEPTED, first, lease, progress)
    current = HeldState(progress.state, progress=progress, next_at=next_at)
    if now < next_at:
        return current
    is_asking = progress.state in (states.ASKING, states.TASK)
    if progress.state == states.SUBMITTED and progress.number >= MAX_SUBMISSIONS:
        due = SILENT
    elif (is_asking or progress.state == states.SUBMITTING) and now >= progress.given_up_at(ends):
        due = GIVE_UP
    else:
        is_answer_due = progress.is_decided_by_aliyun or not upload.profile.is_checked_by_wechat
        due = ASK if is_asking or (progress.state == states.ANSWERED and is_answer_due) else SUBMIT
    return current._replace(due=due, lease=lease, next_at=None)
