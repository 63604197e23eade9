"""Confirmations of decided uploads return the same receipt with the new state."""

import pytest

from function.moderation.finding import Outcome
from tests.function.holding.conftest import act_on, later
from tests.support.cases import text_beside
from tests.support.memory_oss import LOST, UNHEARD, Part, Stored

PART = 100 * 1024
CLIP = text_beside(__file__)


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


ACTS = [("commit", "published"), ("reject", "rejected"), ("discard", "gone")]
VERDICTS = [(Outcome.PASS, "published"), (Outcome.RISKY, "rejected")]


@pytest.mark.parametrize(
    ("profile", "act", "state"),
    [*(("word", *each) for each in ACTS), *(("face", *each) for each in VERDICTS)],
)
def test_a_confirmation_after_a_decision_repeats_the_receipt_with_the_state(house, profile, act, state):
    stored = house.store(profile)
    assert act_on(house, act, stored["receipt"]) if profile == "word" else house.verdict(act)
    for _ in range(2):
        assert asked_again(house, stored) == (state, stored["fileUrl"] if state == "published" else None)
    assert house.told == [state]


def test_a_published_and_discarded_upload_is_gone(house, word):
    house.commit(word["receipt"])
    house.discard(word["receipt"])
    assert asked_again(house, word) == ("gone", None)


def test_a_confirmation_continues_a_publication(house, house_of, word):
    house.oss.fail("DeleteObject", UNHEARD, UNHEARD)
    assert house.commit(word["receipt"]).status == 503
    assert {word["key"], f"held/{word['key']}"} <= set(house.oss.objects)
    assert house.resume(word["receipt"]) == "published"
    assert asked_again(house_of(), word) == ("published", word["fileUrl"])


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


def test_a_later_confirmation_of_an_undecided_upload_is_the_same(house, clock, word):
    clock.tick(seconds=10)
    house.oss.asked.clear()
    assert asked_again(house, word) == ("held", None)
    assert house.oss.asked == ["HeadObject", "GetObject"]


def test_an_upload_with_a_taken_key_is_confirmed_as_held(house, clock, word):
    theirs = Stored((Part("theirs", 9),), {"content-type": "image/png"}, "private", "Normal")
    house.oss.objects[word["key"]] = theirs
    assert house.commit(word["receipt"]).code == "already_exists"
    clock.tick(seconds=10)
    assert asked_again(house, word) == ("held", None)
    assert f"held/{word['key']}" in house.oss.objects


def test_two_uploads_of_one_digest_share_the_decision(house):
    """A form that was given before has a ticket of another upload for the same name."""
    digest = {"sha256": "a" * 64, "size": 1}
    first, second = house.form("same", **digest), house.form("same", **digest)
    assert house.oss.post(first["formData"], "bytes") == 200
    stored = house.ask("confirm", ticket=first["ticket"]).json
    house.oss.fail("DeleteObject", UNHEARD, UNHEARD)
    assert house.commit(stored["receipt"]).status == 503
    answer = later(house, seconds=10).ask("confirm", ticket=second["ticket"]).json
    assert (answer["state"], answer["receipt"]) == ("published", stored["receipt"])


def test_a_later_confirmation_fails_if_the_decision_cannot_be_read(house, clock, word):
    clock.tick(seconds=10)
    house.oss.fail("GetObject", LOST, LOST)
    assert house.ask("confirm", ticket=word["ticket"]).code == "oss_unavailable"
    assert asked_again(house, word) == ("held", None)


def test_a_ticket_without_object_or_decision_is_not_uploaded(house):
    form = house.form("word")
    assert house.ask("confirm", ticket=form["ticket"]).code == "not_uploaded"
    stored = house.store("word")
    del house.oss.objects[f"held/{stored['key']}"]
    assert house.ask("confirm", ticket=stored["ticket"]).code == "not_uploaded"


def test_no_decision_is_read_without_a_hold(house):
    form = house.form("default")
    house.oss.asked.clear()
    assert house.ask("confirm", ticket=form["ticket"]).code == "not_uploaded"
    assert house.oss.asked == ["HeadObject"]


def test_an_unreadable_decision_is_unavailable(house, word):
    house.commit(word["receipt"])
    house.oss.fail("GetObject", LOST, LOST)
    assert house.ask("confirm", ticket=word["ticket"]).code == "oss_unavailable"
    assert asked_again(house, word)[0] == "published"


# --- large files ---


@pytest.fixture
def clip(house_of):
    """A house, and an upload in parts that is complete and held."""
    house = house_of(profiles=CLIP)
    begun = house.ask("multipart", house.session(), profile="clip", filename="a.mp4", size=PART + 1).json
    for part in begun["parts"]:
        assert house.oss.put(part, begun["headers"], f"a{part['number']}", part["size"]) == 200
    done = house.ask("multipart-complete", ticket=begun["ticket"])
    assert (done.status, done.json["state"], done.json["url"]) == (200, "held", None)
    return house, begun, done.json


@pytest.mark.parametrize(("act", "state"), ACTS)
def test_a_repeated_completion_has_the_receipt_and_the_state(clip, act, state):
    house, begun, held = clip
    assert house.ask("multipart-complete", ticket=begun["ticket"]).json == held
    assert act_on(house, act, held["receipt"]).status == 200
    again = house.ask("multipart-complete", ticket=begun["ticket"])
    url = begun["fileUrl"] if state == "published" else None
    assert (again.status, again.json) == (200, {**held, "state": state, "url": url})


def test_a_completion_applies_a_decision_that_was_cut_off(clip):
    house, begun, held = clip
    house.oss.fail("DeleteObject", UNHEARD, UNHEARD)
    assert house.commit(held["receipt"]).status == 503
    assert house.ask("multipart-complete", ticket=begun["ticket"]).json == held
    again = later(house, seconds=10).ask("multipart-complete", ticket=begun["ticket"]).json
    assert again == {**held, "state": "published", "url": begun["fileUrl"]}
    assert house.oss.names() == {begun["key"]}


def test_an_aborted_upload_stays_aborted(clip):
    house, _, _ = clip
    begun = house.ask("multipart", house.session(), profile="clip", filename="a.mp4", size=PART).json
    assert house.ask("multipart-abort", ticket=begun["ticket"]).status == 200
    assert house.ask("multipart-complete", ticket=begun["ticket"]).code == "upload_gone"
