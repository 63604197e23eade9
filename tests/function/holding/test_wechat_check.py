"""holding.wechat_check: only a verdict that passes publishes a checked upload."""

import json
import re
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from function.errors import OssUnavailable, StsRejected
from function.holding.accepted_record import LEASE, get_progress
from function.holding.current_state import HeldState
from function.holding.decision_records import notify
from function.holding.held_upload import Case, read_recorded
from function.holding.records import attempt_key
from function.holding.wechat_check import apply_verdict, record_name, submit
from function.moderation.finding import Finding, Outcome, read_finding
from function.moderation.wechat_verdict import Verdict
from function.oss.client import oss_client
from tests.function.holding.conftest import (
    ABROAD,
    CHECK,
    PROFILES,
    act_on,
    later,
    names,
    profile,
    refuse_objects,
    swap,
    there,
)
from tests.support.memory_oss import UNHEARD, MemoryOss, Part, Stored
from tests.support.turns import Killed


def calls_of(house, act):
    house.oss.asked.clear()
    act()
    return len(house.oss.asked)


FIRST, SECOND = "60f96f1d-1", "60f96f1d-2"


@pytest.fixture
def checking(house):
    """An upload that WeChat was asked about with its first receipt; nothing else is needed."""
    stored = house.store("face")
    assert house.status(stored["receipt"]) == "checking"
    assert len(house.wechat.submitted) == 1
    return stored


# --- it begins ---


def test_an_outage_leaves_it_held_and_a_commit_begins_it_after_a_minute(house, log_lines):
    house.wechat.answers = [None, None]
    stored = house.store("face")
    assert stored["state"] == "held"
    reason = "media_check_async: ConnectionResetError"
    assert log_lines()[-1]["reason"] == f"check: wechat_unavailable, {reason}"
    assert house.resume(stored["receipt"]) == "held"
    assert len(house.wechat.checks) == 1
    for state in ("held", "checking"):
        assert later(house, minutes=1).resume(stored["receipt"]) == state


def test_a_confirmation_fails_until_it_is_repeated_where_no_tick_would_begin_its_check(house):
    form = house.form("face")
    house.oss.post(form["formData"], "bytes")
    house.oss.fail("GetObject", "unheard", "unheard")
    house.oss.fail("PutObject", "unheard", "unheard")
    answer = house.ask("confirm", ticket=form["ticket"])
    assert (answer.status, answer.code, house.due()) == (503, "oss_unavailable", [])
    answer = house.ask("confirm", ticket=form["ticket"])
    assert (answer.status, len(house.wechat.submitted)) == (200, 1)


def test_the_check_is_recorded_before_the_response(house, checking):
    records = house.oss.records()
    about = {"receipt": checking["receipt"], "stored_at": "2026-11-24T14:00:00Z"}
    assert records[f"checks/{FIRST}"] == {**about, "at": "2026-11-24T14:00:00Z"}
    accepted = records[f"accepted/{checking['uploadId']}"]
    assert (accepted["state"], accepted["trace"]) == ("submitted", FIRST)


def test_a_request_with_many_uploads_waits_for_a_silent_wechat_once(house, clock):
    receipts = [house.store("post")["receipt"] for _ in range(3)]
    house.wechat.answers = [None]
    answer = house.commit(None, receipts=receipts)
    assert [result["state"] for result in answer.json["results"]] == ["held"] * 3
    assert house.wechat.answers == []
    assert house.wechat.submitted == {}
    leased = [fields for name, fields in house.oss.records().items() if name.startswith("accepted/")]
    assert sorted(each["state"] for each in leased) == ["accepted", "accepted", "submitting"]
    # Of each of them a tick knows.
    assert len(house.due("check")) == 3
    clock.tick(minutes=1)
    house.wechat.answers = [None]
    answer = house.commit(None, receipts=receipts[::-1])
    assert [result["state"] for result in answer.json["results"]] == ["held"] * 3
    clock.tick(minutes=1)
    assert [house.resume(receipt) for receipt in receipts] == ["checking"] * 3


def test_a_tick_leaves_one_record_of_each_upload_that_it_submits(house):
    receipts = [house.store("post")["receipt"] for _ in range(3)]
    house.wechat.answers = [None]
    house.commit(None, receipts=receipts)
    later(house, minutes=2).tick()
    assert (len(house.wechat.submitted), len(house.due("check"))) == (3, 3)


