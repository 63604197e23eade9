"""holding.due_check: accepted uploads that nobody decided about end with their hold, and are told."""

from datetime import timedelta

import jwt
import pytest

from function.errors import OssRejected
from function.holding.due_check import continue_check
from function.moderation.finding import Outcome
from function.oss.client import oss_client
from function.oss.due import NAME, Due
from tests.function.holding.conftest import PROFILES, act_on, amend, later, lose_events, names
from tests.function.holding.test_decision import kill
from tests.support.memory_oss import BROKEN, DENIED, Part


@pytest.fixture
def waiting(house, clock):
    """An upload that WeChat left to a human, as ticks left it."""
    stored = house.store("face")
    house.verdict(Outcome.REVIEW, label=20002)
    later(house, minutes=40).tick()
    house.events.clear()
    return stored


def decision_about(house, stored):
    return house.oss.records().get(f"decided/{stored['uploadId']}", {}).get("decision")


def test_an_undecided_upload_ends_and_the_business_hears_it(house, waiting):
    later(house, hours=23).tick()
    assert (house.told, names(house, waiting), len(house.ends())) == ([], ["held"], 1)
    later(house, minutes=30).tick()
    assert house.events == [{"event": "expired", "receipt": waiting["receipt"], "state": "review"}]
    assert (names(house, waiting), house.due(), house.ends()) == ([], [], [])
    said = house.ask("status", house.backend(), receipts=[waiting["receipt"]]).json["results"][0]
    assert (said["state"], said["decision"]["action"], said["decision"]["by"]) == ("gone", "expire", "time")
    assert house.commit(waiting["receipt"], decision="publish").code == "not_uploaded"
    assert house.discard(waiting["receipt"]).json["state"] == "gone"
    assert house.verdict(Outcome.RISKY)
    assert house.told == ["expired"]


def test_a_review_needs_the_record_of_its_end(house, face):
    """Without it the business would not hear of the end."""
    house.oss.fail("PutObject", "", DENIED)
    with pytest.raises(OssRejected):
        house.verdict(Outcome.REVIEW, label=20002)
    assert house.status(face["receipt"]) == "checking"
    house.verdict(Outcome.REVIEW, label=20002)
    assert (house.status(face["receipt"]), len(house.ends())) == ("review", 1)


@pytest.mark.parametrize("commits", [True, False], ids=["committed", "not committed"])
def test_the_business_hears_of_what_was_committed_only(house, commits, post):
    if commits:
        house.commit(post["receipt"])
        house.verdict(Outcome.REVIEW, label=20002)
    house.events.clear()
    later(house, hours=1).tick()
    later(house, hours=23, minutes=1).tick()
    assert house.told == ["expired"] * commits
    assert decision_about(house, post) == ("expire" if commits else None)


@pytest.mark.parametrize("state", ["held", "checking"])
def test_without_ticks_the_event_has_the_state_until_then(house, state):
    house.wechat.answers = [None] if state == "held" else []
    stored = house.store("face")
    assert house.status(stored["receipt"]) == state
    house.events.clear()
    later(house, days=1, minutes=1).tick()
    assert [(event["event"], event["state"]) for event in house.events] == [("expired", state)]


def test_an_object_that_the_bucket_removed_before_ends_with_the_event(house, waiting):
    del house.oss.objects[f"held/{waiting['key']}"]
    later(house, hours=1).tick()
    assert house.told == []
    later(house, days=2).tick()
    assert house.told == ["expired"]


def test_the_business_hears_at_the_end_of_bytes_that_were_stored_over(house, face):
    house.oss.replace_object(f"held/{face['key']}", parts=(Part("others", 1),))
    house.events.clear()
    later(house, hours=1).tick()
    assert (house.told, len(house.ends())) == ([], 1)
    later(house, days=1).tick()
    assert (house.told, names(house, face)) == (["expired"], [])


@pytest.mark.parametrize("decision", ["publish", "reject", "discard"])
def test_a_decision_that_came_first_counts(house, waiting, decision):
    act_on(house, decision, waiting["receipt"])
    told = list(house.told)
    later(house, days=1).tick()
    assert (decision_about(house, waiting), house.told, house.ends()) == (decision, told, [])


def test_a_published_upload_does_not_end_after_its_decision_has_expired(house, face):
    house.verdict(Outcome.PASS)
    del house.oss.objects[f"held/.decided/{face['uploadId']}"]
    later(house, days=1).tick()
    assert (names(house, face), house.told, house.ends()) == (["key"], ["published"], [])


@pytest.mark.not_for_coverage
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_tick_that_dies_at_any_call_loses_no_end(house, house_of, clock, after):
    cut_off = 0
    for at in range(1, 30):
        house.oss.objects.clear()
        stored = house.store("face")
        assert house.verdict(Outcome.REVIEW, [*house.wechat.submitted][-1], label=20002)
        clock.tick(days=1, minutes=1)
        house.events.clear()
        other = house_of()
        was_cut = kill(house, house.tick, at=at, after=after)
        cut_off += was_cut
        for _ in range(2):
            later(other, minutes=2).tick()
        assert {*house.told, *other.told} == {"expired"}, at
        assert (names(house, stored), house.due(), house.ends()) == ([], [], []), at
        if not was_cut:
            break
    assert cut_off >= 8


