"""Webhook of the business: one event about an upload, best effort."""

import json
from collections.abc import Mapping
from typing import Any

from function.context import RequestContext
from function.http.client import ExchangeFailed, Send

BUDGET_SECONDS = 1.5
# For all events of one request: enough for 20 at 0.2 s each.
REQUEST_SECONDS = 4.0
UPLOADED = "uploaded"


def notify_business(context: RequestContext, receipt: str, event: str = UPLOADED, **more: Any) -> None:
    """
    Send an event to ``UPLOAD_WEBHOOK_URL``, if it is set, and log the result.

    Once the events of a request have taken ``REQUEST_SECONDS``, it sends no more: its response must not wait
    for a silent business, and its calls to OSS do not pay for it.

    Args:
        event: ``uploaded``; of held uploads also ``published``, ``rejected``, ``review`` or ``gone``.
        more: further fields, such as WeChat's ``label``.
    """
    url = context.settings.upload_webhook_url
    if not url:
        return
    seconds = min(BUDGET_SECONDS, REQUEST_SECONDS - context.webhook_seconds)
    if seconds <= 0:
        context.line.webhook = "out of time"
        return
    body = {"event": event, "receipt": receipt, **more}
    began = context.instance.monotonic()
    result = post_event(url, body, context.instance.send, context.line.traceparent, seconds)
    context.webhook_seconds += context.instance.monotonic() - began
    context.line.webhook = result or "ok"


def post_event(
    url: str,
    body: Mapping[str, Any],
    send: Send,
    trace: str | None = None,
    budget_seconds: float = BUDGET_SECONDS,
) -> str:
    """Post an event as JSON; return what failed, empty after a 2xx."""
    try:
        response = send(
            "POST",
            url,
            budget_seconds=budget_seconds,
            body=json.dumps(body).encode(),
            headers={"Content-Type": "application/json", **({"traceparent": trace} if trace else {})},
        )
    except ExchangeFailed as error:
        return error.kind
    return "" if 200 <= response.status < 300 else f"HTTP {response.status}"
