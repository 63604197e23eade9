"""holding.decision_records: cut off after any call or run twice at once, it ends in the same state."""

import json
from datetime import timedelta

import pytest

from function.holding.current_state import HeldState
from function.holding.decision_records import (
    leave_to_a_human,
    make_decision,
    note_check,
    note_due,
    notify_due,
    overrule,
)
from function.holding.held_upload import Case, read_receipt
from function.holding.records import Decision, copy_key, get_decision, put
from function.moderation.finding import SILENT, Finding, Outcome
from function.oss.client import oss_client
from tests.function.holding.conftest import SAME, act_on, later, names
from tests.support.memory_oss import Part
from tests.support.turns import Killed

WORDS = {
    "commit": ("publish", "commit"),
    **{act: (act, "backend") for act in ("publish", "reject", "discard")},
    "discard by the owner": ("discard", "owner"),
}


def kill(house, act, *, at, after):
    """Let the instance end at its n-th call to OSS, before or after it is served: whether it came so far."""
    send, calls = house.oss.serve, iter(range(1, 1000))

    def serve(*args, **kwargs):
        is_last = next(calls) == at
        if is_last and not after:
            raise Killed
        answer = send(*args, **kwargs)
        if is_last:
            raise Killed
        return answer

    house.oss.serve = serve
    try:
        act()
    except Killed:
        return True
    finally:
        del house.oss.serve
    return False


ACTS = {
    "commit": "published",
    "reject": "rejected",
    "discard": "gone",
    **dict.fromkeys(("discard by the owner", "discard what is published"), "gone"),
}


def prepared(house, act, stored):
    """An act of ``ACTS``, still to be done."""
    if act.endswith("published"):
        house.commit(stored["receipt"])
        act = "discard"
    return lambda: act_on(house, act, stored["receipt"])


PLACES = {"published": ["key"], "rejected": [], "gone": []}


@pytest.mark.not_for_coverage
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("by", ["the same request", "a commit", "a tick"])
def test_a_decision_that_was_cut_off_at_any_call_is_completed(house, house_of, act, after, by):
    state, cut_off = ACTS[act], 0
    for at in range(1, 20):
        stored, other = house.store("word"), house_of()
        does, decided = prepared(house, act, stored), f"decided/{stored['uploadId']}"
        before = house.oss.records().get(decided)
        house.events.clear()
        if not kill(house, does, at=at, after=after):
            break
        is_decided = house.oss.records().get(decided) != before
        if by == "the same request":
            prepared(other, act, stored)()
            assert other.status(stored["receipt"]) == state, at
        elif by == "a tick":
            later(other, minutes=1, seconds=59).tick()
            assert house.due() == [], at
            assert is_decided or other.told == [], at
            assert is_decided or names(house, stored) == (["key"] if "published" in act else ["held"]), at
            assert state in other.told + house.told or not is_decided, at
        elif is_decided:
            assert other.resume(stored["receipt"]) == state, at
        cut_off += is_decided
        if is_decided or by == "the same request":
            assert names(house, stored) == PLACES[state], at
    assert cut_off >= 3


@pytest.mark.parametrize(("act", "at", "state"), [("commit", 4, "published"), ("discard", 3, "gone")])
def test_the_request_that_continues_notifies_the_business(house, house_of, word, act, at, state):
    kill(house, lambda: act_on(house, act, word["receipt"]), at=at, after=True)
    assert "held" in names(house, word)
    other = house_of()
    assert other.resume(word["receipt"]) == state
    assert other.told == [state]


def test_the_request_that_continues_a_verdict_sends_its_label(house, house_of, face):
    kill(house, lambda: house.verdict(Outcome.RISKY, label=20002), at=7, after=True)
    assert names(house, face) == ["held"]
    other = house_of()
    assert other.resume(face["receipt"]) == "rejected"
    found = {"by": "wechat", "label": 20002}
    assert other.events == [{"event": "rejected", "receipt": face["receipt"], **found}]
    assert house.oss.records()[f"rejected/{face['uploadId']}"]["label"] == 20002


def test_a_held_object_that_disappears_before_its_rejection_is_rejected(house, word):
    house.oss.between["PutObject"] = lambda: house.oss.objects.pop(f"held/{word['key']}")
    assert house.commit(word["receipt"], decision="reject").json["state"] == "rejected"
    assert f"rejected/{word['uploadId']}" in house.oss.records()
    assert house.told == ["rejected"]


def test_a_decision_that_was_made_and_applied_meanwhile_counts(house, house_of):
    stored, other = house.store("post"), house_of()
    house.oss.between["HeadObject"] = lambda: other.commit(stored["receipt"], decision="reject")
    assert house.commit(stored["receipt"]).json["state"] == "rejected"


def test_a_commit_makes_no_call_twice(house, word):
    """Each call is waited for by the backend, and paid for."""
    house.oss.asked.clear()
    house.commit(word["receipt"])
    looked, decided = ["HeadObject"], ["PutObject", "PutObject"]
    applied = ["CopyObject", "GetObject", "DeleteObject"]
    # The first record is removed at last.
    assert house.oss.asked == [*looked, *decided, *applied, "DeleteObject"]
    assert [name for name in house.oss.records() if name.startswith("due/")] == []


