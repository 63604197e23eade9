"""steps.recall: who asks for the receipt of what is held no more gets it again, and what became of it."""

import pytest

from function.holding.verdict import Outcome
from torture.parted_oss import LOST, UNHEARD

PART = 100 * 1024
CLIP = """
[clip]
key = "clips/{owner}/{id}{ext}"
max_size = "8MiB"
content_types = ["video/*"]
parts = true
part_size = "100KiB"
parts_within = 3600
hold = ["commit"]
"""


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


def test_after_a_publication_it_is_the_same_receipt_and_where_the_object_is(house):
    stored = house.store("word")
    house.commit(stored["receipt"])
    assert asked_again(house, stored) == ("published", stored["fileUrl"])
    # Each time, and from any instance.
    assert asked_again(house, stored) == ("published", stored["fileUrl"])


@pytest.mark.parametrize(
    ("act", "state"),
    [
        (lambda house, receipt: house.commit(receipt, decision="reject"), "rejected"),
        (lambda house, receipt: house.discard(receipt), "gone"),
    ],
    ids=["rejected", "discarded"],
)
def test_what_will_never_be_seen_has_no_address(house, act, state):
    stored = house.store("word")
    assert act(house, stored["receipt"]).status == 200
    assert asked_again(house, stored) == (state, None)


@pytest.mark.parametrize(("outcome", "state"), [(Outcome.PASS, "published"), (Outcome.RISKY, "rejected")])
def test_so_it_is_after_a_verdict(house, outcome, state):
    stored = house.store("face")
    assert house.verdict(outcome)
    assert asked_again(house, stored)[0] == state


def test_what_was_published_and_discarded_is_gone(house):
    stored = house.store("word")
    house.commit(stored["receipt"])
    house.discard(stored["receipt"])
    assert asked_again(house, stored) == ("gone", None)


def test_the_business_is_not_told_of_the_upload_once_more(house):
    stored = house.store("word")
    house.commit(stored["receipt"])
    asked_again(house, stored)
    assert house.network.told == ["published"]


def test_a_publication_that_was_cut_off_is_carried_out_by_the_question(house, house_of):
    stored = house.store("word")
    house.oss.fail("DeleteObject", UNHEARD, UNHEARD)
    assert house.commit(stored["receipt"]).status == 503
    assert {stored["key"], f"held/{stored['key']}"} <= set(house.oss.objects)
    # Held still, so it is said to be; what was decided is carried out by whoever asks about the receipt.
    assert house.status(stored["receipt"]) == "published"
    assert asked_again(house_of(), stored) == ("published", stored["fileUrl"])


def test_a_ticket_of_what_never_came_or_was_never_decided_about_says_not_uploaded(house, clock):
    form = house.form("word")
    assert house.ask("confirm", ticket=form["ticket"]).code == "not_uploaded"
    stored = house.store("word")
    del house.oss.objects[f"held/{stored['key']}"]
    assert house.ask("confirm", ticket=stored["ticket"]).code == "not_uploaded"


def test_nobody_looks_for_a_decision_about_what_was_never_to_be_held(house):
    form = house.form("default")
    house.oss.asked.clear()
    assert house.ask("confirm", ticket=form["ticket"]).code == "not_uploaded"
    assert house.oss.asked == ["HeadObject"]


def test_where_the_decision_cannot_be_read_nothing_is_said_of_it(house):
    stored = house.store("word")
    house.commit(stored["receipt"])
    house.oss.fail("GetObject", LOST, LOST)
    assert house.ask("confirm", ticket=stored["ticket"]).code == "oss_unavailable"
    assert asked_again(house, stored)[0] == "published"


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


@pytest.mark.parametrize(
    ("act", "state"),
    [
        (lambda house, receipt: house.commit(receipt), "published"),
        (lambda house, receipt: house.commit(receipt, decision="reject"), "rejected"),
        (lambda house, receipt: house.discard(receipt), "gone"),
    ],
    ids=["published", "rejected", "discarded"],
)
def test_a_completion_that_is_repeated_says_the_same_receipt_and_what_became_of_it(clip, act, state):
    house, begun, held = clip
    assert house.ask("multipart-complete", ticket=begun["ticket"]).json == held
    assert act(house, held["receipt"]).status == 200
    again = house.ask("multipart-complete", ticket=begun["ticket"])
    url = begun["fileUrl"] if state == "published" else None
    assert (again.status, again.json) == (200, {**held, "state": state, "url": url})


def test_an_upload_that_was_given_up_stays_so(clip):
    house, _, _ = clip
    begun = house.ask("multipart", house.session(), profile="clip", filename="a.mp4", size=PART).json
    assert house.ask("multipart-abort", ticket=begun["ticket"]).status == 200
    assert house.ask("multipart-complete", ticket=begun["ticket"]).code == "upload_gone"
