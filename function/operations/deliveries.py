"""Deliveries to the business's webhook that are due: they are repeated, and lost after the last attempt."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from function.annotations import Any, NamedTuple
from function.auth.signed_tokens import RECEIPT, read_token, text_claim
from function.config.settings import Settings
from function.context import RequestContext
from function.errors import Unauthorized
from function.http.json_body import object_in
from function.oss import due
from function.oss.client import OssClient
from function.oss.due import Due, Unreadable, instant_of, text_of
from function.owners import withdrawal
from function.time_limit import OVERDUE, TIMED_OUT, TRICKLED
from function.webhook import EVENTS, KIND, SCHEDULE, attempt, id_of, log_loss

ATTEMPT_SECONDS = 8.0
# To record that it failed.
RECORD_SECONDS = 1.0
# A lost event can be redelivered by an operator for this long.
LOST_FOR = timedelta(days=7)
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


def check_event(settings: Settings, id: str, delivery: Delivery) -> None:
    """
    Check that a body is an event of ours, as signing makes it one; raise ``Unreadable`` if it is none.

    Args:
        id: of its record.
    """
    body = object_in(delivery.body.encode()) or {}
    if body.get("event") == delivery.event == withdrawal.REVOKED:
        expected = withdrawal.id_of(body, settings)
    elif body.get("event") == delivery.event in EVENTS:
        try:
            # It was valid when the event happened, and ends before the last attempt.
            claims = read_token(
                str(body.get("receipt")),
                audience=RECEIPT,
                secrets=settings.receipt_secrets,
                now=delivery.since,
                leeway=timedelta.max,
            )
            expected = id_of(body, text_claim(claims, "jti"))
        except Unauthorized as error:
            raise Unreadable(error.reason) from None
    else:
        raise Unreadable(delivery.event)
    if id != expected:
        raise Unreadable(id)


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
    check_event(context.settings, record.id, delivery)
    seconds = min(ATTEMPT_SECONDS, oss.seconds_left() - RECORD_SECONDS)
    if seconds <= 0:
        return False
    reason = ""
    if not delivery.is_lost:
        reason = attempt(context, record.id, delivery.body, delivery.trace, seconds)
    if reason:
        delivery = delivery._replace(attempts=delivery.attempts + 1)
        if delivery.is_lost:
            log_loss(delivery.event, delivery.upload_id, reason)
        again = {**fields, "attempts": delivery.attempts, "reason": reason}
        due.write(oss, KIND, record.owner, record.id, delivery.next_attempt(context.now), again, context.now)
    due.remove(oss, record.name)
    return reason not in SLOW
