"""For each line "id, timestamp, signature, secret, body" with tabs its event and key, or "refused"."""

import sys

from standardwebhooks.webhooks import WebhookVerificationError
from webhooks import verify_webhook

for line in sys.stdin:
    id, timestamp, signature, secret, body = line.rstrip("\n").split("\t")
    headers = {"Webhook-Id": id, "Webhook-Timestamp": timestamp, "Webhook-Signature": signature}
    try:
        event = verify_webhook(body.encode(), headers, secret)
        print(event["event"], event["claims"]["key"])  # noqa: T201
    except (WebhookVerificationError, ValueError):
        print("refused")  # noqa: T201
