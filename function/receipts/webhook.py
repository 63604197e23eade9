"""The business is told of an upload, best effort."""

import json

from function.instance import Call
from function.outgoing import Exchange, ExchangeFailed

BUDGET_SECONDS = 1.5


def tell_business(call: Call, receipt: str) -> None:
    """Send a receipt to ``UPLOAD_WEBHOOK_URL``, where there is one; the log line says what became of it."""
    url = call.settings.upload_webhook_url
    if url:
        trace = call.line.traceparent
        call.line.webhook = post_receipt(url, receipt, call.instance.exchange, trace) or "ok"


def post_receipt(url: str, receipt: str, exchange: Exchange, trace: str | None = None) -> str:
    """Post ``{"receipt": …}``, and tell what went wrong; nothing when it was taken with a 2xx."""
    try:
        answer = exchange(
            "POST",
            url,
            budget_seconds=BUDGET_SECONDS,
            body=json.dumps({"receipt": receipt}).encode(),
            headers={"Content-Type": "application/json", **({"traceparent": trace} if trace else {})},
        )
    except ExchangeFailed as error:
        return error.kind
    return "" if 200 <= answer.status < 300 else f"HTTP {answer.status}"
