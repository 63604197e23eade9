"""Deliveries to the business's webhook that are due: they are repeated, and lost after the last attempt."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from function.config.typing import Any, NamedTuple
from function.context import RequestContext
from function.oss import due
from function.oss.client import OssClient
from function.oss.due import Due, Unreadable, instant_of, text_of
from function.oss.objects import get_record
from function.outgoing import OVERDUE, TIMED_OUT, TRICKLED
from function.webhook import KIND, SCHEDULE, attempt, log_loss

ATTEMPT_SECONDS = 8.0
# To record that it failed.
RECORD_SECONDS = 2.0
# A lost event can be redelivered by an operator for this long.
LOST_FOR = timedelta(days=7)
# Record of an event that the business accepted, in case a repeated request made it due once more. No tick
# reads so far ahead; the bucket's lifecycle rule deletes it.
TAKEN, NEVER = "taken", datetime(9000, 1, 1, tzinfo=UTC)
SLOW = frozenset({TIMED_OUT, OVERDUE, TRICKLED, TimeoutError.__name__})


class Delivery(NamedTuple):
    """
    An event that the business has not accepted yet.

    Args:
        body: JSON, as each attempt sends it.
        trace: ``traceparent`` of the request.
        since: time of the event.
        attempts: made so far; it is lost after the last one of ``SCHEDULE``.
        reason: of the last failure.
    """

    event: str
    upload_id: str
    body: str
    trace: str
    since: datetime
    attempts: int
    reason: str

    @property
    def is_lost(self) -> bool:
        return self.attempts >= len(SCHEDULE)

    def next_attempt(self, now: datetime) -> datetime:
        """Return when to try again after a failure now; of a lost event, when its record ends."""
        if self.is_lost:
            return now + LOST_FOR
        at = self.since + SCHEDULE[self.attempts]
        # After missed ticks the remaining attempts do not follow at once.
        return at if at > now else now + SCHEDULE[self.attempts] - SCHEDULE[self.attempts - 1]


def read_delivery(fields: Mapping[str, Any]) -> Delivery:
    """Return the delivery in a due record; raise ``Unreadable`` if there is none."""
    event, upload_id, body, trace, reason = (
        text_of(fields, name) for name in ("event", "uploadId", "body", "trace", "reason")
    )
    attempts: Any = fields.get("attempts")
    if type(attempts) is not int or attempts < 1:
        raise Unreadable("attempts")
    return Delivery(event, upload_id, body, trace, instant_of(fields, "since"), attempts, reason)


def continue_delivery(context: RequestContext, oss: OssClient, record: Due) -> bool:
    """
    Make the attempt that is due; if it fails, schedule the next one.

    Returns:
        False if the business is so slow, or the time left so short, that others wait for the next tick.

    Raises:
        Unreadable: the record holds no delivery.
        UploadError: OSS refuses, or does not respond; the next tick repeats the attempt.
    """
    fields = due.read(oss, record)
    # Another tick was faster.
    if fields is None:
        return True
    delivery = read_delivery(fields)
    seconds = min(ATTEMPT_SECONDS, oss.seconds_left() - RECORD_SECONDS)
    if seconds <= 0:
        # Only this bucket may be slow.
        return context.seconds_left() > RECORD_SECONDS
    taken = due.name_of(TAKEN, record.id, NEVER)
    reason = ""
    if not delivery.is_lost and get_record(oss, taken) is None:
        reason = attempt(context, record.id, delivery.body, delivery.trace, seconds)
        if not reason:
            due.write(oss, TAKEN, record.id, NEVER, {}, context.now)
    if reason:
        delivery = delivery._replace(attempts=delivery.attempts + 1)
        if delivery.is_lost:
            log_loss(delivery.event, delivery.upload_id, reason)
        again = {**fields, "attempts": delivery.attempts, "reason": reason}
        due.write(oss, KIND, record.id, delivery.next_attempt(context.now), again, context.now)
    due.remove(oss, record.name)
    return reason not in SLOW
