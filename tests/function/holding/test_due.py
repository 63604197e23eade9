"""Ticks: whatever a request leaves undone ends without another one, and nothing is done too early."""

import json
from contextlib import suppress

import pytest

from function.errors import OssUnavailable
from function.holding.steps import begin_check_after
from function.http.client import ExchangeFailed
from function.moderation.finding import Outcome
from tests.function.holding.conftest import (
    CHECK,
    PROFILES,
    SAME,
    later,
    lose_events,
    names,
    profile,
    refuse_objects,
)
from tests.function.holding.test_decision import kill
from tests.support.memory_oss import BROKEN, DENIED, LOST, UNHEARD, Part

WORD = profile("word", folder="words")
TWIN = profile("twin", CHECK, end="{sha256}", folder="twins")


def test_a_decision_is_not_continued_while_its_request_may_run(house, clock, word):
    clock.tick(seconds=1)
    kill(house, lambda: house.commit(word["receipt"]), at=4, after=False)
    later(house, seconds=59).tick()
    assert (names(house, word), len(house.due("decision"))) == (["held"], 1)
    later(house, seconds=60).tick()
    assert (names(house, word), house.due()) == (["key"], [])
    assert house.told == ["published"]


def test_a_tick_delivers_the_receipt_that_was_decided_about(house, clock):
    receipt = house.store("same", **SAME)["receipt"]
    again = later(house, seconds=1).form("same", **SAME)["receipt"]
    house.events.clear()
    kill(house, lambda: house.commit(receipt, decision="reject"), at=4, after=True)
    (name,) = house.due("decision")
    # As a request with the other receipt, which came second, wrote it.
    house.oss.store(f"held/.due/{name}", json.dumps({"receipt": again, "what": "reject"}).encode())
    clock.tick(minutes=2)
    house.oss.asked.clear()
    house.tick()
    assert [(event["event"], event["receipt"]) for event in house.events] == [("rejected", receipt)]
    # What was held, and the due record.
    assert house.oss.asked.count("DeleteObject") == 2


@pytest.mark.parametrize("fault", [[UNHEARD, UNHEARD], [BROKEN] * 2, [DENIED]])
def test_a_failed_removal_of_a_due_record_only_repeats_the_notification(house, log_lines, fault, word):
    def fail():
        # The first deletion is that of the held object.
        house.oss.between["DeleteObject"] = lambda: house.oss.fail("DeleteObject", *fault)

    house.oss.between["DeleteObject"] = fail
    answer = house.commit(word["receipt"])
    assert (answer.json["state"], len(house.due())) == ("published", 1)
    assert "DeleteObject" in log_lines()[-1]["reason"]
    later(house, minutes=2).tick()
    assert (house.due(), house.told) == ([], ["published", "published"])


def test_a_role_without_rights_to_due_records_still_discards(house, log_lines, plain):
    house.oss.fail("PutObject", DENIED)
    assert house.discard(plain["receipt"]).json["state"] == "gone"
    assert "PutObject" in log_lines()[-1]["reason"]
    assert (names(house, plain), house.told) == ([], ["gone"])


def test_a_publication_under_a_taken_name_is_not_retried(house, log_lines, note):
    house.oss.store(note["key"], b"others", content_type="image/png")
    assert house.commit(note["receipt"]).code == "already_exists"
    later(house, minutes=2).tick()
    assert (house.due(), names(house, note)) == ([], ["held", "key"])
    (line,) = [each for each in log_lines() if each["route"] == "tick"]
    assert (line["status"], line["due"], line["left"]) == (200, 1, 0)
    assert "decision-" in line["reason"]


@pytest.fixture(params=["aliyun", "wechat"])
def twins(request, house_of):
    """A world, and what makes two uploads of one picture, whose forms are given at once."""
    world = house_of(TWIN + f'check_by = ["{request.param}"]\n')

    def send(form):
        assert world.oss.post(form["formData"], "bytes") == 200
        answer = world.ask("confirm", ticket=form["ticket"]).json
        if request.param == "wechat":
            world.verdict(Outcome.PASS, [*world.wechat.submitted][-1])
        return {**form, **answer}

    def begin(digest):
        """The first is published; what sends the second."""
        forms = [world.form("twin", sha256=digest, size=1) for _ in "ab"]
        first = send(forms[0])
        assert (world.status(first["receipt"]), names(world, first)) == ("published", ["key"])
        world.events.clear()
        return first, lambda: send(forms[1])

    return world, begin


