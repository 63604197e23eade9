"""The business is told of an upload, best effort."""

import json

from function.outgoing import Exchange, ExchangeFailed

BUDGET_SECONDS = 1.5


def tell_business(url: str, receipt: str, exchange: Exchange) -> str:
    """Post ``{"receipt": …}``, and tell what went wrong; nothing when it was taken with a 2xx."""
    try:
        answer = exchange(
            "POST",
            url,
            budget_seconds=BUDGET_SECONDS,
            body=json.dumps({"receipt": receipt}).encode(),
            headers={"Content-Type": "application/json"},
        )
    except ExchangeFailed as error:
        return error.kind
    return "" if 200 <= answer.status < 300 else f"HTTP {answer.status}"
