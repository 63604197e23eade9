"""Held objects and their receipts: the same one after a decision, and a check that begins with the first."""

import pytest

from function.moderation.finding import Outcome
from tests.function.holding.conftest import PROFILES, act_on, later
from tests.function.uploads.conftest import FORM_TYPE, KEY_ADDRESS, KeyHost, base64, read_upload, sign
from tests.support.cases import profile_toml
from tests.support.memory_oss import UNHEARD, Part, Stored

FIRST = "60f96f1d-1"
PART = 100 * 1024
PARTED = profile_toml(
    "film", "films", content_types=["audio/*"], parts=True, part_size="100KiB", hold=["commit"]
) + profile_toml("song", "songs", content_types=["audio/*"], parts=True, part_size="100KiB", hold=["check"])


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


def test_an_upload_with_a_taken_key_is_confirmed_as_held(house, clock, word):
    theirs = Stored((Part("theirs", 9),), {"content-type": "image/png"}, "private", "Normal")
    house.oss.objects[word["key"]] = theirs
    assert house.commit(word["receipt"]).code == "already_exists"
    clock.tick(seconds=10)
    assert asked_again(house, word) == ("held", None)
    assert f"held/{word['key']}" in house.oss.objects


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


def test_a_check_begins_with_a_callback(house_of):
    profiles = PROFILES.partition("[same]")[0].replace("confirm = true", "callback = true")
    house = house_of(profiles, CALLBACK_URL="https://f.example/callback")
    house.others["gosspublic.alicdn.com"] = KeyHost()
    form = house.form("face")
    assert house.oss.post(form["formData"], "bytes") == 200
    held = f"held/{form['key']}"
    stored = house.oss.objects[held]
    body = read_upload(form).body(object=held, etag=f'"{stored.etag}"', size=str(stored.size))
    headers = {
        "authorization": sign("/callback", "", body, "rsa"),
        "x-oss-pub-key-url": base64(KEY_ADDRESS),
        "content-type": FORM_TYPE,
    }
    answer = house.ask_event(path="/callback", headers=headers, base64=base64(body))
    assert (answer.status, answer.json["state"]) == (200, "held")
    assert list(house.wechat.submitted) == [FIRST]
    house.verdict(Outcome.PASS)
    assert house.status(answer.json["receipt"]) == "published"
