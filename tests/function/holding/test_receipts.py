"""Held objects and their receipts: the same one afterwards, and a check that begins with the first."""

from types import SimpleNamespace

import pytest

from function.http.client import ExchangeFailed
from function.moderation.finding import Outcome
from tests.function.holding.conftest import PROFILES, act_on, later
from tests.function.uploads.conftest import FORM_TYPE, KEY_ADDRESS, KeyHost, base64, read_upload, sign
from tests.support.cases import text_beside
from tests.support.memory_oss import UNHEARD

FIRST = "60f96f1d-1"
PART = 100 * 1024
PARTED = text_beside(__file__)


@pytest.fixture
def house(house_of):
    return house_of(PROFILES + PARTED)


def asked_again(house, stored):
    """What /confirm says by now, once it is held to what it said before."""
    answer = house.ask("confirm", ticket=stored["ticket"])
    assert answer.status == 200, answer.text
    told = answer.json
    assert told["receipt"] == stored["receipt"]
    same = ("status", "key", "size", "etag", "mimeType", "width", "height", "uploadId")
    assert {name: told[name] for name in same} == {name: stored[name] for name in same}
    assert set(told) == {*same, "url", "state", "receipt"}
    return told["state"], told["url"]


EACH_ACT = pytest.mark.parametrize(
    ("act", "state"), [("commit", "published"), ("reject", "rejected"), ("discard", "gone")]
)


@EACH_ACT
def test_a_confirmation_after_a_decision_repeats_the_receipt_with_the_state(house, act, state, word):
    assert act_on(house, act, word["receipt"]).status == 200
    for _ in range(2):
        assert asked_again(house, word) == (state, word["fileUrl"] if state == "published" else None)
    assert house.told == [state]


@pytest.mark.parametrize(("decision", "state"), [("publish", "published"), ("reject", "rejected")])
def test_a_later_confirmation_applies_a_decision(house, clock, decision, state, word):
    house.oss.fail("DeleteObject", UNHEARD, UNHEARD)
    assert house.commit(word["receipt"], decision=decision).status == 503
    clock.tick(seconds=10)
    url = word["fileUrl"] if state == "published" else None
    assert asked_again(house, word) == (state, url)
    assert house.oss.names() == ({word["key"]} if url else set())
    assert house.told == [state]


def test_an_early_confirmation_reads_no_decision(house, clock, word):
    house.oss.fail("DeleteObject", UNHEARD, UNHEARD)
    house.commit(word["receipt"])
    clock.tick(seconds=9)
    house.oss.asked.clear()
    assert asked_again(house, word) == ("held", None)
    assert house.oss.asked == ["HeadObject"]


def test_a_decision_that_was_cut_off_is_carried_out_by_a_confirmation(house, word):
    house.oss.fail("CopyObject", "unheard")
    assert house.commit(word["receipt"]).code == "oss_unavailable"
    del house.oss.objects[f"held/{word['key']}"]
    assert later(house, seconds=90).ask("confirm", ticket=word["ticket"]).json["state"] == "gone"


# --- in parts ---


def send_in_parts(house, profile):
    wanted = {"profile": profile, "filename": "a.mp3", "size": PART + 1}
    begun = house.ask("multipart", house.session(), **wanted).json
    for part in begun["parts"]:
        assert house.oss.put(part, begun["headers"], f"part {part['number']}", part["size"]) == 200
    return begun


@EACH_ACT
def test_a_repeated_completion_has_the_receipt_and_the_state(house, act, state):
    begun = send_in_parts(house, "film")
    held = house.ask("multipart-complete", ticket=begun["ticket"]).json
    assert house.ask("multipart-complete", ticket=begun["ticket"]).json == held
    assert act_on(house, act, held["receipt"]).status == 200
    again = house.ask("multipart-complete", ticket=begun["ticket"])
    url = begun["fileUrl"] if state == "published" else None
    assert (again.status, again.json) == (200, {**held, "state": state, "url": url})


def test_a_check_begins_with_a_completion(house):
    begun = send_in_parts(house, "song")
    answer = house.ask("multipart-complete", ticket=begun["ticket"]).json
    assert answer["state"] == "held"
    assert list(house.wechat.submitted) == [FIRST]
    house.verdict(Outcome.PASS)
    assert house.status(answer["receipt"]) == "published"
    assert house.ask("multipart-complete", ticket=begun["ticket"]).json["receipt"] == answer["receipt"]


