"""The check by Aliyun: decided in the call, asked again until it answers, never published without a pass."""

import json
from base64 import b64encode
from datetime import timedelta

import pytest

from function.errors import OssUnavailable
from function.holding.commands import commit_held
from function.holding.held_upload import Case, read_receipt
from function.moderation.aliyun import MAX_ANSWER_BYTES
from function.moderation.finding import Outcome
from function.moderation.wechat import CANNOT_OPEN
from function.oss.client import oss_client
from tests.function.holding.conftest import (
    ALIYUN,
    BOTH,
    CHECK,
    amend,
    later,
    lose_events,
    names,
    profile,
    swap,
)
from tests.function.holding.test_clean_copy import DIRTY
from tests.function.uploads.conftest import KEY_ADDRESS, KeyHost, read_upload, sign
from tests.support.memory_oss import BROKEN, Refused
from tests.support.turns import Killed

PROFILES = "".join(
    [
        profile("quick", CHECK, ALIYUN),
        profile("sent", BOTH, ALIYUN, "hold_days = 3"),
        profile("short", CHECK, ALIYUN, "hold_days = 1"),
        profile("clip", CHECK, ALIYUN, "hold_days = 1", content_types=["video/*", "audio/*"]),
    ]
)
TWO = profile("both", CHECK, 'check_by = ["wechat", "aliyun"]')
WITHOUT_WECHAT = {
    "CALLER_AUTH": "anonymous",
    "STS_SESSION_SECONDS": None,
    **dict.fromkeys(f"WECHAT_{name}" for name in ("APPID", "SECRET", "PUSH_TOKEN", "PUSH_AES_KEY")),
}
STATES = {"pass": "published", "risky": "rejected", "review": "review", 406: "review", None: "checking"}
LABELS = {"pass": "nonLabel", "risky": "pornographic_adultContent", "review": "political_x"}


@pytest.fixture
def house(house_of):
    """No WeChat anywhere: callers are anonymous."""
    return house_of(PROFILES, **WITHOUT_WECHAT)


@pytest.fixture
def both(house_of):
    """A world whose uploads both look at, Aliyun first."""
    return house_of(TWO)


def stored(house, *answers, profile="quick", **fields):
    house.green.answers = [*answers]
    return house.store(profile, **fields)


@pytest.fixture
def sent(house):
    """An upload that waits for a commit before its check."""
    return stored(house, profile="sent")


def checks(house):
    return [planned for _, planned in house.green.checks]


# --- at once ---


@pytest.mark.parametrize("answer", STATES)
def test_a_confirmation_says_what_was_decided_and_a_repeated_one_does_not_pay_again(house, answer, log_lines):
    said = stored(house, answer)
    assert said["state"] == log_lines()[-1]["state"] == STATES[answer]
    assert said["url"] == (said["fileUrl"] if answer == "pass" else None)
    assert house.status(said["receipt"]) == STATES[answer]
    again = house.ask("confirm", ticket=said["ticket"]).json
    assert (again["state"], again["url"]) == (said["state"], said["url"])
    assert checks(house) == [answer]


@pytest.mark.parametrize(
    ("answer", "left", "label"), [("pass", ["key"], None), ("risky", [], LABELS["risky"])]
)
def test_a_decision_leaves_the_object_under_its_name_or_its_evidence_alone(house, answer, left, label):
    said = stored(house, answer)
    assert (names(house, said), house.due()) == (left, [])
    evidence = house.oss.records().get(f"rejected/{said['uploadId']}", {})
    assert (evidence.get("label"), evidence.get("by")) == (label, label and "check")


@pytest.mark.parametrize("answer", ["pass", "risky", "review"])
def test_the_business_hears_label_and_checker(house, answer):
    house.green.answers = [answer]
    form = house.form("quick")
    house.oss.post(form["formData"], "bytes")
    house.ask("confirm", ticket=form["ticket"])
    uploaded, decided = house.events
    assert uploaded["event"] == "uploaded"
    assert (decided["event"], decided["label"], decided["by"]) == (STATES[answer], LABELS[answer], "aliyun")


