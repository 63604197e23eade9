"""holding.held_upload: the upload of a receipt, and receipts that are refused."""

import json
from datetime import timedelta

import jwt
import pytest

from function.auth.signed_tokens import RECEIPT, SESSION, TICKET, issue_token
from function.errors import Forbidden
from function.holding.held_upload import read_receipt
from function.moderation.finding import Outcome
from function.oss.objects import ObjectFacts
from function.uploads.receipt import Receipt


def claims(**changes):
    said = {
        "key": "words/o/a.png",
        "size": 1,
        "etag": "E7A6",
        "mimeType": "image/png",
        "sub": "openid-1",
        "owner": "o",
        "bucket": "my-bucket",
        "profile": "word",
        "jti": "A" * 22,
        "seen": True,
        "held": True,
        **changes,
    }
    return {name: value for name, value in said.items() if value is not None}


@pytest.fixture
def receipt(house, clock):
    """A receipt that says this, signed like one of the function's."""

    def issue(audience=RECEIPT, secret=None, life=timedelta(days=4), **changes):
        secrets = [secret] if secret else house.settings.receipt_secrets
        return issue_token(claims(**changes), audience=audience, secrets=secrets, now=clock(), life=life)

    return issue


def test_an_upload_is_held_until_its_receipt_says_or_a_day_before_the_receipt_ends(house, receipt, clock):
    said = int((clock() + timedelta(hours=5)).timestamp())
    ends = [
        Receipt.read(text, house.settings, clock()).held_until
        for text in (receipt(), receipt(heldUntil=said))
    ]
    assert [end - clock().replace(microsecond=0) for end in ends] == [timedelta(days=3), timedelta(hours=5)]


def test_a_first_copy_has_no_number_and_later_ones_do(house, receipt, clock):
    upload = read_receipt(receipt(), house.settings, clock())
    copies = [upload.shown._replace(number=number) for number in (0, 1, 2)]
    assert [upload._replace(copy=copy).copy_number for copy in copies] == [0, 0, 2]


@pytest.mark.parametrize(
    ("profile", "age", "left"), [("word", 1, 71), ("word", -1, 72), ("same", 1, 23 - 1 / 12)]
)
def test_an_object_waits_from_when_it_was_stored(house, receipt, clock, profile, age, left):
    """Of the same bytes sent again by the life of a form less, which is five minutes here."""
    upload = read_receipt(receipt(profile=profile), house.settings, clock())
    stored_at, ends = clock() - timedelta(hours=age), clock() + timedelta(hours=left)
    facts = ObjectFacts(1, "E7A6", "image/png", {"upload-id": "A" * 22}, stored_at)
    assert upload.ends(facts) == ends
    waits = [upload.is_waiting(facts, at) for at in (ends - timedelta(seconds=1), ends)]
    assert [*waits, upload.is_waiting(None, ends)] == [True, False, False]


ATTACKS = {
    "of another bucket": {"bucket": "other-bucket"},
    "of another mini-program": {"app": "wxother"},
    "of a profile that is gone": {"profile": "nowhere"},
    "of a profile that holds nothing": {"profile": "default"},
    "a session": {"audience": SESSION},
    "a ticket": {"audience": TICKET},
    "signed by somebody else": {"secret": "another-secret-of-32-bytes-or-more"},
    "that has ended": {"life": timedelta(0)},
}


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize("route", ["commit", "discard", "status"])
def test_a_receipt_of_no_upload_here_is_refused_by_every_route(
    house, receipt, attack, route, clock, log_lines
):
    text = receipt(**ATTACKS[attack])
    with pytest.raises(Forbidden):
        read_receipt(text, house.settings, clock())
    for fields in ({"receipt": text}, {"receipts": [text]}):
        answer = house.ask(route, house.backend(), **fields)
        error = answer.json["error"] if "receipt" in fields else answer.json["results"][0]["error"]
        assert error["code"] == "forbidden"
    assert house.oss.asked == []
    assert house.oss.objects == {}


def test_the_reason_of_a_refused_receipt_is_only_logged(house, receipt, log_lines):
    assert house.ask("status", receipt=receipt(bucket="other-bucket")).status == 403
    assert log_lines()[-1]["reason"] == "receipt: for another app or bucket"


@pytest.mark.parametrize("jti", ["../word", "a/b", "", "é", "a.b", *("x" * size for size in (101, 127, 128))])
@pytest.mark.parametrize("profile", ["word", "face"])
def test_a_receipt_with_an_unsafe_id_is_refused(house, receipt, jti, profile):
    """A business that verifies receipts could sign them, too; records are found by ids alone."""
    answer = house.ask("status", receipt=receipt(jti=jti, profile=profile))
    assert (answer.status, answer.code) == (403, "forbidden")