def test_a_multipart_upload_is_held_from_its_completion(house, clock):
    """And not from the end of its ticket, which may be a day later: that is what /status says."""
    begun = send_in_parts(house, "film")
    receipt = later(house, hours=2).ask("multipart-complete", ticket=begun["ticket"]).json["receipt"]
    answer = house.ask("status", receipt=receipt).json
    assert (answer["state"], answer["heldUntil"]) == ("held", "2026-11-25T16:00:00Z")
    assert later(house, days=1, seconds=-1).ask("status", receipt=receipt).json == answer
    clock.tick(seconds=1)
    assert house.ask("status", receipt=receipt).json == {"key": begun["key"], "state": "gone", "url": None}


@pytest.mark.parametrize("act", ["status", "commit"])
def test_a_rejection_outlives_the_rejected_multipart_object(house, clock, act):
    """The ticket of parts may outlive every record: what was completed early is held no longer for that."""
    begun = send_in_parts(house, "film")
    receipt = house.ask("multipart-complete", ticket=begun["ticket"]).json["receipt"]
    house.oss.fail("DeleteObject", UNHEARD, UNHEARD)
    assert house.commit(receipt, decision="reject").code == "oss_unavailable"
    clock.tick(days=1, seconds=1)
    house.oss.expire(days=1, only=lambda key: key.startswith("held/."))
    assert f"held/{begun['key']}" in house.oss.objects
    answer = house.ask(act, house.backend(), receipt=receipt)
    assert answer.json.get("state") == "gone" or answer.code == "not_uploaded"
    assert begun["key"] not in house.oss.objects


# --- by callback ---


@pytest.fixture
def called_back(house_of):
    """A house whose profiles ask for callbacks, and what OSS's call is answered."""
    without_digests = PROFILES.partition("[same]")[0]
    profiles = without_digests.replace("confirm = true", "callback = true")
    house = house_of(profiles, CALLBACK_URL="https://f.example/callback")
    house.others["gosspublic.alicdn.com"] = KeyHost()

    def store(profile):
        form = house.form(profile)
        assert house.oss.post(form["formData"], "bytes") == 200
        upload = read_upload(form)
        stored = house.oss.objects[f"held/{form['key']}"]
        body = upload.body(object=f"held/{form['key']}", etag=f'"{stored.etag}"', size=str(stored.size))
        headers = {
            "authorization": sign("/callback", "", body, "rsa"),
            "x-oss-pub-key-url": base64(KEY_ADDRESS),
            "content-type": FORM_TYPE,
        }
        answer = house.ask_event(path="/callback", headers=headers, base64=base64(body))
        assert answer.status == 200, answer.text
        return answer.json

    return house, store


def test_a_check_begins_with_a_callback(called_back):
    house, store = called_back
    stored = store("face")
    assert stored["state"] == "held"
    assert list(house.wechat.submitted) == [FIRST]
    house.verdict(Outcome.PASS)
    assert house.status(stored["receipt"]) == "published"


@pytest.mark.parametrize("profile", ["word", "post"])
def test_a_callback_does_not_check_an_upload_awaiting_commit(called_back, profile):
    """OSS waits for the answer to its call, so nobody looks where there is nothing to see."""
    house, store = called_back
    assert store(profile)["state"] == "held"
    assert house.wechat.submitted == {}
    assert house.oss.asked == []


def test_a_callback_succeeds_while_oss_and_wechat_are_down(called_back):
    house, store = called_back
    house.wechat.answers = [None]
    house.oss.fail("HeadObject", "unheard", "unheard")
    stored = store("face")
    assert stored["state"] == "held"
    assert house.resume(stored["receipt"]) == "held"
    assert later(house, minutes=1).resume(stored["receipt"]) == "checking"


def test_a_callback_is_answered_in_time_while_wechat_hangs(called_back):
    house, store = called_back
    elapsed = 0.0

    def hang(*_, budget_seconds, **__):
        nonlocal elapsed
        elapsed += budget_seconds
        raise ExchangeFailed("timed out")

    house.monotonic = lambda: elapsed
    house.oss.between["HeadObject"] = lambda: setattr(house, "wechat", SimpleNamespace(send=hang))
    serve = house.oss.serve

    def serve_slowly(*given):
        nonlocal elapsed
        elapsed += 0.4
        return serve(*given)

    house.oss.serve = serve_slowly
    assert store("face")["state"] == "held"
    assert 4.0 < elapsed <= 4.5
