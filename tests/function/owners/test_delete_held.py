"""``holding.delete_by_key``: what is deleted by its key is gone for good, though its form is sent again."""

from datetime import timedelta

import pytest

from function.holding.delete_by_key import delete_by_key
from function.moderation.finding import Outcome
from function.oss.client import oss_client
from tests.function.owners.conftest import MINE, PROFILES, key
from tests.function.owners.test_delete import ask, outcomes
from tests.function.owners.test_replaces import DIGEST, HEAP
from tests.support.cases import profile_toml
from tests.support.memory_oss import DENIED, LATE, LOST, UNHEARD

GONE = ["gone"]
CHECKED = profile_toml("face", "faces", confirm=True, hold=["check"], delete="owner") + profile_toml(
    "post", "checked", confirm=True, hold=["commit", "check"], delete="owner"
)
PUSH = {
    "STS_SESSION_SECONDS": "7200",
    "WECHAT_PUSH_TOKEN": "PushSecretCanary",
    "WECHAT_PUSH_AES_KEY": "A" * 43,
}


@pytest.fixture
def checked(house_of):
    return house_of(PROFILES + CHECKED, **PUSH)


def token_of(house, by):
    return house.backend() if by == "backend" else house.session()


def send_again(house, oss, stored, clock):
    """The same form once more, confirmed and asked about, and a tick."""
    assert oss.post(stored["formData"], "bytes") == 200
    clock.tick(seconds=20)
    house.ask("confirm", ticket=stored["ticket"])
    assert house.status(stored["receipt"]) == "gone"
    clock.tick(minutes=2)
    house.tick()


def events(house):
    return [(event["event"], event["receipt"]) for event in house.events]


def published(house):
    stored = house.store("held")
    assert house.commit(stored["receipt"]).json["state"] == "published"
    return stored


def delete(house, stored, token=None):
    """Delete an upload by its key, of which nothing is left."""
    assert outcomes(ask(house, stored["key"], token=token)) == GONE
    assert house.oss.names() == set()


@pytest.mark.parametrize("is_repeated", [True, False])
def test_nothing_is_called_gone_while_a_copy_may_still_land(house, oss, clock, is_repeated):
    stored = house.store("held")
    oss.fail("CopyObject", LATE)
    assert house.commit(stored["receipt"]).code == "oss_unavailable"
    # The first has deleted the held object, so the second finds nothing.
    for _ in range(2):
        (answer,) = ask(house, stored["key"]).json["results"]
        assert (answer["error"]["code"], answer["error"]["retryAfter"]) == ("oss_unavailable", 60)
    oss.land()
    assert outcomes(ask(house, stored["key"])) == ["oss_unavailable"]
    assert stored["key"] not in oss.objects
    clock.tick(seconds=120 if is_repeated else 90)
    if is_repeated:
        assert outcomes(ask(house, stored["key"])) == GONE
    house.tick()
    assert oss.names() == set() and house.due() == [] and house.told == GONE


@pytest.mark.parametrize("by", ["owner", "backend"])
def test_a_published_upload_is_gone_for_good(house, oss, clock, by):
    stored = published(house)
    delete(house, stored, token_of(house, by))
    # No copy of it is under way, so nobody waits for one.
    assert house.status(stored["receipt"]) == "gone"
    assert house.commit(stored["receipt"]).outcome == (404, "not_uploaded")
    send_again(house, oss, stored, clock)
    assert oss.names() == set() and house.due() == []
    assert events(house) == [("published", stored["receipt"]), ("gone", stored["receipt"])] + (
        [("gone", stored["receipt"])] * (len(house.events) - 2)
    )
    assert oss.records()[f"decided/{stored['uploadId']}"]["by"] == by


