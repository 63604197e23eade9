"""
Progress of an accepted upload: its commit and how far its check is, in one record.

Whoever creates the record has its first attempt; each later one is a lease of its own. A lease older than two
request timeouts is stale: its request died without recording a result. Aliyun's answer is kept while WeChat
checks the object as well: asking again costs again.
"""

from datetime import datetime, timedelta

from function.annotations import TYPE_CHECKING, Any, NamedTuple
from function.holding import records
from function.holding.transitions import ACCEPTED, ANSWERED, IN_CHECK, SUBMITTED, TASK, UNREACHABLE
from function.moderation.finding import Outcome, read_finding
from function.oss.client import OssClient
from function.oss.due import attempt_at, pause_after
from function.oss.instants import iso

if TYPE_CHECKING:
    from function.moderation.aliyun_verdict import Verdict

LEASE = timedelta(seconds=60)
# WeChat promises a verdict within 30 minutes; later none is expected.
SILENCE = timedelta(minutes=35)
MAX_SUBMISSIONS = 2
# Before each question about a video or sound that Aliyun looks at; the last one from then on.
TASK_PAUSES = tuple(timedelta(minutes=minutes) for minutes in (1, 1, 2, 3, 5, 10))
# An object that was not checked this long, or this long before it ends, is left to a human.
GIVEN_UP_AFTER, GIVEN_UP_BEFORE_END = timedelta(hours=24), timedelta(hours=1)


class Progress(NamedTuple):
    """
    An accepted upload, as its record has it.

    Args:
        state: of the table of transitions.
        etag: of the bytes that were accepted.
        rules: of the hold, when they were accepted.
        is_committed: whether that was by a commit; a check alone needs none.
        at: when the record was written.
        since: when the first attempt at the present step began.
        turn: how often the record was written before.
        is_lease: whether a request was at work when it wrote the record.
        failures: attempts in a row that failed by this object itself.
        copy: number of the clean copy that is checked; 0 for none or the first.
        stored_at: when OSS stored the object that Aliyun looks at, to the second.
        task: id of a video or sound that Aliyun looks at; empty for none.
        asked: how often Aliyun was still looking at it.
        answer: of Aliyun; ``None`` until there is one that was kept.
        number: of the submission to WeChat, from 1; 0 for none.
        trace: of the submission that WeChat accepted.
        is_unreachable: True if WeChat could not open the presigned URL; then it fetches from this function.
    """

    state: str
    receipt: str
    etag: str
    rules: str
    is_committed: bool
    at: datetime
    since: datetime
    turn: int = 0
    is_lease: bool = False
    failures: int = 0
    copy: int = 0
    stored_at: datetime | None = None
    task: str = ""
    asked: int = 0
    answer: "Verdict | None" = None
    number: int = 0
    trace: str = ""
    is_unreachable: bool = False

    @property
    def is_decided_by_aliyun(self) -> bool:
        """Return whether a kept answer rejects, whatever WeChat says."""
        return self.answer is not None and self.answer.outcome is Outcome.RISKY

    @property
    def fields(self) -> dict[str, Any]:
        """Return the fields of the record; ``at`` becomes the instant at which it is written."""
        plain = self._asdict()
        times = {
            name: value and iso(value) for name, value in plain.items() if name in ("since", "stored_at")
        }
        answer = self.answer and {"outcome": self.answer.outcome.name, "finding": self.answer.finding.fields}
        return {name: value for name, value in {**plain, **times, "answer": answer}.items() if value}

    def given_up_at(self, ends: datetime) -> datetime:
        """Return when the check of an object is given up that ends at ``ends``."""
        return min(self.since + GIVEN_UP_AFTER, ends - GIVEN_UP_BEFORE_END)

    def next_at(self, ends: datetime) -> datetime:
        """Return when the next step is due, or the check is given up."""
        if self.state == SUBMITTED:
            return self.at + SILENCE
        if self.state in (ACCEPTED, ANSWERED, UNREACHABLE):
            return self.at
        if self.is_lease:
            # The request that has it may still get its answer.
            return self.at + LEASE
        pause = pause_after(self.failures) if self.failures else LEASE
        if self.task and not self.failures:
            pause = TASK_PAUSES[min(self.asked, len(TASK_PAUSES) - 1)]
        return min(self.at + pause, max(self.at, self.given_up_at(ends)))

    def lease(self, upload_id: str, ends: datetime, now: datetime) -> str:
        """Return the name of the next attempt: one after each record, more after leases without a result."""
        return records.attempt_key(upload_id, self.turn, attempt_at(now, self.next_at(ends)))


def get_progress(oss: OssClient, upload_id: str) -> Progress | None:
    """
    Return the progress of an accepted upload; ``None`` until it is accepted.

    Raises:
        UploadError: OSS refuses, or does not respond, or the record is invalid.
    """
    name = records.accepted_key(upload_id)
    fields = records.get(oss, name)
    if fields is None:
        return None
    texts: dict[str, Any] = {
        each: records.text_in(name, {each: "", **fields}, each)
        for each in ("receipt", "etag", "rules", "task", "trace")
    }
    numbers: dict[str, Any] = {
        each: records.number_in(name, fields.get(each, 0), 0, records.MAX_FAILURES)
        for each in ("turn", "failures", "copy", "asked", "number")
    }
    state = records.text_in(name, fields, "state")
    is_odd = (state == TASK) != bool(texts["task"]) or (state == ANSWERED and "answer" not in fields)
    if is_odd or state not in (ACCEPTED, *IN_CHECK):
        raise records.invalid(name)
    return Progress(
        state=state,
        at=records.time_in(name, fields, "at"),
        since=records.time_in(name, fields, "since"),
        is_committed=fields.get("is_committed") is True,
        is_lease=fields.get("is_lease") is True,
        is_unreachable=fields.get("is_unreachable") is True,
        stored_at=records.time_in(name, fields, "stored_at") if "stored_at" in fields else None,
        answer=_answer_in(name, fields["answer"]) if "answer" in fields else None,
        **texts,
        **numbers,
    )


def _answer_in(name: str, answer: object) -> "Verdict":
    from function.moderation.aliyun_verdict import Verdict

    outcome, finding = (answer.get("outcome"), answer.get("finding")) if isinstance(answer, dict) else (0, 0)
    if outcome not in ("PASS", "RISKY", "REVIEW") or not isinstance(finding, dict):
        raise records.invalid(name)
    return Verdict(Outcome[outcome], read_finding(finding))