def test_a_checked_upload_with_a_taken_name_is_gone(twins):
    """Nobody hears that the name is taken, and behind the second nobody would find the first."""
    house, begin = twins
    first, send_second = begin("a" * 64)
    second = send_second()
    assert (house.told, names(house, first)) == (["uploaded", "gone"], ["key"])
    assert house.events[-1]["receipt"] == second["receipt"]
    assert [house.status(each["receipt"]) for each in (first, second)] == ["published", "gone"]
    again = house.form("twin", sha256="a" * 64, size=1)
    assert (again["uploadId"], "held" in again) == (first["uploadId"], False)
    later(house, minutes=40).tick()
    assert (house.due(), house.told) == ([], ["uploaded", "gone"])


def test_a_tick_that_finds_the_name_taken_leaves_nothing_due(twins):
    house, begin = twins
    _, send_second = begin("a" * 64)
    house.green.answers = [None]
    second = send_second()
    later(house, minutes=1).tick()
    assert (house.status(second["receipt"]), house.due(), house.ends()) == ("gone", [], [])


@pytest.mark.not_for_coverage
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_an_upload_with_a_taken_name_is_gone_wherever_it_is_cut_off(twins, after):
    house, begin = twins
    cut_off = 0
    for at in range(8, 40):
        first, send_second = begin(f"{at:064x}")
        if not kill(house, send_second, at=at, after=after):
            break
        cut_off += 1
        for _ in range(5):
            for trace in [*house.wechat.submitted][-1:]:
                # WeChat repeats what is answered 503.
                with suppress(OssUnavailable):
                    house.verdict(Outcome.PASS, trace)
            later(house, minutes=10).tick()
        assert (house.due(), house.told[-1], names(house, first)) == ([], "gone", ["key"]), at
        assert house.oss.objects[first["key"]].headers["x-oss-meta-upload-id"] == first["uploadId"]
    assert cut_off > 10


def test_a_publication_of_bytes_that_changed_is_neither_repeated_nor_announced(house, word):
    held = f"held/{word['key']}"
    house.oss.between["CopyObject"] = lambda: house.oss.replace_object(held, parts=(Part("others", 1),))
    assert house.commit(word["receipt"]).code == "not_uploaded"
    for _ in range(2):
        later(house, minutes=2).tick()
    assert (house.due(), house.told, names(house, word)) == ([], [], ["held"])


def test_a_repeated_discard_or_verdict_leaves_nothing_due(house, word):
    for _ in range(2):
        house.discard(word["receipt"])
    checked = house.store("face")
    for _ in range(2):
        house.verdict(Outcome.RISKY)
    assert house.due("decision") == []
    later(house, minutes=2).tick()
    assert house.due() == []
    assert [event["receipt"] for event in house.events] == [checked["receipt"]]


def test_of_two_decisions_the_second_leaves_nothing_due(house, word):
    def reject():
        later(house, minutes=5).commit(word["receipt"], decision="reject")

    house.oss.between["PutObject"] = lambda: house.oss.between.update(PutObject=reject)
    assert house.commit(word["receipt"]).json["state"] == "rejected"
    assert house.due() == []
    assert house.told == ["rejected"]


# --- objects that were never held ---


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_the_business_hears_of_a_plain_discard_after_its_request_died(house, after):
    for at in range(1, 9):
        stored = house.store("default")
        if not kill(house, lambda stored=stored: house.discard(stored["receipt"]), at=at, after=after):
            break
        is_gone = names(house, stored) == []
        later(house, minutes=2).tick()
        assert house.due() == []
        assert names(house, stored) == ([] if is_gone else ["key"])
        assert (house.told == []) is not is_gone
    assert at >= 4
    assert not [each for each in house.oss.requests if "/.decided/" in each.key]


def test_without_a_webhook_nothing_is_due_after_a_plain_discard(house_of):
    house = house_of(UPLOAD_WEBHOOK_URL=None)
    stored = house.store("default")
    house.oss.asked.clear()
    house.discard(stored["receipt"])
    assert (house.oss.asked.count("PutObject"), house.oss.asked.count("DeleteObject")) == (0, 1)


def test_a_discard_from_before_hold_was_set_is_ended(house, house_of):
    profiles = PROFILES.partition("[note]")[0] + WORD
    stored = house_of(profiles, WECHAT_PUSH_TOKEN=None, WECHAT_PUSH_AES_KEY=None).store("word")
    kill(house, lambda: house.discard(stored["receipt"]), at=4, after=False)
    assert names(house, stored) == ["key"]
    later(house, minutes=2).tick()
    assert (names(house, stored), house.due(), set(house.told)) == ([], [], {"gone"})