def test_the_first_submission_of_another_copy_has_number_one(house, checking):
    call = house.call()
    oss, id = oss_client(call, call.settings.home), checking["uploadId"]
    upload = read_recorded(checking["receipt"], oss.bucket, call.settings, call.now)
    current = HeldState("accepted", "submit", attempt_key(id, 1, 0), get_progress(oss, id))
    submit(Case(call, oss, upload), current)
    assert (list(house.wechat.submitted), get_progress(oss, id).number) == ([FIRST, SECOND], 1)


# --- who asks at once ---


@pytest.fixture
def due(house, clock):
    """An upload that nobody could ask WeChat about with its first receipt, a minute later."""
    house.wechat.answers = [None]
    stored = house.store("face")
    clock.tick(minutes=1)
    return stored


def test_requests_during_a_submission_submit_nothing(house, post):
    asked = []

    def ask(_trace):
        asked.append(house.status(post["receipt"]))
        asked.append(house.commit(post["receipt"]).json["state"])
        asked.append(house.ask("confirm", ticket=post["ticket"]).json["state"])

    house.wechat.happens = ask
    assert house.commit(post["receipt"]).json["state"] == "checking"
    assert (asked, [*house.wechat.submitted]) == (["held"] * 3, [FIRST])


def test_an_outage_of_wechat_is_not_counted_and_waits_a_minute(house, due):
    """A client may ask once a second about each of its uploads, and WeChat's minute is everybody's."""
    house.wechat.answers = [-1] * 60
    for seconds in (1, 29, 29, 1) * 5:
        assert later(house, seconds=seconds).resume(due["receipt"]) == "held"
    assert 60 - len(house.wechat.answers) == 5
    said = house.oss.records()[f"accepted/{due['uploadId']}"]
    assert (said.get("failures", 0), said["since"]) == (0, "2026-11-24T14:00:00Z")
    house.wechat.answers = []
    assert later(house, minutes=1).resume(due["receipt"]) == "checking"
    assert list(house.wechat.submitted) == [FIRST]


def test_an_object_that_fails_by_itself_is_tried_after_growing_pauses_and_left_to_a_human(
    house, clock, monkeypatch
):
    """An hour before it ends; each request reports the state meanwhile."""
    refuse_objects(house, monkeypatch)
    stored, tried = house.store("post"), []
    name = f"accepted/{stored['uploadId']}"
    expected, now = [0, 1, 3, 8, 23, *range(83, 23 * 60, 60)], 0
    # Asked a minute before, a pause that is shorter shows; a minute after, one that is longer.
    for minute in sorted({each + more for each in expected for more in (-1, 0, 1)} - {-1} | {23 * 60 - 1}):
        clock.tick(minutes=minute - now)
        now = minute
        assert house.resume(stored["receipt"]) == "held", minute
        tried += [minute] * (house.oss.records()[name]["failures"] - len(tried))
    clock.tick(minutes=1)
    assert tried == expected
    assert house.resume(stored["receipt"]) == "review"
    review = house.oss.records()[f"review/{stored['uploadId']}"]
    assert (review["reason"], review["by"], house.wechat.checks) == ("not-checked", "wechat", [])


def test_a_confirmation_begins_a_check_once(house, clock):
    house.wechat.answers = [None]
    form = house.form("face")
    assert house.oss.post(form["formData"], "a") == 200
    for _ in range(5):
        assert house.ask("confirm", ticket=form["ticket"]).json["state"] == "held"
        clock.tick(minutes=2)
    assert len(house.wechat.checks) == 1
    house.tick()
    assert len(house.wechat.submitted) == 1


def killed(_trace):
    raise Killed


@pytest.mark.parametrize(("failed_before", "pauses"), [(False, [60, 60]), (True, [60, 120])])
def test_killed_submissions_are_retried_after_growing_pauses(house, due, clock, failed_before, pauses):
    if not failed_before:
        house.oss.objects.pop(f"held/.accepted/{due['uploadId']}")
    for seconds in pauses:
        house.wechat.happens = killed
        with pytest.raises(Killed):
            house.resume(due["receipt"])
        house.wechat.happens = lambda _trace: None
        before = list(house.wechat.submitted)
        assert later(house, seconds=seconds - 1).resume(due["receipt"]) == "held"
        assert list(house.wechat.submitted) == before
        clock.tick(seconds=1)
    assert house.resume(due["receipt"]) == "checking"
    assert len(house.wechat.submitted) == 3


