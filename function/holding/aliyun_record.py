"""
Record of the check by Aliyun, ``submitted/<id>-0``, and when its next attempt is due.

It is the lease of the request that asks, then its failures or the task of a video, then the answer, which is
kept before anything is done about it: asking again costs again.
"""

from datetime import datetime, timedelta

from function.config.typing import TYPE_CHECKING, Any, NamedTuple
from function.holding import records
from function.moderation.finding import Outcome, read_finding
from function.oss.client import OssClient
from function.oss.post_form import iso

if TYPE_CHECKING:
    from function.moderation.aliyun_verdict import Verdict

NUMBER = 0
# A lease older than two request timeouts is stale: its request died without recording a result.
LEASE = timedelta(seconds=60)
# After each failure in a row; the last one from then on.
PAUSES = tuple(timedelta(minutes=minutes) for minutes in (1, 1, 2, 5, 10, 10))
TASK_PAUSE = timedelta(seconds=30)
# An object that was not checked this long, or this long before it ends, is left to a human.
GIVEN_UP_AFTER, GIVEN_UP_BEFORE_END = timedelta(hours=24), timedelta(hours=1)


class AliyunCheck(NamedTuple):
    """
    State of one upload's check by Aliyun.

    Args:
        at: when its record was written.
        since: when the first attempt began.
        failures: attempts that failed in a row.
        task: id of a video or sound that Aliyun looks at; empty for none.
        stored_at: when OSS stored the object that is looked at, to the second.
        verdict: of the answer; ``None`` until there is one.
    """

    at: datetime
    since: datetime
    failures: int = 0
    task: str = ""
    stored_at: datetime | None = None
    verdict: "Verdict | None" = None

    @property
    def fields(self) -> dict[str, Any]:
        fields = {
            "since": iso(self.since),
            "failures": self.failures,
            "task": self.task,
            "stored": self.stored_at and iso(self.stored_at),
            "outcome": self.verdict and self.verdict.outcome.name,
            "finding": self.verdict and self.verdict.finding.fields,
        }
        return {name: value for name, value in fields.items() if value}

    def last_at(self, ends: datetime) -> datetime:
        """Return when the check is given up."""
        return min(self.since + GIVEN_UP_AFTER, ends - GIVEN_UP_BEFORE_END)

    def next_at(self, ends: datetime) -> datetime:
        """Return when the next attempt is due, or the check is given up."""
        if not (self.failures or self.task):
            # The request that has the lease may still get its answer.
            return self.at + LEASE
        pause = PAUSES[min(self.failures, len(PAUSES)) - 1] if self.failures else TASK_PAUSE
        return min(self.at + pause, max(self.at, self.last_at(ends)))

    def attempt_at(self, now: datetime, ends: datetime) -> int:
        """
        Return the number of the attempt that is due since ``next_at``.

        One follows each attempt that left no record, ever later: what is not kept costs all the same.
        """
        number, left = 0, now - self.next_at(ends)
        for number, pause in enumerate(PAUSES):
            if left < pause:
                return number
            left -= pause
        return number + 1 + left // pause


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
    stored_at = records.time_in(name, fields, "stored") if "stored" in fields else None
    check = AliyunCheck(at, since, failures, task, stored_at)
    if "outcome" not in fields:
        return check
    from function.moderation.aliyun_verdict import Verdict

    outcome, finding = fields["outcome"], fields.get("finding")
    if outcome not in ("PASS", "RISKY", "REVIEW") or not isinstance(finding, dict):
        raise records.invalid(name)
    return check._replace(verdict=Verdict(Outcome[outcome], read_finding(finding)))