# --- two at once ---


def meanwhile(house, at, act):
    """Let something happen just before the next copy, or while OSS copies."""

    def once():
        house.oss.pause = lambda: None
        act()

    if at == "before":
        house.oss.between["CopyObject"] = act
    else:
        house.oss.pause = once


@pytest.mark.parametrize("at", ["before", "during"])
def test_a_discard_before_or_during_the_copy_leaves_none(house, word, at):
    """A copy that has begun ends after everything of it was deleted."""
    meanwhile(house, at, lambda: house.discard(word["receipt"]))
    assert house.commit(word["receipt"]).code == "not_uploaded"
    assert names(house, word) == []
    assert house.status(word["receipt"]) == "gone"
    assert house.told == ["gone"] or at == "during"


def test_a_discard_during_the_publication_by_a_check_tells_no_verdict(house, face):
    house.oss.between["CopyObject"] = lambda: house.discard(face["receipt"])
    house.verdict(Outcome.PASS, label=100)
    assert {frozenset(event) for event in house.events} == {frozenset({"event", "receipt"})}


def test_a_copy_that_is_made_again_during_a_discard_is_waited_for(house, word):
    """Its record comes after the discard has looked for one, and before the discard is written."""
    assert house.commit(word["receipt"]).json["state"] == "published"
    name = word["uploadId"]

    def copy_again():
        house.oss.store(f"held/.copied/{name}", b'{"at":"2026-11-24T14:00:00Z"}')

    house.oss.between["PutObject"] = lambda: house.oss.between.update(PutObject=copy_again)
    assert house.discard(word["receipt"]).code == "oss_unavailable"
    assert json.loads(house.oss.objects[f"held/.decided/{name}"].body)["copied"] == "2026-11-24T14:00:00Z"
    assert names(house, word) == []
    assert later(house, seconds=91).discard(word["receipt"]).json["state"] == "gone"


def test_a_decision_deleted_during_the_copy_still_publishes(house, word):
    house.oss.pause = lambda: house.oss.objects.pop(f"held/.decided/{word['uploadId']}")
    assert house.commit(word["receipt"]).json["state"] == "published"
    assert names(house, word) == ["key"]


def test_the_first_of_two_decisions_holds(house, word):
    house.oss.between["PutObject"] = lambda: house.commit(word["receipt"], decision="reject")
    assert house.commit(word["receipt"]).json["state"] == "rejected"
    assert names(house, word) == []
    assert house.told == ["rejected"]


def test_a_decision_that_disappears_while_it_is_made_does_not_count(house, log_lines, word):
    decided = f"held/.decided/{word['uploadId']}"

    def is_decided_and_forgotten():
        house.commit(word["receipt"], decision="reject")
        house.oss.between["GetObject"] = lambda: house.oss.objects.pop(decided)

    house.oss.between["PutObject"] = is_decided_and_forgotten
    assert house.commit(word["receipt"]).code == "oss_unavailable"
    assert log_lines()[-1]["reason"] == "the decision disappeared while it was made"


def test_status_during_a_decision_does_not_report_gone(house, word):
    house.oss.between["HeadObject"] = lambda: house.commit(word["receipt"], decision="reject")
    assert house.status(word["receipt"]) == "rejected"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *((field, 5) for field in ("by", "receipt", "etag", "reviewer")),
        *(("decision", None), ("decision", "delete"), ("at", "soon"), ("copied", "2026-11-24T14:00:00")),
    ],
)
@pytest.mark.not_for_coverage
def test_an_invalid_record_of_a_decision_publishes_nothing(house, field, value, log_lines):
    stored = house.store("word")
    said = {"decision": "publish", "by": "commit", "receipt": stored["receipt"], "etag": stored["etag"]}
    said["at"] = "2026-11-24T14:00:00Z"
    house.commit(stored["receipt"], decision="reject")
    house.oss.post(stored["formData"], "bytes")
    said[field] = value
    name = f"held/.decided/{stored['uploadId']}"
    for body in (b"[]", b"{", b"\xff", json.dumps(said).encode()):
        house.oss.replace_object(name, body=body)
        for route in ("commit", "discard", "status"):
            answer = house.ask(route, house.backend(), receipt=stored["receipt"])
            assert (answer.status, answer.code) == (503, "oss_unavailable")
    assert log_lines()[-1]["reason"] == f"{name}: invalid record"
    assert names(house, stored) == ["held"]


# --- the bytes ---


def test_bytes_that_are_stored_after_the_decision_are_not_published(house, word):
    kill(house, lambda: house.commit(word["receipt"]), at=4, after=False)
    house.oss.replace_object(f"held/{word['key']}", parts=(Part("others", 1),))
    house.oss.asked.clear()
    assert later(house, seconds=90).status(word["receipt"]) == "gone"
    assert house.commit(word["receipt"]).code == "not_uploaded"
    assert names(house, word) == ["held"]
    assert house.told == []
    # That OSS would have refused the copy is only the second reason.
    assert "CopyObject" not in house.oss.asked