def test_a_callback_says_what_was_decided_within_two_seconds(house_of):
    settings = {**WITHOUT_WECHAT, "CALLBACK_URL": "https://upload.example.com/callback"}
    house = house_of(PROFILES.replace("[short]", "[told]").replace("confirm", "callback"), **settings)
    house.others["gosspublic.alicdn.com"] = KeyHost()
    form = house.form("told", size=1)
    house.oss.post(form["formData"], "bytes")
    facts = house.oss.objects[f"held/{form['key']}"]
    upload = read_upload({**form, "key": f"held/{form['key']}"})
    body = upload.body(etag=f'"{facts.etag}"', size="1")
    headers = {
        "authorization": sign("/callback", "", body, "rsa"),
        "x-oss-pub-key-url": b64encode(KEY_ADDRESS.encode()).decode(),
        "content-type": "application/x-www-form-urlencoded",
    }
    told = house.ask_event(path="/callback", headers=headers, base64=b64encode(body).decode())
    said = told.json
    assert (said["state"], said["url"]) == ("published", form["fileUrl"])
    assert house.status(said["receipt"]) == "published"
    assert house.green.asked[0].options["budget_seconds"] == pytest.approx(2.0)


def test_the_address_admits_the_object_for_minutes_and_nothing_else(house, clock):
    said = stored(house, "pass", profile="sent")
    house.green.answers = [None]
    house.commit(said["receipt"])
    (call,) = house.green.asked
    assert call.url.startswith(f"https://my-bucket.oss-cn-hangzhou.aliyuncs.com/held/{said['key']}?")
    assert "x-oss-process" not in call.url and call.parameters["dataId"] == said["uploadId"]
    assert house.oss.lets_in(call.url)
    assert not house.oss.lets_in(call.url.replace("/sent/", "/tens/"))
    clock.tick(minutes=6)
    assert not house.oss.lets_in(call.url)


# --- what no checker sees ---

GIF = b"GIF89a\1\0\1\0\0\0\0" + b",\0\0\0\0\1\0\1\0\0\2\2D\1\0" * 2 + b";"


def test_an_animated_picture_is_sent_nowhere(house):
    said = stored(house, profile="sent", body=GIF, filename="a.gif")
    assert house.commit(said["receipt"]).json["state"] == "review"
    assert house.green.asked == []
    assert house.oss.records()[f"review/{said['uploadId']}"]["reason"] == "animated"


@pytest.mark.parametrize("encoding", ["gzip", "br", "x"])
def test_a_compressed_object_is_sent_nowhere(house, encoding, sent):
    held = house.oss.objects[f"held/{sent['key']}"]
    held.headers["content-encoding"] = encoding
    assert house.commit(sent["receipt"]).json["state"] == "review"
    assert house.green.asked == []


# --- an object that is stored again ---


def cut_off(house, said):
    """Commit an upload, and end that request once the answer of Aliyun is kept."""
    house.green.happens = lambda: house.oss.fail("HeadObject", BROKEN, BROKEN)
    assert house.commit(said["receipt"]).code == "oss_unavailable"
    house.oss.faults.clear()


@pytest.mark.parametrize("answer", ["pass", "risky"])
def test_an_answer_about_an_object_stored_again_decides_nothing(house, answer, sent):
    house.green.answers, house.green.happens = [answer], lambda: swap(house, sent)
    assert house.commit(sent["receipt"]).json["state"] == "review"
    assert names(house, sent) == ["held"]
    assert house.oss.records()[f"review/{sent['uploadId']}"]["reason"] == "changed"


def test_an_answer_about_an_object_stored_again_is_not_kept_for_wechat(both, clock):
    said = stored(both, None, profile="both")
    clock.tick(minutes=1)
    both.green.happens = lambda: swap(both, said)
    assert both.resume(said["receipt"]) == "review"
    assert both.wechat.asked == []


# --- failures ---

