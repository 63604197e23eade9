"""
Webhook of the business: events about uploads, delivered at least once, signed as in Standard Webhooks.

The request makes the first attempt; when that fails, ticks repeat it from a due record.

Source: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import hmac
import json
import re
from base64 import b64encode
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from hashlib import sha256

from function.annotations import Any
from function.config.key_template import RECORD_ID
from function.config.profile import BucketLocation
from function.context import RequestContext
from function.errors import OssUnavailable, UploadError
from function.http.client import ExchangeFailed, Send
from function.request_log import encode, log

BUDGET_SECONDS = 1.5
# For all first attempts of one request: its response must not wait for a silent business.
FIRST_SECONDS = 2.0
# Left for the due record before the deadline of the request.
RECORD_SECONDS = 1.0
# For the first attempts and due records of one request; no other call to OSS pays for them.
EVENTS_SECONDS = 4.0
# When the attempts are made, after the event.
SCHEDULE = tuple(timedelta(minutes=minutes) for minutes in (0, 1, 5, 30, 120, 360, 1440))
KIND = "webhook"
UPLOADED = "uploaded"
# Events about an upload, each with its receipt.
EVENTS = (UPLOADED, "published", "rejected", "review", "gone", "expired")
MAX_TOLD = 4096


class Told(OrderedDict[str, None]):
    """Ids of the ``uploaded`` events that this instance has delivered or written down, latest last."""


def notify_business(
    context: RequestContext,
    location: BucketLocation,
    receipt: str,
    upload_id: str,
    owner: str,
    event: str = UPLOADED,
    at: datetime | None = None,
    **more: Any,
) -> bool:
    """
    Deliver an event about an upload, now or later.

    Args:
        location: of the bucket of its due record.
        event: one of ``EVENTS``; this instance tells the same ``uploaded`` once.
        at: when it happened, the same each time; now by default.
        more: further fields.

    Returns:
        as ``deliver``.
    """
    body = {"event": event, "receipt": receipt, **more}
    id, told = id_of(body, upload_id), context.instance.keep(Told, Told)
    if id in told:
        return True
    is_safe = deliver(context, location, id, body, owner, upload_id, at)
    if is_safe and event == UPLOADED:
        told[id] = None
        if len(told) > MAX_TOLD:
            told.popitem(last=False)
    return is_safe


def deliver(
    context: RequestContext,
    location: BucketLocation | None,
    id: str,
    body: Mapping[str, Any],
    owner: str = "",
    upload_id: str = "",
    at: datetime | None = None,
) -> bool:
    """
    Deliver an event to ``UPLOAD_WEBHOOK_URL``, if it is set, or leave a due record; log the result.

    After the first attempt of a request that fails, its other events are due at once.

    Args:
        location: of the bucket of its due record, if it can have one.
        id: the ``webhook-id``.
        owner: whose turn in a tick it takes.
        upload_id: for the log.
        at: when it happened, which names its due record; now by default.

    Returns:
        False if it is lost: neither the business nor OSS could be reached.
    """
    if not context.settings.upload_webhook_url:
        return True
    monotonic = context.instance.monotonic
    began, text = monotonic(), json.dumps(body)
    deadline = began + EVENTS_SECONDS - context.webhook_seconds
    # A clock that is ahead must not delay it.
    since = min(at or context.now, context.now)
    failure = context.webhook_failure = context.webhook_failure or _first_attempt(context, id, text)
    context.line.webhook = failure or "ok"
    is_safe = True
    if failure:
        fields = {
            "event": body["event"],
            "uploadId": upload_id,
            "body": text,
            "trace": context.line.traceparent or "",
            "since": since.isoformat(),
            "attempts": 1,
            "reason": failure,
        }
        is_safe = _record(context, location, owner, id, since, fields, lambda: deadline - monotonic())
    context.webhook_seconds += monotonic() - began
    return is_safe


def _first_attempt(context: RequestContext, id: str, body: str) -> str:
    left = min(FIRST_SECONDS - context.webhook_seconds, context.seconds_left() - RECORD_SECONDS)
    seconds = min(BUDGET_SECONDS, left)
    if seconds <= 0:
        return "out of time"
    return attempt(context, id, body, context.line.traceparent, seconds)


def attempt(context: RequestContext, id: str, body: str, trace: str | None, seconds: float) -> str:
    """Sign and send one event; return what failed, empty after a 2xx."""
    settings, data = context.settings, body.encode()
    if not settings.upload_webhook_url:
        return "no UPLOAD_WEBHOOK_URL"
    headers = signed_headers(settings.receipt_secrets, id, context.now, data)
    return post_event(settings.upload_webhook_url, data, headers, context.send, trace, seconds)


def _record(
    context: RequestContext,
    location: BucketLocation | None,
    owner: str,
    id: str,
    since: datetime,
    fields: Mapping[str, Any],
    seconds_left: Callable[[], float],
) -> bool:
    """Write the due record of an event; return whether OSS has it, and log the loss if not."""
    from function.oss import due
    from function.oss.client import oss_client

    try:
        if location is None:
            raise OssUnavailable(reason="no bucket has due records")
        oss = oss_client(context, location, seconds_left)
        due.write(oss, KIND, owner, id, since + SCHEDULE[1], fields, context.now)
    except UploadError as error:
        log_loss(fields["event"], fields["uploadId"], f"{fields['reason']}; {error.reason or error.code}")
        return False
    return True


def log_loss(event: str, upload_id: str, reason: str) -> None:
    """Log an event that the business will not get; an operator may redeliver it by hand."""
    log.error(encode({"webhook": "lost", "event": event, "uploadId": upload_id, "reason": reason}))


def id_of(body: Mapping[str, Any], upload_id: str) -> str:
    """
    Return the ``webhook-id`` of an event: the same for each attempt and each repetition of the request.

    Another content is another event, such as a confirmed upload and one that a callback reported. The id is
    part of a record's name, and has no full stop, which separates it from the time in the signed text.
    """
    # Without the receipt's signature, which changes with the secret.
    said = {**body, "receipt": body["receipt"].rpartition(".")[0]}
    digest = sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()
    text = f"{body['event']}-{upload_id}-{digest[:32]}"
    # A receipt signed by the business may have a longer id.
    return text if re.fullmatch(RECORD_ID, text) else f"{body['event']}-{digest}"


def signed_headers(secrets: Iterable[str], id: str, now: datetime, body: bytes) -> dict[str, str]:
    """Return the headers that verify a delivery, with one signature per secret."""
    timestamp = str(int(now.timestamp()))
    return {
        "webhook-id": id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(signature(each.encode(), id, timestamp, body) for each in secrets),
        "Idempotency-Key": id,
    }


def signature(key: bytes, id: str, timestamp: str, body: bytes) -> str:
    """Return one signature of a delivery."""
    signed = f"{id}.{timestamp}.".encode() + body
    return f"v1,{b64encode(hmac.digest(key, signed, 'sha256')).decode()}"


def post_event(
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    send: Send,
    trace: str | None = None,
    budget_seconds: float = BUDGET_SECONDS,
) -> str:
    """Post an event as JSON; return what failed, empty after a 2xx."""
    sent = {"Content-Type": "application/json", **headers, **({"traceparent": trace} if trace else {})}
    try:
        # The status alone counts: a body that is long, slow or cut off makes no delivery come again.
        response = send("POST", url, budget_seconds=budget_seconds, max_bytes=0, body=body, headers=sent)
    except ExchangeFailed as error:
        return error.kind
    return "" if 200 <= response.status < 300 else f"HTTP {response.status}"