def test_the_lease_is_at_least_twice_every_function_timeout():
    root = Path(__file__).parents[3]
    text = "".join((root / name).read_text("utf-8") for name in ("s.yaml", "deploy/burst/s.burst.yaml"))
    timeouts = re.findall(r"^ +timeout: ([0-9]+)\b", text, flags=re.M)
    assert timeouts
    assert all(timedelta(seconds=2 * int(seconds)) <= LEASE for seconds in timeouts)


def test_an_unrecorded_submission_is_repeated_after_a_minute(house, due):
    house.oss.fail("PutObject", "", "unheard", "unheard")
    assert house.commit(due["receipt"]).code == "oss_unavailable"
    assert house.resume(due["receipt"]) == "held"
    assert list(house.wechat.submitted) == [FIRST]
    assert later(house, seconds=60).resume(due["receipt"]) == "checking"
    assert list(house.wechat.submitted) == [FIRST, SECOND]


def refuse_late(house, meanwhile):
    """WeChat takes the same once, and then no more: this happens before it refuses the next one."""

    def slow(method, url, *, body=None, **options):
        if "media_check_async" in url:
            del house.others["api.weixin.qq.com"]
            meanwhile()
            house.wechat.answers = [87020]
        return house.wechat.send(method, url, body=body, **options)

    house.others["api.weixin.qq.com"] = slow


def test_a_duplicate_refused_by_wechat_starts_no_review(house, due):
    def another():
        assert later(house, seconds=60).resume(due["receipt"]) == "checking"

    refuse_late(house, another)
    assert house.resume(due["receipt"]) == "checking"
    assert list(house.wechat.submitted) == [FIRST]
    house.verdict(Outcome.PASS)
    assert house.told == ["published"]


def test_a_refusal_after_another_request_failed_starts_a_review(house, due, clock):
    def another():
        clock.tick(seconds=60)
        house.wechat.answers = [None]
        assert house.resume(due["receipt"]) == "held"

    refuse_late(house, another)
    assert house.resume(due["receipt"]) == "review"


def test_a_refusal_after_the_submission_record_is_gone_starts_a_review(house, post):
    refuse_late(house, lambda: house.oss.objects.pop(f"held/.accepted/{post['uploadId']}"))
    assert house.commit(post["receipt"]).json["state"] == "review"
    assert house.told == ["review"]


# --- the verdict ---


def test_pass_publishes(house, checking):
    assert house.verdict(Outcome.PASS, label=100) is True
    assert names(house, checking) == ["key"]
    assert house.status(checking["receipt"]) == "published"
    found = {"by": "wechat", "label": 100}
    assert house.events == [
        {"event": "published", "receipt": checking["receipt"], **found, **there(checking)}
    ]
    assert house.oss.records()[f"decided/{checking['uploadId']}"]["by"] == "check"


def test_the_log_line_of_a_verdict_names_trace_state_and_profile(house, checking):
    call = house.call()
    assert apply_verdict(call, Verdict(FIRST, Outcome.PASS, 100), house.settings.only)
    line = call.line
    assert (line.trace_id, line.state, line.profile) == (FIRST, "published", "face")
    # An event that no checker found anything for leaves what another one found.
    upload = read_recorded(checking["receipt"], call.settings.bucket, call.settings, call.now)
    notify(Case(call, None, upload), "gone")
    assert line.verdict == {"by": "wechat", "label": 100}
    assert (line.key, line.upload_id) == (checking["key"], checking["uploadId"])
    assert line.owner in checking["key"]


def test_risky_deletes_and_leaves_the_fact(house, checking):
    assert house.verdict(Outcome.RISKY, label=20002) is True
    assert names(house, checking) == []
    assert house.status(checking["receipt"]) == "rejected"
    said = house.oss.records()[f"rejected/{checking['uploadId']}"]
    assert (said["by"], said["label"]) == ("check", 20002)
    found = {"by": "wechat", "label": 20002}
    assert house.events == [{"event": "rejected", "receipt": checking["receipt"], **found}]