PAUSES = [1, 2, 5, 15, 60, 60]


@pytest.mark.not_for_coverage
@pytest.mark.parametrize(
    ("failure", "pauses"), [(500, PAUSES), *((outage, [1] * 7) for outage in (None, 403, 408))]
)
def test_a_check_that_failed_is_repeated_after_growing_pauses(house, failure, pauses):
    """An outage, which others meet as well, does not count."""
    said = stored(house, *[failure] * (len(pauses) + 1))
    assert said["state"] == "checking"
    for count, minutes in enumerate(pauses, start=1):
        assert later(house, minutes=minutes, seconds=-1).resume(said["receipt"]) == "checking"
        assert len(checks(house)) == count
        assert later(house, seconds=1).resume(said["receipt"]) == "checking"
        assert len(checks(house)) == count + 1
    # One record stands for all attempts.
    assert len(house.due("check-")) == 1
    assert later(house, minutes=60).resume(said["receipt"]) == "published"
    deleted = [request.key for request in house.oss.requests if request.method == "DELETE"]
    assert all(key.startswith("held/") for key in deleted)


def test_an_answer_without_an_event_stays_due(house, monkeypatch):
    stored(house, None)
    lose_events(house, monkeypatch)
    later(house, minutes=1).tick()
    assert len(house.due("check")) == 1


def test_a_due_record_keeps_its_time_while_aliyun_is_down(house):
    stored(house, 403, 403)
    before = house.due()
    later(house, minutes=1).tick()
    assert house.due() == before


def test_a_tick_gives_up_an_hour_before_the_object_ends(house_of, clock):
    """Where names are digests it ends before its receipt: by as long as a form is valid."""
    named_by_digest = PROFILES.replace("sent/{owner}/{id}", "sent/{owner}/{sha256}")
    house = house_of(named_by_digest, **WITHOUT_WECHAT)
    said = stored(house, profile="sent", sha256="a" * 64, size=1)
    ends = house.settings.profiles["sent"].expires_in
    clock.tick(seconds=(timedelta(days=2, hours=22, minutes=58) - ends).total_seconds())
    house.green.answers = [500] * 9
    house.commit(said["receipt"])
    for is_left in (False, True):
        later(house, minutes=1).tick()
        assert (f"review/{said['uploadId']}" in house.oss.records()) == is_left
    assert len(checks(house)) == 2


def test_a_request_asks_no_more_after_a_failure(house):
    receipts = [stored(house, profile="sent")["receipt"] for _ in range(3)]
    house.green.answers = ["pass", None]
    answer = house.ask("commit", house.backend(), receipts=receipts)
    assert [each["state"] for each in answer.json["results"]] == ["published", "checking", "held"]
    assert len(checks(house)) == 2
    # The next request, or tick, continues with the last.
    assert len(house.due("check-")) == 2
    assert len([name for name in house.oss.records() if name.startswith("accepted/")]) == 3
    house.green.answers = [None, None]
    house.resume(receipts[2])
    answer = later(house, minutes=1).ask("commit", house.backend(), receipts=receipts[1:])
    assert [each["state"] for each in answer.json["results"]] == ["checking"] * 2
    assert house.resume(receipts[2]) == "published"


def test_a_tick_continues_what_a_request_had_no_time_for(house):
    receipts = [stored(house, profile="sent")["receipt"] for _ in range(3)]
    house.green.answers = [None]
    house.ask("commit", house.backend(), receipts=receipts)
    later(house, minutes=2).tick()
    assert [house.status(receipt) for receipt in receipts] == ["published"] * 3
    assert house.due() == []


def commit_in(call, receipt, **changes):
    """Commit as a backend in this request; ``changes`` are of what the receipt says."""
    upload = read_receipt(receipt, call.settings, call.now)
    upload = upload._replace(content=upload.content._replace(**changes))
    oss = oss_client(call, upload.profile.location)._replace(send=call.instance.send)
    return commit_held(Case(call, oss, upload), None, is_backend=True).shown


