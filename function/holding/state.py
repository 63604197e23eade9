"""
The states of a held upload, the events that change them, and the records (below ``held/.``) that prove them.

=========  ====================================  ==============================  ============================
state      brought about by                      proved by                       ended by
=========  ====================================  ==============================  ============================
held       the upload; a commit that a check     the held object; ``committed``  a commit, an accepted check,
           follows leaves it so                  after such a commit             a decision, the end of hold
checking   a submission that WeChat accepted;    ``submitted`` with its trace;   the verdict; 35 minutes of
           a call of Aliyun                      ``checks`` with its receipt     silence (twice: review)
review     a verdict that leaves it to a human,  ``review``                      a decision of a backend or a
           a refused check, a second silence,                                    risky verdict, end of hold
           a day in which Aliyun checked nothing,
           a picture that cannot be cleaned,
           other rules than it was stored under
published  a commit without check, a verdict     ``decided``; without it, the    a backend's discard
           that passes, a backend                object under its own name
rejected   a risky verdict, a backend            ``decided``; ``rejected`` is    nothing
                                                 the evidence that stays
gone       a discard, the end of the hold        ``decided``; without it, no     nothing
                                                 object under either name
=========  ====================================  ==============================  ============================

With ``strip`` the copy in ``clean`` is what is checked and published: made and verified before the first
check, by the request that created ``cleaned/<id>-<n>``, which names it; ``due/MINUTE/clean-…`` deletes it.
``copied`` tells when a publication that was cut off was copied once more: a copy may finish a minute later.
``decided`` comes before everything else and is written once; a decision that was cut off is applied by the
next request. A ``submitted`` record without a trace is the lease of the request that submits; it ends after
60 seconds or with a recorded failure. The one with number 0 is Aliyun's: a lease, failures, the task of a
video, then the answer, which stays while WeChat checks the object as well. The one with number 1 gets the
receipt as ``unreachable`` when WeChat cannot open the presigned URL: then the second follows at once, with a
URL of this function, and ``fetched`` tells when WeChat first got the object by that. ``verdicts`` holds a
verdict that came before its ``checks`` record. ``due/MINUTE/decision-…`` and ``due/MINUTE/check-…`` make a
tick continue the upload. The first exists from before a decision, or a review, until the business was
notified; the second from before the first submission until there is a result, and moves to when the next step
of a check is due. Another one stands at the end of the hold of what is left to a human.
"""

from datetime import datetime, timedelta

from function.annotations import TYPE_CHECKING, NamedTuple
from function.config.profile import COMMIT
from function.holding import records
from function.holding.aliyun_record import LEASE as LEASE
from function.holding.aliyun_record import NUMBER, AliyunCheck, get_aliyun_check, given_up_at
from function.holding.held_upload import HeldUpload, Shown
from function.holding.publication import Published, find_published
from function.moderation.finding import Outcome
from function.oss.client import OssClient
from function.oss.due import attempt_at, pause_after
from function.oss.objects import head_object

if TYPE_CHECKING:
    from function.holding.clean_record import Cleaning

HELD, CHECKING, REVIEW = "held", "checking", "review"
PUBLISHED, REJECTED, GONE = "published", "rejected", "gone"
OPEN = (HELD, CHECKING, REVIEW)
# WeChat promises a verdict within 30 minutes; later none is expected.
SILENCE = timedelta(minutes=35)
MAX_SUBMISSIONS = 2
# What is due instead of a submission to WeChat: something of Aliyun's check; a review, as a check failed; a
# clean copy, or what follows it where no checker looks.
BY_ALIYUN, UNCHECKED, BY_CLEANING = -1, -2, -3