@pytest.mark.parametrize(
    ("outcome", "said"),
    [(Outcome.REVIEW, {"label": 20001}), (Outcome.ERROR, {"errcode": 43104}), (Outcome.REVIEW, {})],
    ids=str,
)
def test_everything_else_stays_held_for_a_human(house, checking, outcome, said):
    assert house.verdict(outcome, **said) is True
    assert names(house, checking) == ["held"]
    assert house.status(checking["receipt"]) == "review"
    label = {"label": said["label"]} if "label" in said else {}
    assert house.events == [{"event": "review", "receipt": checking["receipt"], "by": "wechat", **label}]
    kept = read_finding(house.oss.records()[f"review/{checking['uploadId']}"])
    reason = "errcode" if outcome is Outcome.ERROR else "label"
    assert kept == Finding(reason, "wechat", said.get("label"), (), said.get("errcode"))


@pytest.mark.parametrize(
    ("outcome", "left", "state"), [(Outcome.PASS, ["held"], "review"), (Outcome.RISKY, [], "rejected")]
)
def test_after_a_review_a_verdict_may_reject_and_publishes_nothing(house, checking, outcome, left, state):
    house.verdict(Outcome.REVIEW)
    house.verdict(outcome)
    assert (names(house, checking), house.status(checking["receipt"])) == (left, state)


def test_a_risky_verdict_about_bytes_that_were_stored_over_rejects(house, checking):
    """Else they could come back, and be published as soon as nobody looks."""
    house.oss.replace_object(f"held/{checking['key']}", parts=(Part("others", 1),))
    house.verdict(Outcome.RISKY, label=20002)
    assert (house.told, names(house, checking)) == (["rejected"], [])
    assert house.oss.records()[f"rejected/{checking['uploadId']}"]["label"] == 20002


@pytest.mark.parametrize("outcome", list(Outcome))
@pytest.mark.parametrize("ended", ["by the same", "rejected", "gone"])
def test_a_verdict_that_is_repeated_or_comes_too_late_changes_nothing(house, checking, outcome, ended):
    acts = {"rejected": "reject", "gone": "discard"}
    if ended in acts:
        act_on(house, acts[ended], checking["receipt"])
    else:
        house.verdict(outcome)
    before, told = dict(house.oss.objects), list(house.told)
    assert house.verdict(outcome) is True
    assert (house.oss.objects, house.told) == (before, told)
    if ended in acts:
        assert (house.status(checking["receipt"]), told) == (ended, [ended])


@pytest.mark.parametrize("when", ["before", "meanwhile", "long ago"])
def test_a_risky_verdict_about_a_published_object_starts_a_review(house, checking, when):
    """What everybody sees is not called rejected."""
    if when == "meanwhile":
        house.oss.between["PutObject"] = lambda: house.commit(checking["receipt"], decision="publish")
    else:
        house.commit(checking["receipt"], decision="publish")
    if when == "long ago":
        del house.oss.objects[f"held/.decided/{checking['uploadId']}"]
    before = dict(house.oss.objects)
    assert house.verdict(Outcome.RISKY, label=20006) is True
    assert house.oss.objects == before or when == "meanwhile"
    found = {"by": "wechat", "label": 20006, "state": "published"}
    assert house.events[1:] == [{"event": "review", "receipt": checking["receipt"], **found}]
    assert (house.told[0], names(house, checking)) == ("published", ["key"])
    assert house.status(checking["receipt"]) == "published"


def test_a_pass_does_not_replace_a_commit_required_meanwhile(house, house_of, checking):
    """The operator changed ``hold`` meanwhile, of an object that keeps no rules."""
    del house.oss.objects[f"held/{checking['key']}"].headers["x-oss-meta-rules"]
    later = house_of(PROFILES.replace('hold = ["check"]', 'hold = ["commit", "check"]'))
    later.verdict(Outcome.PASS)
    assert names(house, checking) == ["held"]
    later.wechat.submitted.update(house.wechat.submitted)
    house.oss.asked.clear()
    assert later.commit(checking["receipt"]).json["state"] == "checking"
    # A tick knows of its check already.
    assert house.oss.asked.count("PutObject") == 1
    assert later.status(checking["receipt"]) == "checking"


def test_another_object_of_the_name_does_not_make_wechat_repeat_itself(house, checking):
    stranger = Stored((Part("theirs", 9),), {"content-type": "image/png"}, "private", "Normal")
    house.oss.objects[checking["key"]] = stranger
    call = house.call()
    assert apply_verdict(call, Verdict(FIRST, Outcome.PASS), house.settings.only) is True
    assert call.line.reason
    assert house.oss.objects[checking["key"]] is stranger
    del house.oss.objects[checking["key"]]
    assert house.resume(checking["receipt"]) == "published"