@pytest.mark.parametrize(
    ("left", "state", "asked"), [(2.0, "published", 1), (1.9, "held", 0), (0.0, "held", 0)]
)
def test_without_half_a_second_nothing_is_begun(house, left, state, asked, sent):
    house.monotonic, house.call_seconds = lambda: 100.0, left
    assert commit_in(house.call(), sent["receipt"]) == state
    assert (len(checks(house)), len(house.due("check-"))) == (asked, 1 - asked)


def test_a_missing_key_of_the_function_is_a_failure_like_another(house, log_lines):
    receipts = [stored(house, profile="sent")["receipt"] for _ in range(2)]

    del house.environ["ALIBABA_CLOUD_ACCESS_KEY_ID"]
    answer = house.ask("commit", house.backend(), receipts=receipts)
    assert [each["state"] for each in answer.json["results"]] == ["checking", "held"]
    assert log_lines()[-1]["reason"].startswith("check: misconfigured, ")
    assert checks(house) == []


@pytest.mark.parametrize(("profile", "hours"), [("sent", 24), ("short", 23)])
def test_a_check_is_given_up_after_a_day_or_an_hour_before_the_end(house, profile, hours):
    said = stored(house, *[403] * 3, profile=profile)
    house.commit(said["receipt"])
    assert later(house, hours=hours, seconds=-1).resume(said["receipt"]) == "checking"
    assert later(house, seconds=1).resume(said["receipt"]) == "review"
    review = house.oss.records()[f"review/{said['uploadId']}"]
    assert review.keys() == {"reason", "by", "at", "receipt"}
    assert (review["reason"], review["by"], house.told) == ("not-checked", "aliyun", ["review"])
    house.green.answers, before = ["pass"], len(checks(house))
    assert later(house, minutes=11).resume(said["receipt"]) == "review"
    assert len(checks(house)) == before


# --- two at once, and what was cut off ---


def test_two_requests_at_once_pay_once(house, sent):
    states = []

    def meanwhile():
        house.green.happens = lambda: None
        states.append(house.commit(sent["receipt"]).json["state"])

    house.green.happens = meanwhile
    assert house.commit(sent["receipt"]).json["state"] == "published"
    assert states == ["checking"]
    assert len(checks(house)) == 1


def commit_just_before_the_lease(house, said):
    """Commit an upload, and once more just before that request gets the lease; return its state."""
    lease = f"held/.accepted/{said['uploadId']}"

    def first():
        if house.oss.requests[-1].key == lease:
            house.commit(said["receipt"])
            house.oss.faults.clear()
        else:
            house.oss.between["PutObject"] = first

    house.oss.between["PutObject"] = first
    return house.commit(said["receipt"]).json["state"]


@pytest.mark.parametrize("fault", [[], [BROKEN, BROKEN]], ids=["decided", "kept the answer"])
def test_a_request_that_loses_the_lease_says_what_the_other_has_or_decides_by_its_answer(house, sent, fault):
    house.green.happens = lambda: house.oss.fail("HeadObject", *fault)
    assert commit_just_before_the_lease(house, sent) == "published"
    assert len(checks(house)) == 1


def test_a_picture_that_is_said_to_be_looked_at_still_counts_as_not_checked(house, clock):
    """Only a task may have that code."""
    assert minutes_of_calls(house, clock, ["running"] * 60) == [0, 1, 3, 8, 23]