def test_bytes_that_are_stored_during_publication_are_not_published(house, word):
    change = {"parts": (Part("others", 1),)}
    held = f"held/{word['key']}"
    house.oss.between["CopyObject"] = lambda: house.oss.replace_object(held, **change)
    assert house.commit(word["receipt"]).code == "not_uploaded"
    assert names(house, word) == ["held"]


def test_a_receipt_of_other_bytes_is_gone(house, word):
    """Also while a second copy of the first ones may still run."""
    house.oss.fail("CopyObject", "unheard")
    for status in (503, 200):
        assert house.commit(word["receipt"]).status == status
    assert house.oss.post(word["formData"], "others") == 200
    other = house.ask("confirm", ticket=word["ticket"]).json["receipt"]
    assert house.status(other) == "gone"
    assert house.status(word["receipt"]) == "published"
    assert house.commit(other).code == "not_uploaded"


@pytest.fixture
def store_same(house):
    """Names that are digests may be used again, once what had the name is gone."""
    return lambda: house.store("same", **SAME)


def test_a_later_upload_of_the_same_name_is_not_deleted_for_an_earlier_one(house, store_same):
    first = store_same()
    house.commit(first["receipt"], decision="reject")
    second = store_same()
    assert house.status(first["receipt"]) == "rejected"
    assert house.discard(first["receipt"]).json["state"] == "rejected"
    assert house.status(second["receipt"]) == "held"
    house.discard(second["receipt"])
    third = store_same()
    assert house.status(second["receipt"]) == "gone"
    assert house.status(third["receipt"]) == "held"
    house.commit(third["receipt"])
    assert house.status(second["receipt"]) == "gone"
    assert house.status(third["receipt"]) == "published"


def test_a_verdict_publishes_as_a_commit_does(house, face):
    house.resume(face["receipt"])
    kill(house, lambda: house.verdict(Outcome.PASS), at=7, after=True)
    assert house.resume(face["receipt"]) == "published"
    assert names(house, face) == ["key"]


# --- records ---


@pytest.fixture
def case(house, clock):
    call = house.call()
    upload = read_receipt(house.store("post")["receipt"], call.settings, clock())
    return Case(call, oss_client(call, call.settings.home), upload)


def decision_of(case, action, by="backend"):
    return Decision(action, by, case.upload.receipt, case.upload.etag, case.now)


def test_a_second_decision_leaves_the_due_records_of_the_first(house, case):
    first = decision_of(case, "publish")
    for is_new in (True, False):
        assert make_decision(case, None, first) == (first, is_new)
    assert [name[:12] for name in house.due()] == ["202611241401"]
    noted = note_check(case)
    assert make_decision(noted, None, decision_of(case, "reject")) == (first, False)
    assert {f"held/.due/{name}" for name in house.due()} == {note_due(case, "publish", case.now), noted.due}


@pytest.mark.parametrize("minutes", [-1, 5])
@pytest.mark.parametrize("meanwhile", [False, True])
def test_a_discard_waits_for_the_last_copy_of_what_it_overrules(house, case, minutes, meanwhile):
    last, copied = case.now + timedelta(minutes=minutes), copy_key(case.upload.upload_id)
    at_decision = {"PutObject": lambda: put(case.oss, copied, {}, last)}
    if meanwhile:
        house.oss.between["PutObject"] = lambda: house.oss.between.update(at_decision)
    else:
        put(case.oss, copied, {}, last)
    house.oss.asked.clear()
    found = overrule(case, decision_of(case, "publish"), decision_of(case, "discard"))
    assert found.copied == max(case.now, last)
    assert get_decision(case.oss, case.upload.upload_id) == found
    # The due record and the decision; that once more, after the other's record.
    assert house.oss.asked.count("PutObject") == 2 + 2 * meanwhile


def test_a_second_review_is_not_listed_again(house, case):
    counts = []
    for _ in "ab":
        house.oss.asked.clear()
        leave_to_a_human(case, HeldState("accepted"), Finding(SILENT))
        counts.append(house.oss.asked.count("PutObject"))
    # Its two due records, the review, and its place on the list.
    assert (counts, house.told) == ([4, 3], ["review"])


@pytest.mark.parametrize("seconds", [0, 59])
def test_a_check_goes_on_with_the_next_tick(house, seconds):
    later(house, seconds=seconds).store("face")
    assert [name[:12] for name in house.due("check")] == ["202611241401"]


def test_an_event_that_was_due_has_its_further_fields(house, case):
    assert notify_due(case, "expired", state="review") is True
    assert house.events == [{"event": "expired", "receipt": case.upload.receipt, "state": "review"}]


@pytest.mark.parametrize(("act", "said"), WORDS.items())
def test_a_decision_has_the_same_fields_in_every_version(house, act, said, word):
    act_on(house, act, word["receipt"])
    about = {"etag": word["etag"], "receipt": word["receipt"], "at": "2026-11-24T14:00:00Z"}
    decided = house.oss.records()[f"decided/{word['uploadId']}"]
    assert decided == {"decision": said[0], "by": said[1], **about}