# --- who comes first ---


def test_a_verdict_with_an_unknown_trace_id_is_stored(house):
    assert house.verdict(Outcome.RISKY, "60f96f1d-elsewhere", label=20001) is False
    said = house.oss.records()["verdicts/60f96f1d-elsewhere"]
    assert (said["outcome"], said["label"], said["errcode"]) == ("RISKY", 20001, 0)
    assert house.told == []


@pytest.mark.parametrize(
    ("outcome", "state"),
    [(Outcome.PASS, "published"), (Outcome.RISKY, "rejected"), (Outcome.REVIEW, "review")],
)
def test_a_verdict_that_comes_before_the_submission_was_answered_is_not_lost(house, outcome, state, post):
    house.wechat.happens = lambda trace: house.verdict(outcome, trace, label=7)
    assert house.commit(post["receipt"]).json["state"] == state
    assert house.status(post["receipt"]) == state


def test_a_verdict_needs_only_the_check_record(house, checking):
    """The instance that submitted it ended before it remembered that it had."""
    del house.oss.objects[f"held/.accepted/{checking['uploadId']}"]
    assert house.verdict(Outcome.PASS) is True
    assert house.status(checking["receipt"]) == "published"
    assert list(house.wechat.submitted) == [FIRST]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("outcome", value) for value in ("MAYBE", ["PASS"])),
        *(("label", value) for value in ("100", 10**10)),
        *(("errcode", value) for value in ("0", -(10**10) - 1)),
        ("label", ...),
    ],
)
def test_an_invalid_record_of_a_verdict_publishes_nothing(house, field, value, log_lines):
    stored = house.store("post")

    def keep(trace):
        fields = {"outcome": "PASS", "label": 100, "errcode": 0, field: value}
        body = json.dumps({name: one for name, one in fields.items() if one is not ...}).encode()
        house.oss.objects[f"held/.verdicts/{trace}"] = Stored((Part("v", 1),), {}, "private", "Normal", body)

    house.wechat.happens = keep
    assert house.commit(stored["receipt"]).code == "oss_unavailable"
    assert log_lines()[-1]["reason"] == f"held/.verdicts/{FIRST}: invalid record"
    assert names(house, stored) == ["held"]


# --- an object that is stored again while WeChat looks ---


def test_a_pass_counts_only_for_an_object_not_stored_again_since(house, checking):
    swap(house, checking)
    house.verdict(Outcome.PASS, label=100)
    assert house.status(checking["receipt"]) == "review"
    assert names(house, checking) == ["held"]
    assert house.told == ["review"]
    assert house.commit(checking["receipt"], decision="publish").json["state"] == "published"


@pytest.mark.parametrize("ahead", [-240, 240])
def test_only_the_clock_of_oss_dates_a_submission(house, clock, ahead):
    house.oss.now = lambda: clock() + timedelta(seconds=ahead)
    stored = house.store("face")
    later(house, seconds=1).verdict(Outcome.PASS)
    assert house.status(stored["receipt"]) == "published"
    swapped = house.store("face")
    swap(house, swapped)
    house.verdict(Outcome.PASS, SECOND)
    assert house.status(swapped["receipt"]) == "review"


@pytest.mark.parametrize("since", [None, 5, "soon", "2026-11-24T14:00:00", []])
def test_a_pass_without_the_date_of_its_submission_goes_to_review(house, checking, since):
    body = json.dumps({"receipt": checking["receipt"], "since": since}).encode()
    house.oss.replace_object(f"held/.checks/{FIRST}", body=body)
    house.verdict(Outcome.PASS)
    assert house.status(checking["receipt"]) == "review"


# --- silence ---


def test_after_35_minutes_of_silence_it_is_submitted_again_and_after_35_more_left_to_a_human(house, checking):
    for submitted, then in (([FIRST], "checking"), ([FIRST, SECOND], "review")):
        assert later(house, minutes=35, seconds=-1).resume(checking["receipt"]) == "checking"
        assert list(house.wechat.submitted) == submitted
        assert later(house, seconds=1).resume(checking["receipt"]) == then
    assert house.resume(checking["receipt"]) == "review"
    assert list(house.wechat.submitted) == [FIRST, SECOND]
    assert house.told == ["review"]
    assert house.oss.records()[f"review/{checking['uploadId']}"]["reason"] == "silent"


