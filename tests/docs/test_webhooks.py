"""The lines that a backend pastes to verify a webhook take a good delivery and nothing else."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks.webhooks import Webhook

from function.auth.signed_tokens import RECEIPT, issue_token
from function.webhook import signed_headers
from tests.docs.backends import run
from tests.docs.markdown import both

SECRET, OLDER_SECRET = "receipt-secret-0123456789abcdefghij", "older-secret-0123456789abcdefghijkl"
ID, KEY = "published-KpY7-3B90EAC1", "a/图.png"
REFUSED = "refused"
CLAIMS = {"sub": "openid", "jti": "KpY7", "key": KEY}


def body_of(now):
    # As old as a receipt may be in the last attempt.
    then, life = now - timedelta(days=1, minutes=5), timedelta(days=1)
    receipt = issue_token(CLAIMS, audience=RECEIPT, secrets=[SECRET], now=then, life=life)
    return json.dumps({"event": "published", "receipt": receipt})


def deliveries(now):
    """By name: id, timestamp, signature, secret of the backend and body."""
    body = body_of(now)

    def signed(*secrets, at=now):
        headers = signed_headers(secrets, ID, at, body.encode())
        return [headers[f"webhook-{part}"] for part in ("id", "timestamp", "signature")]

    id, timestamp, signature = good = signed(SECRET)
    by_the_library = Webhook(SECRET.encode()).sign(ID, now, body)
    forged = body.replace("published", "gone")
    return {
        "good": [*good, SECRET, body],
        "signed by the library": [id, timestamp, by_the_library, SECRET, body],
        "during a rotation": [*signed(SECRET, OLDER_SECRET), SECRET, body],
        "during a rotation, with the older": [*signed(SECRET, OLDER_SECRET), OLDER_SECRET, body],
        "with another version first": [id, timestamp, f"v1a,AAAA {signature}", SECRET, body],
        "a minute late": [*signed(SECRET, at=now - timedelta(minutes=1)), SECRET, body],
        "another secret": [*good, OLDER_SECRET, body],
        "another id": [id.replace("published", "gone"), timestamp, signature, SECRET, body],
        "another time": [id, str(int(timestamp) - 1), signature, SECRET, body],
        "another body": [*good, SECRET, forged],
        "another version": [id, timestamp, signature.replace("v1", "v2"), SECRET, body],
        "no version": [id, timestamp, signature.removeprefix("v1,"), SECRET, body],
        "an empty signature": [id, timestamp, "", SECRET, body],
        "half a signature": [id, timestamp, signature[:20], SECRET, body],
        "no time": [id, "", signature, SECRET, body],
        "a time that is none": [id, "now", signature, SECRET, body],
        "ten minutes old": [*signed(SECRET, at=now - timedelta(minutes=10)), SECRET, body],
        "ten minutes ahead": [*signed(SECRET, at=now + timedelta(minutes=10)), SECRET, body],
    }


@pytest.mark.parametrize("language", run.LANGUAGES)
def test_the_lines_take_a_delivery_and_nothing_else(language, tmp_path):
    sent = deliveries(datetime.now(UTC))
    said = "".join("\t".join(parts) + "\n" for parts in sent.values())
    code, printed = run.run(language, "webhooks", "hear", tmp_path, said=said)
    assert code == 0
    heard = dict(zip(sent, printed.splitlines(), strict=True))
    taken = [*sent][: [*sent].index("another secret")]
    assert heard == dict.fromkeys(sent, REFUSED) | dict.fromkeys(taken, f"published {KEY}")


@pytest.mark.parametrize("name", both("docs/receipts.md"))
def test_the_page_links_to_the_file_of_every_language(name):
    assert run.linked_from(name, "webhooks")
