"""The business is told what became of an upload, best effort."""

import json
from collections.abc import Mapping
from typing import Any

from function.context import RequestContext
from function.http.client import ExchangeFailed, Send

BUDGET_SECONDS = 1.5
UPLOADED = "uploaded"


def tell_business(context: RequestContext, receipt: str, event: str = UPLOADED, **more: Any) -> None:
    """
    Tell ``UPLOAD_WEBHOOK_URL`` of an event, where there is one; the log line says what became of it.

    Args:
        event: ``uploaded``, and of what is held back what became of it: ``published``, ``rejected``,
            ``review``, ``gone``.

        more: that is said beside it, such as WeChat's ``label``.
    """
    url = context.settings.upload_webhook_url
    if url:
        news = {"event": event, "receipt": receipt, **more}
        trace = context.line.traceparent
        context.line.webhook = post_news(url, news, context.instance.send, trace) or "ok"


def post_news(url: str, news: Mapping[str, Any], send: Send, trace: str | None = None) -> str:
    """Post it as JSON, and tell what went wrong; nothing when it was taken with a 2xx."""
    try:
        answer = send(
            "POST",
            url,
            budget_seconds=BUDGET_SECONDS,
            body=json.dumps(news).encode(),
            headers={"Content-Type": "application/json", **({"traceparent": trace} if trace else {})},
        )
    except ExchangeFailed as error:
        return error.kind
    return "" if 200 <= answer.status < 300 else f"HTTP {answer.status}"
