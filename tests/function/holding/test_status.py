"""holding.status: states by receipt alone, which asking does not change."""

import pytest

from function.moderation.finding import Outcome
from tests.function.holding.conftest import COMMIT, SAME, act_on, later, profile, there
from tests.support.memory_oss import Part


def test_after_the_hold_time_an_upload_is_gone_even_if_still_stored(house, word):
    assert later(house, days=3, seconds=-1).status(word["receipt"]) == "held"
    assert later(house, seconds=1).status(word["receipt"]) == "gone"
    assert f"held/{word['key']}" in house.oss.objects
    assert house.commit(word["receipt"]).code == "not_uploaded"


def test_the_hold_ends_before_a_rejection_is_deleted(house, clock, note):
    """The rule deletes the decision some hours before what the same form has stored after it."""
    house.commit(note["receipt"], decision="reject")
    clock.tick(seconds=200)
    assert house.oss.post(note["formData"], "bytes") == 200
    clock.tick(days=1, seconds=-150)
    house.oss.expire(days=1)
    assert house.oss.names() == {f"held/{note['key']}"}
    assert house.oss.records() == {}
    assert house.ask("commit", house.session(), receipt=note["receipt"]).code == "not_uploaded"


def test_a_later_receipt_for_the_same_bytes_does_not_undo_a_rejection(house, clock):
    """It is dated from that form, and about the upload that was rejected."""
    first = house.store("same", **SAME)
    house.commit(first["receipt"], decision="reject")
    clock.tick(seconds=200)
    house.oss.post(first["formData"], "bytes")
    clock.tick(days=1, seconds=-150)
    house.oss.expire(days=1)
    assert house.oss.records() == {}
    again = house.form("same", **SAME)
    assert again["exists"]
    assert house.status(again["receipt"]) == "gone"
    assert house.commit(again["receipt"]).code == "not_uploaded"


def test_held_until_is_there_in_every_open_state(house):
    house.wechat.answers = [None]
    receipt = house.store("face")["receipt"]
    ends = "2026-11-25T14:00:00Z"

    def said():
        answer = house.ask("status", receipt=receipt).json
        return answer["state"], answer.get("heldUntil")

    assert said() == ("held", ends)
    later(house, minutes=1).tick()
    assert said() == ("checking", ends)
    house.verdict(Outcome.REVIEW)
    assert said() == ("review", ends)
    house.commit(receipt, decision="reject")
    assert said() == ("rejected", None)


def test_status_leaves_what_is_due_or_cut_off(house, clock):
    """A receipt alone starts no work that costs."""
    house.wechat.answers = [None]
    due, cut_off = house.store("face"), house.store("word")
    house.oss.fail("CopyObject", "unheard")
    assert house.commit(cut_off["receipt"]).status == 503
    clock.tick(minutes=40)
    before = dict(house.oss.objects)
    house.events.clear()
    house.oss.asked.clear()
    assert house.status(due["receipt"]) == house.status(cut_off["receipt"]) == "held"
    assert set(house.oss.asked) == {"GetObject", "HeadObject"}
    assert (house.oss.objects, house.wechat.submitted, house.events) == (before, {}, [])
    house.tick()
    assert house.status(due["receipt"]) == "checking"
    assert house.status(cut_off["receipt"]) == "published"


@pytest.mark.parametrize(("act", "state"), [("reject", "rejected"), ("discard", "gone")])
def test_another_decision_counts_once_it_is_recorded(house, act, state, word):
    house.oss.fail("DeleteObject", "denied")
    assert act_on(house, act, word["receipt"]).status == 502
    assert house.status(word["receipt"]) == state
    assert f"held/{word['key']}" in house.oss.objects


def test_a_published_upload_is_gone_once_its_object_is_deleted(house, word):
    house.commit(word["receipt"])
    house.oss.fail("DeleteObject", "denied")
    assert house.discard(word["receipt"]).status == 502
    assert house.status(word["receipt"]) == "published"
    assert house.resume(word["receipt"]) == "gone"


