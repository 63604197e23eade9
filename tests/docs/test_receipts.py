"""The lines that a backend pastes to verify a receipt take a good one and nothing else."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from hmac import digest

import pytest

from function.auth.signed_tokens import RECEIPT, TICKET, issue_token
from tests.docs.backends import run
from tests.docs.markdown import both, code_blocks, page

SECRET = "receipt-secret-0123456789abcdefghij"
ANOTHER_SECRET = "another-secret-0123456789abcdefghij"
KEY = "a/图.png"
REFUSED = "refused"
LONG_AGO = datetime(2001, 1, 1, tzinfo=UTC)
CENTURY = timedelta(days=36500)


def answers(language, cases, folder):
    """What the lines say of each receipt with each secret: its key and more, or that it is refused."""
    said = "".join(f"{receipt} {secret}\n" for receipt, secret in cases)
    code, printed = run.run(language, "receipts", "verify", folder, said=said)
    assert code == 0
    return printed.splitlines()


def receipt_of(clock, *, audience=RECEIPT, life=CENTURY, now=None, **more):
    claims = {"sub": "openid", "jti": "id", "key": KEY, "size": 1592, "seen": True}
    claims |= {"context": {"order": "十七"}, **more}
    return issue_token(claims, audience=audience, secrets=[SECRET], now=now or clock(), life=life)


def encoded(raw):
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def signed(head, body):
    text = f"{encoded(json.dumps(head).encode())}.{body}"
    return f"{text}.{encoded(digest(SECRET.encode(), text.encode(), sha256))}"


def without_end(clock):
    body = receipt_of(clock).split(".")[1]
    claims = json.loads(urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    del claims["exp"]
    return signed({"alg": "HS256"}, encoded(json.dumps(claims).encode()))


def bad_receipts(clock):
    head, body, signature = receipt_of(clock).split(".")
    changed = encoded(urlsafe_b64decode(body + "=" * (-len(body) % 4)).replace(b"1592", b"9999"))
    return {
        "a changed claim": f"{head}.{changed}.{signature}",
        "an empty signature": f"{head}.{body}.",
        "no signature": f"{head}.{body}",
        "nothing at all": "",
        "a fourth part": f"{head}.{body}.{signature}.{signature}",
        "a signature cut short": f"{head}.{body}.{signature[:20]}",
        "no algorithm": f"{encoded(json.dumps({'alg': 'none'}).encode())}.{body}.",
        "another algorithm's name": signed({"alg": "HS512", "typ": "JWT"}, body),
        "a ticket": receipt_of(clock, audience=TICKET),
        "a ticket that quotes a receipt": receipt_of(clock, audience=TICKET, context={"aud": RECEIPT}),
        "an old receipt": receipt_of(clock, now=LONG_AGO, life=timedelta(days=1)),
        "a receipt without an end": without_end(clock),
    }


@pytest.mark.parametrize("language", run.LANGUAGES)
def test_the_lines_take_a_receipt_and_nothing_else(language, clock, tmp_path):
    bad = bad_receipts(clock)
    good = receipt_of(clock)
    cases = [(good, SECRET), (good, ANOTHER_SECRET), *((receipt, SECRET) for receipt in bad.values())]
    said = dict(zip(["good", "another secret", *bad], answers(language, cases, tmp_path), strict=True))
    assert said == dict.fromkeys(said, REFUSED) | {"good": f"{KEY} true 十七"}


@pytest.mark.parametrize("name", both("docs/receipts.md"))
def test_the_page_shows_a_file_that_is_run_and_links_to_the_others(name):
    shown = [block for block in code_blocks(page(name)) if block[0] != "json"]
    assert shown == [("js", page(f"docs/backends/{file}.js")) for file in ("receipts", "webhooks")]
    assert run.linked_from(name, "receipts")