class HeldState(NamedTuple):
    """
    The state of an upload, and what is due.

    Args:
        due: number of the submission that is due; ``MAX_SUBMISSIONS`` + 1 when WeChat stayed silent for
            good, ``BY_ALIYUN`` or ``UNCHECKED``, 0 for none.
        lease: name of the record that the submitting request creates first; empty while another one submits.
        failures: attempts at the submission that is due which failed by this object itself.
        since: when the first of all attempts at it began.
        held_until: when the hold ends, if that is known.
        stored_at: when OSS stored the held object, to the second.
        silent_at: when the next step is due: WeChat counts as silent, or a checker is asked again.
        aliyun: the check by Aliyun, as far as it is.
        is_unreachable: True if WeChat could not open the presigned URL of the first submission.
        has_other_rules: True if the object was stored under other rules of a hold than its profile has.
        cleaning: of the picture, where its profile has ``strip`` and it may begin.
        published: the object under its own name.
    """

    state: str
    due: int = 0
    lease: str = ""
    failures: int = 0
    held_until: datetime | None = None
    stored_at: datetime | None = None
    silent_at: datetime | None = None
    aliyun: AliyunCheck | None = None
    is_unreachable: bool = False
    has_other_rules: bool = False
    since: datetime | None = None
    cleaning: "Cleaning | None" = None
    published: Published | None = None

    @property
    def is_in_check(self) -> bool:
        """Return whether only a verdict is missing."""
        return self.state == CHECKING or self.due != 0 or self.cleaning is not None

    @property
    def copy(self) -> Shown | None:
        """Return the clean copy, if there is one."""
        return self.cleaning.copy if self.cleaning else None


def undecided_state(oss: OssClient, upload: HeldUpload, now: datetime) -> HeldState:
    """Return the state of an upload that has no decision (any more); reads only."""
    facts = head_object(oss, upload.held_key)
    if upload.is_waiting(facts, now):
        ends = upload.ends(facts)
        found = _open_state(oss, upload, now, ends)
        # What is checked is the copy, which nobody else can store again.
        stored_at = found.copy.stored_at if found.copy else facts.last_modified
        other = upload.profile.has_other_rules(facts.metadata)
        return found._replace(held_until=ends, stored_at=stored_at, has_other_rules=other)
    # The bucket's rule deletes the decision after a while, but not the object.
    return ended_state(find_published(oss, upload))


def state_at_end(oss: OssClient, upload: HeldUpload, now: datetime) -> str:
    """Return the state in which the hold of an upload ended, whether its object is still there or not."""
    return _open_state(oss, upload, now, upload.held_until).state


def stored_state(oss: OssClient, upload: HeldUpload) -> HeldState:
    """Return the state of an object that was never held."""
    facts = head_object(oss, upload.key)
    return ended_state(Published.of(facts) if facts and upload.is_stored(facts) else None)


def ended_state(there: Published | None) -> HeldState:
    """Return the state of what is held no more: published, if its object is there."""
    return HeldState(PUBLISHED, published=there) if there else HeldState(GONE)


def _open_state(oss: OssClient, upload: HeldUpload, now: datetime, ends: datetime) -> HeldState:
    profile = upload.profile
    if not profile.is_reviewed:
        return HeldState(HELD)
    is_in_review = records.get(oss, records.review_key(upload.upload_id)) is not None
    if not is_in_review and not _is_committed(oss, upload):
        return HeldState(HELD)
    cleaning = _cleaning(oss, upload, now) if profile.strip else None
    upload = upload._replace(copy=cleaning.copy if cleaning else None)
    if is_in_review:
        state = HeldState(REVIEW)
    elif cleaning and not (upload.copy and profile.is_checked):
        # Then nobody but the one who has the lease does anything.
        state = HeldState(HELD, due=0 if cleaning.next_at else BY_CLEANING, silent_at=cleaning.next_at)
    else:
        by_aliyun = _aliyun_state(oss, upload, now, ends) if profile.is_checked_by_aliyun else None
        state = by_aliyun or check_state(oss, upload, now, ends)
    return state._replace(cleaning=cleaning)


def _cleaning(oss: OssClient, upload: HeldUpload, now: datetime) -> "Cleaning":
    from function.holding.clean_record import get_cleaning

    return get_cleaning(oss, upload, now)


def _is_committed(oss: OssClient, upload: HeldUpload) -> bool:
    """Return whether the bytes of this receipt were committed, or need no commit."""
    if COMMIT not in upload.profile.hold:
        return True
    fields = records.get(oss, records.commit_key(upload.upload_id))
    return fields is not None and fields.get("etag") == upload.etag