def test_an_object_that_was_never_held_is_published_or_gone(house, plain):
    told = {"key": plain["key"], "state": "published", "url": plain["fileUrl"], **there(plain)}
    assert house.ask("status", receipt=plain["receipt"]).json == told
    house.oss.replace_object(plain["key"], parts=(Part("others", 1),))
    assert house.status(plain["receipt"]) == "gone"
    del house.oss.objects[plain["key"]]
    assert house.status(plain["receipt"]) == "gone"


def test_the_log_line_names_the_upload(house, log_lines, word):
    house.status(word["receipt"])
    line = log_lines()[-1]
    told = [line[name] for name in ("route", "state", "profile", "key", "uploadId")]
    assert told == ["status", "held", "word", word["key"], word["uploadId"]]
    assert line["owner"] in word["key"]
    assert "traceId" not in line


def test_status_is_limited_to_sixty_a_minute_and_upload_of_a_backend_and_of_all_others(house, word):
    for token in (house.backend(), ""):
        statuses = [house.ask("status", token, receipt=word["receipt"]).status for _ in range(61)]
        assert statuses == [200] * 60 + [429]
    assert house.commit(word["receipt"]).json["state"] == "published"


@pytest.mark.not_for_coverage
def test_status_is_limited_to_six_hundred_a_minute_and_owner(house, clock):
    """Else whoever has many receipts has OSS asked without bound."""
    receipts = [house.store("word")["receipt"] for _ in range(20)]
    for _ in range(30):
        answer = house.ask("status", receipts=receipts)
        assert [result.get("state") for result in answer.json["results"]] == ["held"] * 20
    clock.tick(seconds=20)
    house.oss.asked.clear()
    answer = house.ask("status", receipts=receipts)
    errors = [(result["error"]["code"], result["error"]["retryAfter"]) for result in answer.json["results"]]
    assert errors == [("too_many_requests", 40)] * 20
    answer = house.ask("status", receipt=receipts[0])
    assert (answer.status, answer.code, answer.headers["Retry-After"]) == (429, "too_many_requests", "40")
    assert house.oss.asked == []
    theirs = house.store("word", subject="openid-2")["receipt"]
    assert house.status(theirs) == "held"
    assert later(house, seconds=40).status(receipts[0]) == "held"


def ask_until_refused(house, receipts):
    for _ in range(30):
        house.ask("status", receipts=receipts)
    assert house.ask("status", receipt=receipts[0]).status == 429


@pytest.mark.not_for_coverage
def test_a_backend_has_its_own_limit(house):
    receipts = [house.store("word")["receipt"] for _ in range(20)]
    ask_until_refused(house, receipts)
    for _ in range(31):
        answer = house.ask("status", house.backend(), receipts=receipts)
        assert [result.get("state") for result in answer.json["results"]] == ["held"] * 20
    assert house.commit(receipts[0]).json["state"] == "published"
    for token in (house.backend(aud="another"), house.session()):
        assert house.ask("status", token, receipt=receipts[1]).status == 429


@pytest.mark.not_for_coverage
def test_without_owners_each_address_is_counted(house_of):
    """All of them are one owner: nobody may keep the others from asking."""
    text = profile("word", COMMIT).replace("{owner}/", "")
    house = house_of(text, CALLER_AUTH="anonymous", WECHAT_PUSH_TOKEN=None, WECHAT_PUSH_AES_KEY=None)

    def store():
        form = house.ask("upload-params", profile="word", filename="a.png").json
        assert house.oss.post(form["formData"], "bytes") == 200
        return house.ask("confirm", ticket=form["ticket"]).json["receipt"]

    receipts = [store() for _ in range(20)]
    ask_until_refused(house, receipts)
    other = house.ask_event(body={"receipt": receipts[0]}, path="/status", source_ip="198.51.100.7")
    assert other.json["state"] == "held"