# --- checks ---


def test_an_object_that_fails_by_itself_is_due_after_growing_pauses(house, monkeypatch):
    refuse_objects(house, monkeypatch)
    house.store("face")
    later(house, minutes=1).tick()
    assert [name[:12] for name in house.due("check")] == ["202611241403"]


@pytest.mark.parametrize("left", [28.0, 4.5, 0.5])
def test_a_check_that_could_not_begin_is_due(house, monkeypatch, left):
    form, send, elapsed = house.form("face"), house.oss.send, 0.0
    assert house.oss.post(form["formData"], "bytes") == 200

    def hang(method, url, **options):
        nonlocal elapsed
        if method != "GET":
            return send(method, url, **options)
        elapsed += options["budget_seconds"]
        raise ExchangeFailed("timed out")

    house.oss.fail("GetObject", BROKEN, BROKEN)
    receipt = house.ask("confirm", ticket=form["ticket"]).json["receipt"]
    assert (len(house.due("check")), house.wechat.checks) == (1, [])
    del house.oss.objects[f"held/.due/{house.due('check')[0]}"]
    house.monotonic, house.call_seconds = lambda: elapsed, left
    with monkeypatch.context() as patch:
        patch.setattr(house.oss, "send", hang)
        call = house.call()
        begin_check_after(call, receipt)
    assert (elapsed < left, call.line.reason.split(",")[0]) == (True, "check: oss_unavailable")
    later(house, minutes=1).tick()
    assert len(house.wechat.submitted) == 1


def test_silence_ends_in_review_by_ticks_alone(house, clock, face):
    seen = []
    for minute in range(75):
        house.tick()
        seen.append((minute, len(house.wechat.submitted), list(house.told)))
        clock.tick(minutes=1)
    submitted = {count: minute for minute, count, _ in reversed(seen)}
    told = next(minute for minute, _, told in seen if told)
    assert (submitted[1], submitted[2], told) == (0, 35, 70)
    assert house.told == ["review"]
    assert house.due() == [] and house.status(face["receipt"]) == "review"


def test_a_tick_that_is_slower_than_the_commit_takes_no_check_from_the_ticks(house, clock, post):
    house.commit(post["receipt"])
    accepted = f"held/.accepted/{post['uploadId']}"
    record = house.oss.objects.pop(accepted)
    clock.tick(minutes=1)
    house.oss.between["PutObject"] = lambda: house.oss.objects.update({accepted: record})
    for _ in range(75):
        house.tick()
        clock.tick(minutes=1)
    assert (len(house.wechat.submitted), house.told) == (2, ["review"])


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("profile", ["face", "post"])
@pytest.mark.not_for_coverage
def test_a_check_continues_after_a_crash_at_any_call(house, house_of, profile, after):
    cut_off = 0
    for at in range(1, 30):
        form = house.form(profile)
        assert house.oss.post(form["formData"], "bytes") == 200

        def act(form=form):
            receipt = house.ask("confirm", ticket=form["ticket"]).json["receipt"]
            if profile == "post":
                house.commit(receipt)

        house.wechat.checks.clear()
        if not kill(house, act, at=at, after=after):
            break
        cut_off += 1
        for _ in range(3):
            later(house, minutes=1).tick()
        if f"accepted/{form['uploadId']}" in house.oss.records() or house.due("check"):
            # Once more if the request died before it had written down what WeChat said.
            assert 1 <= len(house.wechat.checks) <= 2, at
            assert house.due("check"), at
        house.oss.objects.clear()
    assert cut_off >= 6


def test_the_business_hears_of_a_review_after_its_request_died(house, face):
    kill(house, lambda: house.verdict(Outcome.REVIEW, label=21000), at=8, after=True)
    assert house.told == []
    later(house, minutes=2).tick()
    assert [(event["event"], event["label"]) for event in house.events] == [("review", 21000)]
    assert house.due() == []
    # It dies before it decides.
    house.oss.fail("PutObject", "", DENIED)
    assert house.commit(face["receipt"], decision="reject").code == "oss_rejected"
    later(house, minutes=2).tick()
    assert (house.told, house.due()) == (["review"], [])


