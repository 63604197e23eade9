"""
Webhook of the business: one event about an upload, signed as Standard Webhooks has it.

Source: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import hmac
import json
import re
from base64 import b64encode
from collections.abc import Iterable, Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any

from function.config.key_template import RECORD_ID
from function.context import RequestContext
from function.http.client import ExchangeFailed, Send

BUDGET_SECONDS = 1.5
# For all events of one request: enough for 20 at 0.2 s each.
REQUEST_SECONDS = 4.0
UPLOADED = "uploaded"


def notify_business(
    context: RequestContext, receipt: str, upload_id: str, etag: str, event: str = UPLOADED, **more: Any
) -> None:
    """
    Send an event to ``UPLOAD_WEBHOOK_URL``, if it is set, and log the result.

    Once the events of a request have taken ``REQUEST_SECONDS``, it sends no more: its response must not wait
    for a silent business, and its calls to OSS do not pay for it.

    Args:
        event: ``uploaded``; of held uploads also ``published``, ``rejected``, ``review`` or ``gone``.
        more: further fields, such as WeChat's ``label``.
    """
    settings = context.settings
    url = settings.upload_webhook_url
    if not url:
        return
    seconds = min(BUDGET_SECONDS, REQUEST_SECONDS - context.webhook_seconds)
    if seconds <= 0:
        context.line.webhook = "out of time"
        return
    body = json.dumps({"event": event, "receipt": receipt, **more}).encode()
    headers = signed_headers(
        settings.receipt_secrets, id_of(event, upload_id, etag, *more.values()), context.now, body
    )
    began = context.instance.monotonic()
    result = post_event(url, body, headers, context.instance.send, context.line.traceparent, seconds)
    context.webhook_seconds += context.instance.monotonic() - began
    context.line.webhook = result or "ok"


def id_of(event: str, *parts: object) -> str:
    """
    Return the ``webhook-id`` of an event: the same for each attempt and each repetition of the request.

    It can end the name of a record: no full stop, which separates it from the time in what is signed.
    """
    text = "-".join(map(str, (event, *parts)))
    # OSS's ETags fit; one in a receipt that the business signed may be any text.
    return text if re.fullmatch(RECORD_ID, text) else f"{event}-{sha256(text.encode()).hexdigest()}"


def signed_headers(secrets: Iterable[str], id: str, now: datetime, body: bytes) -> dict[str, str]:
    """Return the headers that a delivery is verified by, with a signature by each of the secrets."""
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
        response = send("POST", url, budget_seconds=budget_seconds, body=body, headers=sent)
    except ExchangeFailed as error:
        return error.kind
    return "" if 200 <= response.status < 300 else f"HTTP {response.status}"