ODD = [
    *(
        (name, value)
        for name in ("jti", "key", "etag", "owner", "profile")
        for value in (None, 7, [], {}, True)
    ),
    *(("size", value) for value in (None, "1", -1, 1.5, True, 2**60)),
    *((name, "\ud800") for name in ("jti", "key", "etag", "owner", "profile", "mimeType")),
    *((name, value) for name in ("mimeType", "sub") for value in (None, 7, [])),
    ("bucket", []),
    ("exp", 4_000_000),
]


def odd_receipt(receipt, name, value):
    if name == "exp":
        return receipt(life=timedelta(days=value))
    # Absent where it is None.
    return receipt(**{name: value})


@pytest.mark.parametrize(("name", "value"), ODD, ids=repr)
@pytest.mark.not_for_coverage
def test_an_odd_receipt_fails_alone_and_fails_no_push(house, receipt, name, value):
    text, good = odd_receipt(receipt, name, value), house.store("word")["receipt"]
    for route in ("status", "commit", "discard"):
        answer = house.ask(route, house.backend(), receipts=[text, good])
        first, second = answer.json["results"]
        assert (answer.status, first["error"]["code"], "state" in second) == (200, "forbidden", True)
    body = json.dumps({"receipt": text, "since": "2026-11-24T14:00:00Z"}).encode()
    house.oss.store("held/.checks/60f96f1d-7", body, content_type="application/json")
    assert house.verdict(Outcome.PASS, "60f96f1d-7") is True


@pytest.mark.parametrize("receipt", [None, 7, [], {}, "", "x", "\ud800", "a.b.c", "x" * 5000], ids=repr)
def test_a_record_without_a_receipt_fails_no_push(house, receipt):
    house.oss.store("held/.checks/60f96f1d-7", json.dumps({"receipt": receipt}).encode())
    for outcome in Outcome:
        assert house.verdict(outcome, "60f96f1d-7") is True


@pytest.mark.parametrize("kind", ["decided", "accepted", "review"])
@pytest.mark.parametrize(
    "body", [b"[]", b"{", b'{"decision": [], "at": 1e15, "etag": null}', b'{"at": "9999"}']
)
def test_an_upload_with_an_odd_record_fails_alone(house, kind, body):
    odd, good = house.store("post"), house.store("word")
    house.commit(odd["receipt"])
    house.oss.store(f"held/.{kind}/{odd['uploadId']}", body, content_type="application/json")
    for route in ("status", "commit"):
        first, second = house.ask(route, house.backend(), receipts=[odd["receipt"], good["receipt"]]).json[
            "results"
        ]
        assert first.get("state") != "published" and "state" in second


@pytest.mark.parametrize(
    "at",
    ["9999-12-31T23:59:59Z", "9999-12-31T23:59:59-23:59", "9001-01-01T00:00:00Z", "0002-01-01T00:00:00Z"],
)
@pytest.mark.parametrize("kind", ["decided", "copied"])
def test_a_record_of_an_impossible_year_fails_alone(house, kind, at):
    odd, good = house.store("word"), house.store("word")
    house.oss.fail("CopyObject", "unheard")
    house.commit(odd["receipt"])
    house.oss.objects.pop(f"held/{odd['key']}")
    decided = house.oss.records()[f"decided/{odd['uploadId']}"] if kind == "decided" else {}
    body = json.dumps({**decided, "at": at}).encode()
    house.oss.store(f"held/.{kind}/{odd['uploadId']}", body, content_type="application/json")
    answer = house.ask("status", receipts=[odd["receipt"], good["receipt"]])
    first, second = answer.json["results"]
    assert (first["error"]["code"], second["state"]) == ("oss_unavailable", "held")


@pytest.mark.parametrize("size", [0, 2, 900_000])
@pytest.mark.parametrize("profile", ["face", "word"])
def test_a_forged_size_is_about_no_held_object(house, profile, size):
    """A callback's size is the word of whoever uploads: its check would fail for ever."""
    stored = house.store(profile, "bytes")
    said = jwt.decode(stored["receipt"], options={"verify_signature": False})
    forged = jwt.encode({**said, "size": size}, house.environ["RECEIPT_SECRET"], "HS256")
    assert house.status(forged) == "gone"
    assert house.status(stored["receipt"]) != "gone"
    fields = json.dumps({"receipt": forged, "at": "2026-11-24T14:00:00Z"}).encode()
    name = f"held/.due/202611241400/check--{stored['uploadId']}"
    house.oss.store(name, fields)
    house.tick()
    assert name not in house.oss.objects