def first_step(oss: OssClient, upload: HeldUpload, current: HeldState, now: datetime) -> HeldState:
    """Return the state of an upload whose check may begin now, after its picture was cleaned."""
    if upload.profile.strip and upload.copy is None:
        return current._replace(due=BY_CLEANING, cleaning=_cleaning(oss, upload, now))
    number, due = (NUMBER, BY_ALIYUN) if upload.profile.is_checked_by_aliyun else (1, 1)
    return current._replace(due=due, lease=records.submission_key(upload.check_id, number))


def is_first_attempt(upload: HeldUpload, current: HeldState) -> bool:
    """Return whether nobody has begun the step that is due: a clean copy, Aliyun's check, or WeChat's."""
    if current.due == BY_CLEANING:
        return current.cleaning is not None and current.cleaning.number == 1
    check_id = upload._replace(copy=current.copy or upload.copy).check_id
    return current.lease in [records.submission_key(check_id, number) for number in (NUMBER, 1)]


def _aliyun_state(oss: OssClient, upload: HeldUpload, now: datetime, ends: datetime) -> HeldState | None:
    """Return the state of an upload that lacks its check by Aliyun; ``None`` if WeChat's is next."""
    check = get_aliyun_check(oss, upload.check_id)
    if check is None:
        return first_step(oss, upload, HeldState(HELD), now)
    if check.verdict is not None:
        is_done = upload.profile.is_checked_by_wechat and check.verdict.outcome is not Outcome.RISKY
        return None if is_done else HeldState(CHECKING, due=BY_ALIYUN, aliyun=check)
    next_at = check.next_at(ends)
    if now < next_at:
        return HeldState(CHECKING, silent_at=next_at)
    # Each name is one attempt: one after each record, and more after leases that ended without a result.
    attempt = f"-{check.at:%Y%m%d%H%M%S}-{attempt_at(now, next_at)}"
    retry = records.submission_key(upload.check_id, NUMBER, attempt)
    due = UNCHECKED if now >= check.last_at(ends) else BY_ALIYUN
    return HeldState(CHECKING, due=due, lease=retry, aliyun=check)


def check_state(oss: OssClient, upload: HeldUpload, now: datetime, ends: datetime) -> HeldState:
    """
    Return the state of an upload that lacks only its check by WeChat.

    Args:
        ends: when its object ends.

    Raises:
        UploadError: OSS refuses, or does not respond, or a record is invalid.
    """
    is_unreachable = False
    for number in range(1, MAX_SUBMISSIONS + 1):
        submission = records.get_submission(oss, upload.check_id, number)
        is_begun = number > 1 or upload.profile.is_checked_by_aliyun
        due = HeldState(CHECKING if is_begun else HELD, due=number, is_unreachable=is_unreachable)
        if submission is None:
            return due._replace(lease=records.submission_key(upload.check_id, number))
        if submission.unreachable:
            is_unreachable = True
            continue
        if not submission.is_accepted:
            return _not_accepted(upload, now, ends, submission, due)
        if now - submission.at < SILENCE:
            return HeldState(CHECKING, silent_at=submission.at + SILENCE)
    return HeldState(CHECKING, due=MAX_SUBMISSIONS + 1)


def _not_accepted(
    upload: HeldUpload, now: datetime, ends: datetime, submission: records.Submission, due: HeldState
) -> HeldState:
    """Return the state of an upload that another request submits right now, or that WeChat did not take."""
    at, failures = submission.at, submission.failures
    if now >= given_up_at(submission.since, ends) and now >= at + LEASE:
        return due._replace(due=UNCHECKED)
    next_at = at + (pause_after(failures) if failures else LEASE)
    # Each name is one attempt, made by the request that creates it: one after each record, and more after
    # leases that ended without a result.
    attempt = f"-{at:%Y%m%d%H%M%S}-{attempt_at(now, next_at)}"
    retry = records.submission_key(upload.check_id, due.due, attempt) if now >= next_at else ""
    return due._replace(lease=retry, failures=failures, silent_at=next_at, since=submission.since)
