"""Webhook of the business: one event about an upload, best effort."""

import json
from collections.abc import Mapping
from typing import Any

from function.context import RequestContext
from function.http.client import ExchangeFailed, Send

BUDGET_SECONDS = 1.5
UPLOADED = "uploaded"


def notify_business(context: RequestContext, receipt: str, event: str = UPLOADED, **more: Any) -> None:
    """
    Send an event to ``UPLOAD_WEBHOOK_URL``, if it is set, and log the result.

    Args:
        event: ``uploaded``; of held uploads also ``published``, ``rejected``, ``review`` or ``gone``.
        more: further fields, such as WeChat's ``label``.
    """
    url = context.settings.upload_webhook_url
    if url:
        body = {"event": event, "receipt": receipt, **more}
        trace = context.line.traceparent
        context.line.webhook = post_event(url, body, context.instance.send, trace) or "ok"


def post_event(url: str, body: Mapping[str, Any], send: Send, trace: str | None = None) -> str:
    """Post an event as JSON; return what failed, empty after a 2xx."""
    try:
        response = send(
            "POST",
            url,
            budget_seconds=BUDGET_SECONDS,
            body=json.dumps(body).encode(),
            headers={"Content-Type": "application/json", **({"traceparent": trace} if trace else {})},
        )
    except ExchangeFailed as error:
        return error.kind
    return "" if 200 <= response.status < 300 else f"HTTP {response.status}"