def test_a_second_submission_that_fails_is_made_a_minute_later(house, checking, clock):
    clock.tick(minutes=35)
    house.wechat.answers = [None]
    assert house.resume(checking["receipt"]) == "checking"
    assert list(house.wechat.submitted) == [FIRST]
    assert "trace" not in house.oss.records()[f"accepted/{checking['uploadId']}"]
    assert later(house, minutes=1).resume(checking["receipt"]) == "checking"
    assert list(house.wechat.submitted) == [FIRST, SECOND]


@pytest.mark.parametrize("unnamed", [None, SimpleNamespace(app="a")])
def test_the_records_of_a_named_app_have_the_same_names_in_every_version(unnamed):
    settings = SimpleNamespace(unnamed=unnamed, owner_secret="s")
    name = record_name(FIRST, "b", settings)
    assert name == "1e2c1da50b460b2ae329d90a631e4823b00991b0cf21008a3614ba895aefeb53"
    assert (record_name(FIRST, "a", settings) == FIRST) is bool(unnamed)


# --- several buckets: a trace id does not tell which ---


@pytest.fixture
def view(two_buckets):
    """An upload in the other bucket."""
    return two_buckets.store("view")


def test_a_verdict_publishes_in_whichever_bucket_its_upload_waits(two_buckets, view):
    (url,) = two_buckets.wechat.submitted.values()
    assert url.startswith(f"https://abroad.oss-cn-shanghai.aliyuncs.com/held/{view['key']}?")
    assert two_buckets.verdict(Outcome.PASS) is True
    assert two_buckets.buckets["abroad"].names() == {view["key"]}
    assert (two_buckets.oss.names(), two_buckets.oss.records()) == (set(), {})
    told = two_buckets.ask("status", receipt=view["receipt"]).json
    assert (told["state"], told["url"]) == ("published", view["fileUrl"])


def test_an_unknown_verdict_is_stored_in_every_bucket_with_checks(two_buckets):
    assert two_buckets.verdict(Outcome.RISKY, label=20001) is False
    for oss in (two_buckets.oss, two_buckets.buckets["abroad"]):
        assert list(oss.records()) == [f"verdicts/{FIRST}"]
    stored = two_buckets.store("view")
    assert two_buckets.status(stored["receipt"]) == "rejected"


@pytest.mark.parametrize("silent", [UNHEARD, "sts"])
def test_an_unavailable_bucket_loses_no_verdict_of_another_bucket(two_buckets, silent, view):
    if silent == "sts":
        two_buckets.without_sessions(two_buckets.oss)
    else:
        two_buckets.oss.fail("GetObject", silent, silent)
    assert two_buckets.verdict(Outcome.PASS) is True
    assert two_buckets.buckets["abroad"].names() == {view["key"]}


def test_a_verdict_is_not_acknowledged_while_a_bucket_is_unavailable(two_buckets):
    two_buckets.store("view")
    two_buckets.buckets["abroad"].fail("GetObject", UNHEARD, UNHEARD)
    with pytest.raises(OssUnavailable):
        two_buckets.verdict(Outcome.PASS)
    assert f"verdicts/{FIRST}" not in two_buckets.oss.records()


def test_a_bucket_without_checks_is_not_searched_for_a_verdict(house_of, clock):
    house = house_of(PROFILES + ABROAD.partition("[view]")[0])
    abroad = MemoryOss("abroad", "cn-shanghai", clock)
    house.others["abroad.oss-cn-shanghai.aliyuncs.com"] = abroad.send
    abroad.give_sessions(house.function)
    assert house.verdict(Outcome.RISKY) is False
    assert (abroad.asked, list(house.oss.records())) == ([], [f"verdicts/{FIRST}"])


def test_a_bucket_that_hangs_keeps_no_verdict_from_another_s(two_buckets, monkeypatch, view):
    two_buckets.hangs(two_buckets.oss, monkeypatch)
    assert two_buckets.verdict(Outcome.PASS) is True
    assert two_buckets.buckets["abroad"].names() == {view["key"]}