@pytest.mark.parametrize(
    ("profile", "act", "event"),
    [
        ("word", lambda house, receipt: house.commit(receipt).status == 200, "published"),
        ("default", lambda house, receipt: house.discard(receipt).status == 200, "gone"),
        ("face", lambda house, _receipt: house.verdict(Outcome.REVIEW, label=21000), "review"),
    ],
)
def test_an_event_stays_due_until_it_is_delivered_or_written_down(house, monkeypatch, profile, act, event):
    stored = house.store(profile)
    lose_events(house, monkeypatch)
    assert act(house, stored["receipt"])
    # Its request could not write it down; nor can the first ticks.
    for _ in range(4):
        assert len(house.due("decision")) == 1
        later(house, minutes=1).tick()
    del house.others["shop.example.com"]
    house.tick()
    assert (house.told, house.due("decision")) == ([event], [])


def test_while_wechat_is_down_a_tick_waits_for_it_once(house, clock):
    house.wechat.answers = [None] * 9
    for _ in range(3):
        house.store("face")
    clock.tick(minutes=2)
    house.wechat.checks.clear()
    house.oss.requests.clear()
    house.tick()
    assert len(house.wechat.checks) == 1
    read = [each.key for each in house.oss.requests if each.method == "GET"]
    assert len([key for key in read if key.startswith("held/.due/")]) == 1
    assert len(house.due("check")) == 3
    # Another one comes first then: WeChat may fail for one alone.
    later(house, minutes=1).tick()
    assert len({key for key, _ in house.wechat.checks}) == 2
    house.wechat.answers = []
    later(house, minutes=1).tick()
    assert len(house.wechat.submitted) == 3


def test_a_check_stays_due_while_another_request_submits_it(house, clock):
    house.wechat.answers = [None]
    stored = house.store("face")
    clock.tick(minutes=2)
    # The lease of the second attempt, which that request took a moment before.
    lease = f"held/.attempts/{stored['uploadId']}-1-1"
    house.oss.store(lease, b'{"at":"2026-11-24T14:02:00Z"}')
    house.tick()
    assert (house.wechat.submitted, len(house.due("check"))) == ({}, 1)
    del house.oss.objects[lease]
    later(house, minutes=1).tick()
    assert len(house.wechat.submitted) == 1


# --- a tick that fails or dies ---


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("at_once", [False, True], ids=["one", "two"])
@pytest.mark.not_for_coverage
def test_a_tick_may_die_at_any_call_and_the_next_one_ends_all(house, house_of, clock, after, at_once):
    died = 0
    for at in range(1, 60):
        published, checked = house.store("word"), house.store("face")
        house.oss.fail("CopyObject", UNHEARD)
        house.commit(published["receipt"])
        house.events.clear()
        clock.tick(minutes=2)
        other = house_of()
        if at_once:
            house.oss.between["HeadObject"] = other.tick
        is_over = not kill(house, house.tick, at=at, after=after)
        house.oss.between.clear()
        house.functions[0] = house.new_instance()
        house.tick()
        assert names(house, published) == ["key"], at
        assert set(house.told + other.told) == {"published"}, at
        assert house.due("decision") == [], at
        assert house.status(checked["receipt"]) == "checking", at
        house.oss.objects.clear()
        if is_over:
            break
        died += 1
    assert died >= 10


def test_a_failing_call_does_not_end_a_tick(house, clock):
    """Of every call of a tick one by one, with each kind of failure."""
    for name in ("ListObjectsV2", "GetObject", "HeadObject", "PutObject", "CopyObject", "DeleteObject"):
        for fault in (UNHEARD, LOST, BROKEN, DENIED, "malformed"):
            stored = house.store("word")
            house.oss.fail("CopyObject", UNHEARD)
            house.commit(stored["receipt"])
            clock.tick(minutes=2)
            house.oss.fail(name, fault, fault)
            house.tick()
            house.oss.faults.clear()
            house.tick()
            later(house, minutes=1).tick()
            assert (names(house, stored), house.due("decision")) == (["key"], []), (name, fault)


def test_a_record_of_another_bucket_or_a_foreign_receipt_waits_without_harm(house, two_buckets):
    stored, elsewhere = house.store("word"), two_buckets.store("deed")
    forged = stored["receipt"][:-3] + "AAA"
    for name, receipt in (("a", elsewhere["receipt"]), ("b", forged)):
        fields = {"receipt": receipt, "what": "discard", "at": "2026-11-24T13:58:00Z"}
        body = json.dumps(fields).encode()
        house.oss.store(f"held/.due/202611241359/decision--{name}", body)
        house.oss.store(f"held/.due/202611241359/check--{name}", body)
    before = house.oss.names()
    two_buckets.tick()
    assert (len(house.due()), house.oss.names()) == (4, before)
    assert all(name > "202611241400" for name in house.due())