def test_an_oss_that_refuses_keeps_the_end_for_later(house, clock, waiting):
    clock.tick(days=1)
    house.oss.fail("DeleteObject", BROKEN, BROKEN)
    house.tick()
    later(house, minutes=2).tick()
    assert (house.told, names(house, waiting), house.ends()) == (["expired"], [], [])


def test_a_receipt_without_the_claim_ends_a_day_before_itself(house, house_of, face):
    """As the business, or an earlier version, signs one."""
    claims = jwt.decode(face["receipt"], options={"verify_signature": False})
    until = claims.pop("heldUntil")
    assert until == claims["exp"] - 86_400 == claims["iat"] + 86_400
    earlier = jwt.encode(claims, house.environ["RECEIPT_SECRET"], "HS256", {"typ": "JWT"})
    assert house.commit(earlier, decision="publish").json["state"] == "published"
    assert later(house, days=1).ask("status", receipt=earlier).json["state"] == "published"


@pytest.mark.parametrize("ticks", [True, False], ids=["while it is held", "at the end"])
def test_a_commit_that_left_its_due_record_alone_is_continued_and_ends_heard(house, ticks, post):
    """As one that was cut off between the two."""
    house.commit(post["receipt"])
    del house.oss.objects[f"held/.accepted/{post['uploadId']}"]
    house.events.clear()
    if ticks:
        later(house, minutes=1).tick()
        assert house.status(post["receipt"]) == "checking"
    later(house, days=1).tick()
    later(house, minutes=1).tick()
    assert (house.told, decision_about(house, post), house.due()) == (["expired"], "expire", [])


@pytest.mark.parametrize("ticks", [True, False], ids=["while it is held", "at the end"])
def test_a_hold_that_ends_after_other_bytes_were_accepted_ends_without_an_event(house, clock, ticks, post):
    house.commit(post["receipt"])
    name = f"held/.accepted/{post['uploadId']}"
    amend(house.oss, name, etag="OTHER")
    body = house.oss.objects[name].body
    house.events.clear()
    if ticks:
        later(house, minutes=1).tick()
    clock.instant = (clock.instant + timedelta(days=1)).replace(minute=0)
    house.tick()
    assert (house.told, decision_about(house, post), house.due(), house.ends()) == ([], None, [], [])
    assert house.oss.objects[name].body == body


@pytest.mark.parametrize("state", ["review", "checking", "cut off"])
def test_a_profile_that_requires_no_check_any_more_loses_no_end(house, house_of, state):
    house.store("post")
    stored = house.store("post")
    house.commit(stored["receipt"])
    if state == "review":
        house.verdict(Outcome.REVIEW, label=20002)
    elif state == "cut off":
        del house.oss.objects[f"held/.accepted/{stored['uploadId']}"]
    post = PROFILES.partition("[post]")[2].partition("\n[")[0]
    world = house_of(PROFILES.replace(post, post.replace('"commit", "check"', '"commit"')))
    for time in ({"minutes": 2}, {"minutes": 40}, {"days": 1}):
        later(world, **time).tick()
    assert [(event["event"], event["state"]) for event in world.events] == [("expired", "held")]
    assert (world.due(), world.ends(), world.wechat.checks) == ([], [], [])


# --- the due record ---


@pytest.fixture
def due_record(house):
    """The due record of a check that WeChat has not begun, and what a tick does with it, and leaves due."""
    house.wechat.answers = [None]
    house.store("face")
    (name,) = [name for name in house.oss.objects if name.startswith("held/.due/")]
    _, kind, owner, id = NAME.fullmatch(name).groups()

    def act():
        call = house.call()
        record = Due(name, call.now, kind, owner, id)
        done = continue_check(call, oss_client(call, call.settings.home), record)
        return done, [each[8:12] for each in (*house.due("check"), *house.ends())]

    return name, act


@pytest.mark.parametrize("second", [0, 59])
@pytest.mark.parametrize(
    ("answers", "is_leased", "done", "minutes"),
    [
        ([], False, True, ("1436", "1437")),
        ([], True, True, ("1402",) * 2),
        ([None], False, False, ("1401",) * 2),
    ],
    ids=["submitted", "by another", "failed"],
)
def test_a_tick_comes_back_when_the_next_step_is_due(
    house, clock, due_record, second, answers, is_leased, done, minutes
):
    name, act = due_record
    clock.tick(minutes=1, seconds=second)
    house.wechat.answers = [*answers]
    if is_leased:
        house.oss.store(f"held/.attempts/{name.rpartition('check-')[2][27:]}-1-0", b"{}")
    # A minute that has begun counts as a whole one.
    assert act() == (done, [minutes[second > 0]])


def test_an_end_without_an_event_stays_due(house, clock, monkeypatch, due_record):
    lose_events(house, monkeypatch)
    clock.tick(days=1)
    assert due_record[1]() == (True, ["1401"])


def test_a_due_record_that_another_tick_has_removed_is_done(house, due_record):
    del house.oss.objects[due_record[0]]
    assert due_record[1]() == (True, [])
