"""
Record of the check by Aliyun, ``submitted/<id>-0``, and when its next attempt is due.

It is the lease of the request that asks, then its failures or the task of a video, then the answer, which is
kept before anything is done about it: asking again costs again.
"""

from datetime import datetime, timedelta

from function.annotations import TYPE_CHECKING, Any, NamedTuple
from function.holding import records
from function.moderation.finding import Outcome, read_finding
from function.oss.client import OssClient
from function.oss.due import pause_after
from function.oss.instants import iso

if TYPE_CHECKING:
    from function.moderation.aliyun_verdict import Verdict

NUMBER = 0
# A lease older than two request timeouts is stale: its request died without recording a result.
LEASE = timedelta(seconds=60)
# Before each question about a video or sound that Aliyun looks at; the last one from then on.
TASK_PAUSES = tuple(timedelta(minutes=minutes) for minutes in (1, 1, 2, 3, 5, 10))
# An object that was not checked this long, or this long before it ends, is left to a human.
GIVEN_UP_AFTER, GIVEN_UP_BEFORE_END = timedelta(hours=24), timedelta(hours=1)


def given_up_at(since: datetime, ends: datetime) -> datetime:
    """Return when a check is given up that began at ``since``, of an object that ends at ``ends``."""
    return min(since + GIVEN_UP_AFTER, ends - GIVEN_UP_BEFORE_END)


class AliyunCheck(NamedTuple):
    """
    State of one upload's check by Aliyun.

    Args:
        at: when its record was written.
        since: when the first attempt began.
        failures: attempts in a row that failed by this object itself.
        task: id of a video or sound that Aliyun looks at; empty for none.
        asked: how often Aliyun was still looking at it.
        stored_at: when OSS stored the object that is looked at, to the second.
        verdict: of the answer; ``None`` until there is one.
        is_lease: whether a request asks right now, or died over it.
    """

    at: datetime
    since: datetime
    failures: int = 0
    task: str = ""
    asked: int = 0
    stored_at: datetime | None = None
    verdict: "Verdict | None" = None
    is_lease: bool = False

    @property
    def fields(self) -> dict[str, Any]:
        fields = {
            "since": iso(self.since),
            "failures": self.failures,
            "task": self.task,
            "asked": self.asked,
            "stored": self.stored_at and iso(self.stored_at),
            "outcome": self.verdict and self.verdict.outcome.name,
            "finding": self.verdict and self.verdict.finding.fields,
        }
        return {name: value for name, value in fields.items() if value}

    def last_at(self, ends: datetime) -> datetime:
        """Return when the check is given up."""
        return given_up_at(self.since, ends)

    def next_at(self, ends: datetime) -> datetime:
        """Return when the next attempt is due, or the check is given up."""
        if self.is_lease:
            # The request that has it may still get its answer.
            return self.at + LEASE
        pause = pause_after(self.failures) if self.failures else LEASE
        if self.task and not self.failures:
            pause = TASK_PAUSES[min(self.asked, len(TASK_PAUSES) - 1)]
        return min(self.at + pause, max(self.at, self.last_at(ends)))


def get_aliyun_check(oss: OssClient, upload_id: str) -> AliyunCheck | None:
    """
    Return the state of an upload's check by Aliyun; ``None`` until it began.

    Raises:
        UploadError: OSS refuses, or does not respond, or the record is invalid.
    """
    name = records.submission_key(upload_id, NUMBER)
    fields = records.get(oss, name)
    if fields is None:
        return None
    at = records.time_in(name, fields, "at")
    since = records.time_in(name, fields, "since") if "since" in fields else at
    failures = records.number_in(name, fields.get("failures", 0), 0, records.MAX_FAILURES)
    task = records.text_in(name, fields, "task") if "task" in fields else ""
    asked = records.number_in(name, fields.get("asked", 0), 0, records.MAX_FAILURES)
    stored_at = records.time_in(name, fields, "stored") if "stored" in fields else None
    check = AliyunCheck(at, since, failures, task, asked, stored_at, is_lease="since" not in fields)
    if "outcome" not in fields:
        return check
    from function.moderation.aliyun_verdict import Verdict

    outcome, finding = fields["outcome"], fields.get("finding")
    if outcome not in ("PASS", "RISKY", "REVIEW") or not isinstance(finding, dict):
        raise records.invalid(name)
    return check._replace(verdict=Verdict(Outcome[outcome], read_finding(finding)))
