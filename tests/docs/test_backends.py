"""The lines that a backend pastes take good receipts and webhooks and nothing else, and call the function."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from hmac import digest

import pytest
from standardwebhooks.webhooks import Webhook

from function.auth.signed_tokens import RECEIPT, TICKET, issue_token
from function.webhook import signed_headers
from local.common.clock import StandingClock
from local.common.http_server import Handler, Server
from tests.docs.backends import run
from tests.support import stage
from tests.support.world import HELD, World

SECRET, OTHER_SECRET = "receipt-secret-0123456789abcdefghij", "another-secret-0123456789abcdefghij"
ID, KEY = "published-KpY7-3B90EAC1", "a/图.png"
REFUSED = "refused"
NOW = datetime.now(UTC)
LONG_AGO, CENTURY = datetime(2001, 1, 1, tzinfo=UTC), timedelta(days=36500)


@pytest.fixture(scope="module", params=run.LANGUAGES)
def say(request, tmp_path_factory):
    return run.build(request.param, tmp_path_factory.mktemp(request.param))


def receipt_of(audience=RECEIPT, life=CENTURY, now=NOW, **more):
    claims = {"sub": "openid", "jti": "KpY7", "key": KEY, "size": 1592, "seen": True}
    claims |= {"context": {"order": "十七"}, **more}
    return issue_token(claims, audience=audience, secrets=[SECRET], now=now, life=life)


def encoded(raw):
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def signed(head, body):
    text = f"{encoded(json.dumps(head).encode())}.{body}"
    return f"{text}.{encoded(digest(SECRET.encode(), text.encode(), sha256))}"


def bad_receipts():
    head, body, signature = receipt_of().split(".")
    text = urlsafe_b64decode(body + "=" * (-len(body) % 4))
    without_end = json.dumps({name: value for name, value in json.loads(text).items() if name != "exp"})
    return {
        "a changed claim": f"{head}.{encoded(text.replace(b'1592', b'9999'))}.{signature}",
        "an empty signature": f"{head}.{body}.",
        "no signature": f"{head}.{body}",
        "nothing at all": "",
        "a fourth part": f"{head}.{body}.{signature}.{signature}",
        "a signature cut short": f"{head}.{body}.{signature[:20]}",
        "no algorithm": f"{encoded(json.dumps({'alg': 'none'}).encode())}.{body}.",
        "another algorithm's name": signed({"alg": "HS512", "typ": "JWT"}, body),
        "a ticket": receipt_of(audience=TICKET),
        "a ticket that quotes a receipt": receipt_of(audience=TICKET, context={"aud": RECEIPT}),
        "an old receipt": receipt_of(now=LONG_AGO, life=timedelta(days=1)),
        "a receipt without an end": signed({"alg": "HS256"}, encoded(without_end.encode())),
    }


def test_the_lines_take_a_receipt_and_nothing_else(say):
    bad = bad_receipts()
    cases = [(receipt_of(), SECRET), (receipt_of(), OTHER_SECRET), *((each, SECRET) for each in bad.values())]
    said = say([("receipt", *case) for case in cases])
    told = dict(zip(["good", "another secret", *bad], said, strict=True))
    assert told == dict.fromkeys(told, REFUSED) | {"good": f"{KEY} true 十七"}


def deliveries(now):
    """By name: id, timestamp, signature, secret of the backend and body."""
    # As old as a receipt may be in the last attempt.
    receipt = receipt_of(now=now - timedelta(days=1, minutes=5), life=timedelta(days=1))
    body = json.dumps({"event": "published", "receipt": receipt})

    def headers_of(*secrets, at=now):
        headers = signed_headers(secrets, ID, at, body.encode())
        return [headers[f"webhook-{part}"] for part in ("id", "timestamp", "signature")]

    id, timestamp, signature = good = headers_of(SECRET)
    by_the_library = Webhook(SECRET.encode()).sign(ID, now, body)
    return {
        "good": [*good, SECRET, body],
        "signed by the library": [id, timestamp, by_the_library, SECRET, body],
        "during a rotation": [*headers_of(SECRET, OTHER_SECRET), SECRET, body],
        "during a rotation, with the older": [*headers_of(SECRET, OTHER_SECRET), OTHER_SECRET, body],
        "with another version first": [id, timestamp, f"v1a,AAAA {signature}", SECRET, body],
        "a minute late": [*headers_of(SECRET, at=now - timedelta(minutes=1)), SECRET, body],
        "another secret": [*good, OTHER_SECRET, body],
        "another id": [id.replace("published", "gone"), timestamp, signature, SECRET, body],
        "another time": [id, str(int(timestamp) - 1), signature, SECRET, body],
        "another body": [*good, SECRET, body.replace("published", "gone")],
        "another version": [id, timestamp, signature.replace("v1", "v2"), SECRET, body],
        "no version": [id, timestamp, signature.removeprefix("v1,"), SECRET, body],
        "an empty signature": [id, timestamp, "", SECRET, body],
        "half a signature": [id, timestamp, signature[:20], SECRET, body],
        "no time": [id, "", signature, SECRET, body],
        "a time that is none": [id, "now", signature, SECRET, body],
        "ten minutes old": [*headers_of(SECRET, at=now - timedelta(minutes=10)), SECRET, body],
        "ten minutes ahead": [*headers_of(SECRET, at=now + timedelta(minutes=10)), SECRET, body],
    }


def test_the_lines_take_a_delivery_and_nothing_else(say):
    sent = deliveries(datetime.now(UTC))
    said = dict(zip(sent, say([("webhook", *each) for each in sent.values()]), strict=True))
    taken = [*sent][: [*sent].index("another secret")]
    assert said == dict.fromkeys(sent, REFUSED) | dict.fromkeys(taken, f"published {KEY}")


def server_of(world, is_broken=False):
    """The function of this world behind a socket, or a gateway that does not reach it."""

    class Asked(Handler):
        def do_POST(self):
            given = {"Authorization": self.headers["Authorization"]}
            reply = stage.ask(world.functions[0], self.read_body(1 << 20), path=self.path, **given)
            status, text = (502, "Bad Gateway") if is_broken else (reply.status, reply.text)
            self.answer(status, text.encode())

    return Server(Asked)


def test_the_lines_read_each_result_introspect_a_session_and_pass_on_an_error(say, started, log_lines):
    # The backends read their own clocks.
    world, secret = World(HELD, StandingClock(datetime.now(UTC))), HELD["TOKEN_SECRET"]
    stored, discarded = world.store("commit"), world.store("commit")["receipt"]
    assert world.ask("discard", world.session(), receipt=discarded).json["state"] == "gone"
    receipts = ",".join([stored["receipt"], "a.b.c", discarded])
    origin, broken = (started(server_of(world, is_broken)).origin for is_broken in (False, True))
    refused, taken, gateway = say(
        [
            ("call", origin, receipts, OTHER_SECRET, "x"),
            ("call", origin, receipts, secret, world.session("openid-7")),
            ("call", broken, "a.b.c", secret, "x"),
        ]
    )
    assert taken == "published forbidden not_uploaded openid-7"
    code, request_id, message = refused.split(" ", 2)
    assert code == "forbidden"
    assert message == world.ask("commit", world.backend(OTHER_SECRET), receipt="x").json["error"]["message"]
    assert request_id in {line["requestId"] for line in log_lines() if line["route"] == "commit"}
    assert "502" in gateway