def forged(two_buckets, said, in_the_bucket):
    """A record about a trace id, as whoever owns a bucket may write it."""
    body = json.dumps({"since": "2026-11-24T14:00:00Z", **said}).encode()
    record = Stored((Part("r", 1),), {"content-type": "application/json"}, "private", "Normal", body)
    in_the_bucket.objects[f"held/.checks/{FIRST}"] = record


@pytest.mark.parametrize("receipt", ["of an upload there", "of an upload here", "of none", 7])
def test_forged_records_in_one_bucket_block_no_verdict_of_another(two_buckets, receipt, view):
    """Nor is the business told anything else of what waits there."""
    here = two_buckets.store("face")["receipt"]
    receipts = {"of an upload there": view["receipt"], "of an upload here": here}
    forged(two_buckets, {"receipt": receipts.get(receipt, receipt)}, two_buckets.oss)
    two_buckets.events.clear()
    assert two_buckets.verdict(Outcome.PASS) is True
    assert two_buckets.buckets["abroad"].names() == {view["key"]}
    assert [event["receipt"] for event in two_buckets.events].count(view["receipt"]) == 1


def test_a_bucket_that_fails_to_carry_out_keeps_no_verdict_from_another_s(two_buckets, view):
    here = two_buckets.store("face")
    forged(two_buckets, {"receipt": here["receipt"], "stored_at": "2026-11-24T14:00:00Z"}, two_buckets.oss)
    two_buckets.oss.fail("CopyObject", UNHEARD)
    with pytest.raises(OssUnavailable):
        two_buckets.verdict(Outcome.PASS)
    assert two_buckets.buckets["abroad"].names() == {view["key"]}


def test_a_record_in_one_bucket_does_not_affect_an_upload_in_another(two_buckets, view):
    """As whoever owns a bucket may write it, who knows a receipt of the other one."""
    own = two_buckets.store("face")
    del two_buckets.buckets["abroad"].objects[f"held/.checks/{FIRST}"]
    decision = {"decision": "publish", "by": "check", "etag": "E", "receipt": view["receipt"]}
    decision["at"] = "2026-11-24T14:00:00Z"
    for name, said in (
        (f"checks/{FIRST}", {"receipt": view["receipt"]}),
        (f"decided/{view['uploadId']}", decision),
        (f"decided/{own['uploadId']}", decision),
    ):
        body = json.dumps(said).encode()
        two_buckets.oss.objects[f"held/.{name}"] = Stored((Part("r", 1),), {}, "private", "Normal", body)
    two_buckets.oss.objects[view["key"]] = two_buckets.buckets["abroad"].objects[f"held/{view['key']}"]
    two_buckets.events.clear()
    assert two_buckets.verdict(Outcome.PASS) is True
    del two_buckets.oss.objects[f"held/{own['key']}"]
    assert two_buckets.ask("confirm", ticket=own["ticket"]).status == 403
    assert two_buckets.told == []
    assert two_buckets.status(view["receipt"]) == "checking"


GATE = profile("gate", CHECK, 'role = "acs:ram::1234567890123456:role/gates"', folder="gates")


@pytest.mark.parametrize("profile", ["face", "gate"])
def test_a_verdict_is_applied_with_the_upload_s_own_role(house_of, profile):
    """Either sees the record, and only its own what it is about."""
    house = house_of(PROFILES + GATE)
    stored = house.store(profile)
    assert house.verdict(Outcome.PASS) is True
    assert names(house, stored) == ["key"]
    assert house.told == ["published"]
    assert house.status(stored["receipt"]) == "published"


def test_a_verdict_not_stored_in_every_bucket_is_not_acknowledged(two_buckets):
    two_buckets.without_sessions(two_buckets.buckets["abroad"])
    with pytest.raises(StsRejected):
        two_buckets.verdict(Outcome.PASS)


def test_a_commit_that_wechat_checks_costs_few_calls_of_oss(house, post):
    assert calls_of(house, lambda: house.status(post["receipt"])) == 4
    assert calls_of(house, lambda: house.commit(post["receipt"])) == 10
    assert calls_of(house, lambda: house.status(post["receipt"])) == 4
    assert calls_of(house, lambda: house.commit(post["receipt"])) == 4
    assert calls_of(house, lambda: house.verdict(Outcome.PASS)) == 11
    assert calls_of(house, lambda: house.status(post["receipt"])) == 2
    assert calls_of(house, lambda: house.commit(post["receipt"])) == 3