@pytest.mark.parametrize("by", ["owner", "backend"])
def test_a_held_upload_is_discarded_by_its_key(house, oss, clock, by):
    stored = house.store("held")
    for _ in range(2):
        delete(house, stored, token_of(house, by))
        assert house.told == [] and house.due() == []
    # There is no receipt on record, so the form alone proves nothing.
    assert house.ask("confirm", ticket=stored["ticket"]).outcome == (404, "not_uploaded")
    assert oss.post(stored["formData"], "bytes") == 200
    clock.tick(seconds=20)
    again = house.ask("confirm", ticket=stored["ticket"]).json
    assert (again["state"], again["receipt"]) == ("gone", stored["receipt"])
    assert oss.names() == set() and house.due() == []
    # Now somebody had its receipt.
    assert events(house) == [("gone", stored["receipt"])]
    assert house.commit(stored["receipt"], decision="publish").outcome == (404, "not_uploaded")


def test_a_deletion_during_check_or_review_notifies_the_business(checked, oss):
    committed, doubted = checked.store("post"), checked.store("face")
    assert checked.commit(committed["receipt"]).json["state"] == "checking"
    checked.verdict(Outcome.REVIEW)
    assert checked.status(doubted["receipt"]) == "review"
    # As a review by a version that accepted nothing.
    del oss.objects[f"held/.accepted/{doubted['uploadId']}"]
    checked.events.clear()
    assert outcomes(ask(checked, committed["key"], doubted["key"])) == GONE * 2
    assert oss.names() == set()
    assert events(checked) == [("gone", committed["receipt"]), ("gone", doubted["receipt"])]
    checked.verdict(Outcome.PASS, "60f96f1d-2")
    assert oss.names() == set() and checked.told == GONE * 2


def test_a_tick_notifies_the_business_when_it_continues_the_check_of_a_deleted_upload(checked, oss, clock):
    stored = checked.store("face")
    del oss.objects[f"held/.accepted/{stored['uploadId']}"]
    delete(checked, stored)
    assert checked.told == []
    for _ in range(2):
        clock.tick(minutes=40)
        checked.tick()
        assert events(checked) == [("gone", stored["receipt"])]


def test_bytes_that_were_deleted_by_key_do_not_exist(house_of, oss):
    house = house_of(PROFILES + HEAP, CALLBACK_URL="https://upload.example.com/callback")
    same = {"profile": "heap", "size": 5, "sha256": DIGEST}
    form = house.form(**same)
    assert oss.post(form["formData"], "bytes", 5) == 200
    assert outcomes(ask(house, form["key"])) == GONE
    assert oss.post(form["formData"], "bytes", 5) == 200
    # Of what is not there, and has no id, nothing else is known.
    assert outcomes(ask(house, f"heap/{MINE}/{1:064}.png")) == GONE
    again = house.form(**same)
    assert "exists" not in again and oss.names() == set()
    assert oss.post(again["formData"], "bytes", 5) == 200
    receipt = house.ask("confirm", ticket=again["ticket"]).json["receipt"]
    assert house.commit(receipt).json["state"] == "published"


@pytest.mark.parametrize(("call", "fault"), [("DeleteObject", UNHEARD), ("PutObject", DENIED)])
def test_a_deletion_that_failed_may_be_repeated(house, oss, clock, call, fault):
    stored = published(house)
    oss.fail(call, fault, fault, fault)
    assert outcomes(ask(house, stored["key"])) != GONE
    assert outcomes(ask(house, stored["key"])) == GONE
    assert house.told == ["published", "gone"]
    send_again(house, oss, stored, clock)
    assert oss.names() == set()


def test_a_deletion_that_was_cut_off_is_ended_by_a_tick(house, oss, clock):
    stored = published(house)
    oss.fail("DeleteObject", UNHEARD, UNHEARD)
    assert outcomes(ask(house, stored["key"])) == ["oss_unavailable"]
    clock.tick(minutes=2)
    house.tick()
    assert oss.names() == set() and house.told == ["published", "gone"] and house.due() == []