def minutes_of_calls(house, clock, answers):
    """The minutes in which Aliyun is called about an upload that somebody commits every minute."""
    said = stored(house, profile="sent")
    house.green.answers = answers
    began, asked = clock(), []
    for _ in range(45):
        count = len(house.green.asked)
        house.commit(said["receipt"])
        if len(house.green.asked) > count:
            asked.append((clock() - began) // timedelta(minutes=1))
        clock.tick(minutes=1)
    return asked


def test_answers_that_are_never_kept_are_paid_ever_later(house, clock, monkeypatch):
    """As in a bucket whose retention lets nothing be overwritten."""
    put = house.oss._put_object

    def refusing(request, *rest):
        if "/.accepted/" in request.key and request.key in house.oss.objects:
            raise Refused(403, "FileImmutable")
        return put(request, *rest)

    monkeypatch.setattr(house.oss, "_put_object", refusing)
    assert minutes_of_calls(house, clock, ["running"] * 60) == [0, 1, 2, 4, 9, 24]


@pytest.mark.parametrize("answer", ["pass", "risky", "review"])
def test_an_answer_is_not_paid_again_after_a_decision_was_cut_off(house, answer, sent):
    house.green.answers = [answer]
    cut_off(house, sent)
    assert house.resume(sent["receipt"]) == STATES[answer]
    assert len(checks(house)) == 1


@pytest.mark.parametrize(
    "fields",
    [
        *({"state": "review"}, {"since": "soon"}, {"turn": -1}, {"task": 5}, {"stored_at": "x"}),
        *({"at": at} for at in (7, "2026-11-24T14:00:00", "soon")),
        *({"failures": count} for count in (-1, 10**9, "../x")),
        *({"answer": answer} for answer in ("pass", {"outcome": "PASS", "finding": "x"})),
        *({"answer": {"outcome": one, "finding": {}}} for one in ("ERROR", "pass")),
    ],
    ids=str,
)
def test_an_invalid_record_of_progress_decides_nothing(house, sent, log_lines, fields):
    house.green.answers = [None]
    house.commit(sent["receipt"])
    name = f"held/.accepted/{sent['uploadId']}"
    amend(house.oss, name, **fields)
    for route in ("status", "commit"):
        assert house.ask(route, house.backend(), receipt=sent["receipt"]).code == "oss_unavailable"
        assert log_lines()[-1]["reason"] == f"{name}: invalid record"


# --- both checkers ---


@pytest.mark.parametrize(
    ("aliyun", "wechat", "state"),
    [
        ("pass", Outcome.PASS, "published"),
        ("pass", Outcome.RISKY, "rejected"),
        ("pass", Outcome.REVIEW, "review"),
        ("pass", Outcome.ERROR, "review"),
        ("review", Outcome.PASS, "review"),
        ("review", Outcome.RISKY, "rejected"),
        (406, Outcome.PASS, "review"),
    ],
)
def test_both_must_pass(both, aliyun, wechat, state):
    said = stored(both, aliyun, profile="both")
    assert said["state"] == "checking"
    assert len(both.wechat.submitted) == 1
    both.verdict(wechat, errcode=-1008 if wechat is Outcome.ERROR else 0)
    if wechat is not Outcome.ERROR:
        assert both.status(said["receipt"]) == state
    assert both.told == ([state] if wechat is not Outcome.ERROR else both.told)
    assert (said["key"] in both.oss.objects) is (state == "published")


def test_wechat_waits_until_aliyun_has_answered(both):
    said = stored(both, None, profile="both")
    assert (said["state"], both.wechat.asked) == ("checking", [])
    assert later(both, minutes=1).resume(said["receipt"]) == "checking"
    assert (len(both.wechat.submitted), len(both.due("check"))) == (1, 2)
    both.verdict(Outcome.PASS)
    assert both.resume(said["receipt"]) == "published"


def test_a_kept_answer_about_bytes_that_go_before_its_decision_decides_nothing(house, sent):
    house.green.happens = lambda: house.oss.fail("HeadObject", BROKEN, BROKEN)
    assert house.commit(sent["receipt"]).code == "oss_unavailable"
    go = house.oss.objects.pop
    house.oss.between["HeadObject"] = lambda: house.oss.between.update(
        HeadObject=lambda: go(f"held/{sent['key']}")
    )
    assert house.resume(sent["receipt"]) == "gone"
    records = house.oss.records()
    assert records[f"accepted/{sent['uploadId']}"]["answer"]["outcome"] == "PASS"
    assert f"decided/{sent['uploadId']}" not in records


def test_a_rejection_of_aliyun_that_was_cut_off_is_applied_without_wechat(both):
    both.green.happens = lambda: both.oss.fail("HeadObject", BROKEN, BROKEN)
    said = stored(both, "risky", profile="both")
    assert said["state"] == "held"
    both.oss.faults.clear()
    assert both.resume(said["receipt"]) == "rejected"
    assert (len(checks(both)), both.wechat.asked) == (1, [])


def test_a_slower_request_goes_on_to_wechat_with_the_answer_of_another(house_of):
    profiles = TWO.replace('["check"]', '["commit", "check"]')
    house, other = house_of(profiles), house_of(profiles)
    said = stored(house, profile="both")

    def die(_trace):
        raise Killed

    def first():
        other.green.answers, other.wechat.happens = ["pass"], die
        with pytest.raises(Killed):
            other.commit(said["receipt"])

    # After the due record of the slower one, before its lease.
    house.oss.between["PutObject"] = lambda: house.oss.between.update(PutObject=first)
    assert house.commit(said["receipt"]).json["state"] == "checking"
    assert (len(other.green.checks), house.green.checks) == (1, [])
    assert f"accepted/{said['uploadId']}" in house.oss.records()


def test_a_clean_copy_that_is_made_again_is_checked_again_by_aliyun(house_of, oss):
    house = house_of(TWO.replace('["check"]', '["commit", "check"]\nstrip = true'))
    said = stored(house, profile="both", body=DIRTY, filename="a.jpg")
    house.wechat.answers = [None]
    for asked in (1, 2):
        # A copy is younger than what was sent.
        assert later(house, minutes=1).resume(said["receipt"]) == "checking"
        assert len(checks(house)) == asked
        del oss.objects[house.green.checks[-1][0]]


def test_a_verdict_that_cannot_open_comes_again_until_the_submission_after_aliyun_is_recorded(house_of):
    house = house_of(TWO, CALLBACK_URL="https://upload.example.com/callback")
    pushed = []

    def push():
        with pytest.raises(OssUnavailable):
            house.verdict(Outcome.ERROR, errcode=CANNOT_OPEN)
        pushed.append(True)

    # After the record of the submission.
    house.wechat.happens = lambda _trace: house.oss.between.update(GetObject=push)
    said = stored(house, "pass", profile="both")
    house.wechat.happens = lambda _trace: None
    assert (pushed, house.status(said["receipt"])) == ([True], "checking")
    house.verdict(Outcome.ERROR, errcode=CANNOT_OPEN)
    assert "/check-source?" in house.wechat.submitted["60f96f1d-2"]


def test_a_failure_of_wechat_keeps_the_answer_of_aliyun(both):
    both.wechat.answers = [None]
    said = stored(both, "pass", profile="both")
    assert said["state"] == "checking"
    assert both.resume(said["receipt"]) == "checking"
    assert len(both.wechat.checks) == 1
    assert later(both, minutes=1).resume(said["receipt"]) == "checking"
    both.verdict(Outcome.PASS)
    assert both.resume(said["receipt"]) == "published"
    assert len(checks(both)) == 1


def test_a_doubt_of_aliyun_is_what_the_review_says(both):
    said = stored(both, "review", profile="both")
    both.verdict(Outcome.PASS, label=100)
    record = both.oss.records()[f"review/{said['uploadId']}"]
    assert (record["by"], record["label"]) == ("aliyun", "political_x")


def test_an_object_stored_again_after_aliyuns_pass_is_not_published_by_wechats(both):
    """WeChat was asked about the later one, and Aliyun about the earlier."""
    both.wechat.answers = [None]
    said = stored(both, "pass", profile="both")
    swap(both, said)
    assert later(both, minutes=1).resume(said["receipt"]) == "checking"
    both.verdict(Outcome.PASS)
    assert both.resume(said["receipt"]) == "review"
    assert both.oss.records()[f"review/{said['uploadId']}"]["reason"] == "changed"


def test_a_pass_of_wechat_does_not_publish_before_aliyun_has_answered(both):
    """As after a change of the profile while WeChat looked."""
    said = stored(both, "pass", profile="both")
    del both.oss.objects[f"held/.accepted/{said['uploadId']}"]
    both.verdict(Outcome.PASS)
    assert both.status(said["receipt"]) == "review"
    assert names(both, said) == ["held"]


def test_an_unanswered_record_is_no_pass(both):
    said = stored(both, "pass", profile="both")
    amend(both.oss, f"held/.accepted/{said['uploadId']}", answer=...)
    both.verdict(Outcome.PASS)
    assert both.status(said["receipt"]) == "review"
    assert both.oss.records()[f"review/{said['uploadId']}"]["reason"] == "not-checked"


# --- videos and sounds ---


def clip(house, *answers, kind="video/mp4", body=None):
    house.green.answers = [*answers]
    form = house.form("clip", filename="a.mp4", contentType=kind)
    house.oss.post(form["formData"], "bytes")
    if body is not None:
        house.oss.replace_object(f"held/{form['key']}", body=body)
    said = house.ask("confirm", ticket=form["ticket"]).json
    house.events.clear()
    return {**form, **said}


@pytest.mark.parametrize(
    ("kind", "answer", "state"),
    [
        ("audio/mpeg", "pass", "published"),
        ("video/mp4", "risky", "rejected"),
        ("video/mp4", "review", "review"),
    ],
)
def test_a_video_or_sound_is_submitted_once_and_its_result_fetched_by_ticks(house, kind, answer, state):
    said = clip(house, "pass", "running", "running", answer, kind=kind)
    assert said["state"] == "checking"
    for _ in range(4):
        later(house, minutes=1).tick()
    assert house.told == [state]
    assert house.status(said["receipt"]) == state
    actions = [call.action for call in house.green.asked]
    assert [action.endswith("Result") for action in actions] == [False, True, True, True]
    assert house.due() == []


def test_the_address_of_a_video_lives_as_long_as_its_session(house, clock):
    clip(house, "pass")
    url = house.green.asked[0].url
    clock.tick(minutes=59)
    assert house.oss.lets_in(url)
    clock.tick(minutes=70)
    assert not house.oss.lets_in(url)


@pytest.mark.parametrize(("session", "covered"), [(3600, 1740), (900, 60)])
def test_a_video_gets_the_session_for_half_an_hour_or_nearly_all_of_a_shorter_one(
    house_of, clock, log_lines, session, covered
):
    house = house_of(PROFILES, **{**WITHOUT_WECHAT, "STS_SESSION_SECONDS": str(session)})
    house.oss.give_sessions(house.function, timedelta(seconds=session))
    are_new = []
    for seconds in (0, covered, 1):
        clock.tick(seconds=seconds)
        assert clip(house, "pass")["state"] == "checking"
        are_new.append(log_lines()[-1]["stsRefreshed"])
    assert are_new == [True, False, True]


@pytest.mark.not_for_coverage
def test_a_result_is_fetched_after_growing_pauses_and_without_a_lease(house, clock):
    said = clip(house, "pass", *["running"] * 99)
    asked = []
    for seconds in range(0, 45 * 60, 10):
        before = len(house.green.asked)
        house.resume(said["receipt"])
        asked += [seconds / 60] * (len(house.green.asked) - before)
        clock.tick(seconds=10)
    assert asked == [1, 2, 4, 7, 12, 22, 32, 42]
    accepted = [name for name in house.oss.records() if name.startswith(("accepted/", "attempts/"))]
    assert accepted == [f"accepted/{said['uploadId']}"]


def test_a_failed_fetch_keeps_the_task(house):
    said = clip(house, "pass", None, 500, 500, "running")
    asked = []
    for _ in range(11):
        later(house, seconds=30).resume(said["receipt"])
        asked.append(len(house.green.asked))
    # Only what this one did itself is paused after, until an answer.
    assert asked == [1, 2, 3, 3, 4, 4, 4, 4, 5, 5, 6]
    assert house.status(said["receipt"]) == "published"
    assert [call.action for call in house.green.asked] == ["VideoModeration", *["VideoModerationResult"] * 5]


def test_a_result_is_not_fetched_again_after_a_decision_was_cut_off(house, clock):
    said = clip(house, "pass")
    clock.tick(minutes=1)
    cut_off(house, said)
    assert house.resume(said["receipt"]) == "published"
    assert len(house.green.asked) == 2


def test_a_video_stored_again_since_its_submission_goes_to_review(house):
    said = clip(house, "pass")
    swap(house, said)
    assert later(house, minutes=1).resume(said["receipt"]) == "review"


def test_a_result_that_is_too_long_is_a_review_and_keeps_no_other_waiting(house, clock):
    long, other = clip(house, "pass"), clip(house, "pass")
    house.green.answers = [b" " * (MAX_ANSWER_BYTES + 1)]
    clock.tick(minutes=1)
    receipts = [long["receipt"], other["receipt"]]
    answer = house.ask("commit", house.backend(), receipts=receipts)
    assert [each["state"] for each in answer.json["results"]] == ["review", "published"]
    assert house.oss.records()[f"review/{long['uploadId']}"]["reason"] == "unreadable"
    later(house, minutes=9).tick()
    assert (len(house.green.asked), house.due()) == (4, [])


def test_a_task_that_never_ends_is_given_up(house):
    said = clip(house, "pass", *["running"] * 99)
    assert later(house, hours=23).resume(said["receipt"]) == "review"
    assert house.oss.records()[f"review/{said['uploadId']}"]["by"] == "aliyun"


@pytest.mark.parametrize("body", [b"\0\0\0\x20ftypisom", b"\xff\xd8\xff"])
def test_a_sound_that_begins_like_something_else_is_sent_nowhere(house, body):
    said = clip(house, kind="audio/mpeg", body=body)
    assert house.green.asked == []
    assert said["state"] == "review"
    assert house.oss.records()[f"review/{said['uploadId']}"]["reason"] == "unsupported"


def test_a_type_that_aliyun_does_not_know_is_sent_nowhere(house, sent):
    assert commit_in(house.call(), sent["receipt"], mime_type="text/plain") == "review"
    assert house.green.asked == []


@pytest.mark.parametrize(("answer", "calls"), [("pass", 13), ("risky", 13), ("review", 18)])
def test_a_commit_that_aliyun_checks_costs_few_calls_of_oss(house, answer, calls, sent):
    house.green.answers = [answer]
    house.oss.asked.clear()
    assert house.commit(sent["receipt"]).json["state"] == STATES[answer]
    assert len(house.oss.asked) == calls, house.oss.asked


def test_a_tick_that_leaves_it_to_a_human_deletes_each_record_once(house, clock):
    stored(house, None)
    clock.tick(minutes=1)
    house.green.answers = ["review"]
    house.oss.asked.clear()
    house.tick()
    assert house.oss.asked.count("DeleteObject") == 2, house.oss.asked


def test_a_doubt_of_aliyun_changes_no_decision_that_was_made_meanwhile(house, sent):
    decision = {"decision": "reject", "by": "backend", "at": "2026-11-24T14:00:00Z"}
    body = json.dumps({**decision, "etag": sent["etag"], "receipt": sent["receipt"]}).encode()
    house.green.answers = ["review"]
    house.green.happens = lambda: house.oss.store(f"held/.decided/{sent['uploadId']}", body)
    assert house.commit(sent["receipt"]).json["state"] == "rejected"
    assert house.told == ["rejected"]


def test_an_answer_about_bytes_that_are_swapped_out_and_back_is_not_paid_again(house, sent):
    key = f"held/{sent['key']}"
    first = house.oss.objects[key]
    house.green.happens = lambda: house.oss.objects.pop(key)
    assert house.commit(sent["receipt"]).code == "not_uploaded"
    house.oss.objects[key] = first
    assert later(house, minutes=5).resume(sent["receipt"]) == "published"
    assert len(house.green.asked) == 1