def test_a_deletion_without_a_receipt_leaves_no_due_record_that_no_tick_could_read(house, oss):
    stored = house.store("held")
    oss.fail("DeleteObject", UNHEARD, UNHEARD)
    assert outcomes(ask(house, stored["key"])) == ["oss_unavailable"]
    assert house.due() == [] and oss.names() == {f"held/{stored['key']}"}
    delete(house, stored)
    assert house.due() == []


def test_an_object_is_deleted_after_its_decision_has_expired(house, oss, clock):
    stored = published(house)
    del oss.objects[f"held/.decided/{stored['uploadId']}"]
    house.events.clear()
    delete(house, stored)
    assert house.told == []
    assert not [name for name in oss.records() if "decided" in name]


def test_the_business_hears_of_a_deletion_after_the_receipt_has_expired(house, oss, clock):
    stored = published(house)
    house.events.clear()
    clock.tick(days=3)
    delete(house, stored)
    assert house.told == GONE and house.due() == []
    assert oss.records()[f"decided/{stored['uploadId']}"]["decision"] == "discard"


def test_a_held_object_of_no_upload_is_deleted(house, oss):
    oss.store(f"held/{key('held')}", b"x", content_type="image/png")
    delete(house, {"key": key("held")})


def test_a_lost_deletion_is_not_repeated_on_a_later_object(house, oss, clock):
    name = key("held")
    oss.store(name, b"x", content_type="image/png")
    oss.fail("DeleteObject", LOST)

    def store_again():
        clock.tick(seconds=1)
        oss.store(name, b"y", content_type="image/png")

    oss.between["DeleteObject"] = lambda: oss.between.update(HeadObject=store_again)
    assert outcomes(ask(house, name)) == GONE
    assert oss.names() == {name}


def test_only_what_a_caller_does_not_find_is_looked_for_among_late_copies(house, oss, clock):
    call, stored = house.call(), house.store("held")
    client, profile = oss_client(call, call.settings.home), call.settings.profiles["held"]

    def asked(before=None):
        oss.asked.clear()
        delete_by_key(call, client, profile, stored["key"], "owner", before)
        return oss.asked.count("GetObject")

    house.commit(stored["receipt"])
    # The decision and when it was copied, both twice; then the decision, for no copy is under way.
    assert [asked(), asked(), asked(clock())] == [4, 1, 0]


# --- replaces ---


def test_a_replaced_upload_is_gone_for_good(house, oss, clock):
    old = published(house)
    clock.tick(minutes=1)
    new = house.store("held", replaces=old["key"])
    assert house.commit(new["receipt"]).json["state"] == "published"
    assert events(house) == [("published", new["receipt"]), ("gone", old["receipt"])]
    assert house.status(old["receipt"]) == "gone"
    send_again(house, oss, old, clock)
    assert oss.names() == {new["key"]}


@pytest.mark.parametrize(("seconds", "stays"), [(-1, False), (0, True), (1, True)])
def test_a_held_object_stored_with_the_new_one_or_later_stays(house, oss, clock, seconds, stays):
    new = house.store("held", replaces=key("held"))
    later = f"held/{key('held')}"
    clock.tick(minutes=1)
    oss.store(later, b"x", content_type="image/png")
    oss.stored_at[later] = clock() + timedelta(seconds=seconds)
    assert house.commit(new["receipt"]).json["state"] == "published"
    assert oss.stored_at[new["key"]] == clock()
    assert oss.names() == {new["key"], *([later] if stays else [])}


def test_a_replacement_that_failed_ends_the_decision_later(house, oss, clock):
    old = published(house)
    clock.tick(minutes=1)
    new = house.store("held", replaces=old["key"])
    oss.between["CopyObject"] = lambda: oss.fail("GetObject", "", DENIED)
    assert house.commit(new["receipt"]).json["state"] == "published"
    assert oss.names() == {old["key"], new["key"]}
    clock.tick(minutes=2)
    house.tick()
    assert oss.names() == {new["key"]} and house.told[-1:] == GONE
    send_again(house, oss, old, clock)
    assert oss.names() == {new["key"]}
