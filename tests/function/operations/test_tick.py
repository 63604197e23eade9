"""operations.tick: what a timer event lists, in which order it continues that, and what it leaves alone."""

import json
import sys
from collections import Counter
from datetime import timedelta
from types import SimpleNamespace

import pytest

from function.errors import AlreadyExists, Forbidden, OssRejected, OssUnavailable, StsUnavailable
from function.holding.current_state import HeldState
from function.holding.decision_records import make_decision
from function.holding.held_upload import Case, read_receipt
from function.holding.records import Decision
from function.holding.transitions import BY_COMMIT, PUBLISH
from function.http.client import ExchangeFailed
from function.operations import tick as tick_module
from function.operations.tick import KINDS
from function.oss import due
from function.oss.client import oss_client
from function.oss.due import Unreadable
from handler import serve
from tests.docs.openapi import check_answer
from tests.function.operations.test_deliveries import UNHELD, Watch
from tests.support.memory_oss import DENIED, UNHEARD
from tests.support.stage import build
from tests.support.world import HELD, PLAIN, WEBHOOK, World

ORDER = ("decision", "check", "webhook", "replace", "erase", "doctor")
NOW, LATER = "202611241400", "202611241401"
SILENT = UNHELD.replace("confirm = true", "")
ABROAD = 'bucket = "abroad"\nregion = "cn-shanghai"\nrole = "acs:ram::1234567890123456:role/abroad"'


def named(name, lines=""):
    return UNHELD.replace("default", name).replace("uploads/", f"{name}/") + lines


ELSEWHERE = named("other", ABROAD)


@pytest.fixture
def world(clock):
    return World({**HELD, "UPLOAD_WEBHOOK_URL": WEBHOOK}, clock, check=check_answer)


@pytest.fixture
def plain_world(clock, profiles_file):
    def build(text, **changes):
        environ = {**PLAIN, "CALLER_AUTH": "anonymous", "PROFILES_FILE": profiles_file(text), **changes}
        return World(environ, clock, check=check_answer)

    return build


@pytest.fixture
def two_buckets(plain_world):
    world = plain_world(UNHELD + ELSEWHERE)
    return world, world.add_bucket("abroad", "cn-shanghai")


@pytest.fixture
def continued(monkeypatch):
    """Records that were continued, in order; ``outcomes`` has by id what that returns, raises or does."""
    seen = SimpleNamespace(records=[], outcomes={}, seconds=[], context=None, on_record=[])

    def continue_it(context, oss, record):
        seen.context = lambda: context
        seen.records.append((oss.bucket, f"{record.kind}-{record.id}"))
        seen.on_record.append(record.name.removeprefix("held/.due/"))
        seen.seconds.append(oss.seconds_left())
        outcome = seen.outcomes.get(record.id, True)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome() if callable(outcome) else outcome

    monkeypatch.setitem(sys.modules, "continued", SimpleNamespace(continue_it=continue_it))
    monkeypatch.setattr(tick_module, "KINDS", dict.fromkeys(KINDS, ("continued", "continue_it")))
    return seen


def put(oss, *names, body=b"{}"):
    for name in names:
        oss.store(f"held/.due/{name}", body)


@pytest.fixture
def last_line(log_lines):
    return lambda: [line for line in log_lines() if line["route"] == "tick"][-1]


# --- the event ---


@pytest.mark.parametrize(
    "event",
    [
        {"triggerTime": "2023-12-26T07:49:00Z", "triggerName": "timer-trigger", "payload": "awesome-fc"},
        {"triggerTime": "2023-12-26T07:49:00Z", "triggerName": "t", "payload": '{"requestContext": {}}'},
        {"triggerTime": "9999-99-99", "triggerName": 7, "payload": None},
        {"triggerTime": None, "body": "{}", "headers": 3},
    ],
)
def test_a_timer_event_is_a_tick_whatever_else_it_says(world, continued, last_line, event):
    put(world.oss, f"{NOW}/check--a", f"{LATER}/check--b")
    assert serve(world.function, json.dumps(event).encode(), SimpleNamespace(request_id="1-tick")) is None
    assert continued.records == [(world.oss.name, "check-a")]
    line = last_line()
    assert (line["requestId"], line["route"], line["status"], line["cold"]) == ("1-tick", "tick", 200, True)
    assert (line["due"], line["left"], line["code"]) == (1, 0, None)


@pytest.mark.parametrize(
    "event",
    [
        {"triggerTime": "2023-12-26T07:49:00Z", "requestContext": {}},
        {"triggerTime": "2023-12-26T07:49:00Z", "requestContext": None},
        {"body": '{"triggerTime": "2023-12-26T07:49:00Z"}'},
        {"triggertime": "2023-12-26T07:49:00Z"},
        ["triggerTime"],
    ],
)
def test_an_event_of_another_shape_is_no_tick(world, continued, event):
    put(world.oss, f"{NOW}/check--a")
    answer = serve(world.function, json.dumps(event).encode(), None)
    assert (answer["statusCode"], continued.records) == (400, [])


def test_a_tick_after_a_request_is_not_cold_and_makes_the_next_request_warm(world, last_line):
    world.tick()
    assert "cold" in last_line()
    assert "Server-Timing" not in world.ask_event(method="GET", path="/health").headers
    world.tick()
    assert "cold" not in last_line()


def test_while_a_tick_runs_another_of_the_same_instance_does_nothing(world, continued, log_lines):
    put(world.oss, f"{NOW}/check--a")
    continued.outcomes["a"] = lambda: world.tick() or True
    world.tick()
    assert world.oss.asked == ["ListObjectsV2"]
    assert len([line for line in log_lines() if line["route"] == "tick"]) == 1
    world.tick()
    assert len(continued.records) == 2


def test_a_misconfigured_tick_is_a_line_of_the_log(clock, last_line):
    build({**HELD, "OSS_BUCKET": ""}, clock).tick(None)
    assert (last_line()["status"], last_line()["code"]) == (500, "misconfigured")
    assert "cold" not in last_line()


def test_a_failure_without_a_reason_is_logged_by_its_message(last_line):
    def clock():
        raise Forbidden("why")

    build(HELD, clock).tick(None)
    assert (last_line()["status"], last_line()["reason"]) == (403, "why")


# --- what is listed ---


def test_with_nothing_due_a_tick_lists_each_bucket_of_receipts_once(plain_world, last_line):
    world = plain_world(f"{UNHELD}{named('second')}{ELSEWHERE}\n{SILENT.replace('default', 'silent')}")
    abroad = world.add_bucket("abroad", "cn-shanghai")
    world.tick()
    assert (world.oss.asked, abroad.asked) == (["ListObjectsV2"], ["ListObjectsV2"])
    assert {request.query["prefix"] for request in world.oss.requests} == {"held/.due/"}
    assert (last_line()["status"], last_line()["due"], last_line()["left"]) == (200, 0, 0)


def test_where_no_profile_gives_receipts_a_tick_calls_nothing(plain_world, last_line):
    world = plain_world(SILENT)
    world.tick()
    assert (world.hosts, last_line()["status"]) == ([], 200)


def test_with_erasures_a_tick_lists_every_bucket(plain_world):
    world = plain_world((UNHELD + ELSEWHERE).replace("confirm = true", ""), ERASE="true")
    abroad = world.add_bucket("abroad", "cn-shanghai")
    world.tick()
    assert (world.oss.asked, abroad.asked) == (["ListObjectsV2"], ["ListObjectsV2"])


def test_the_buckets_share_the_seconds_of_a_tick(world, two_buckets, continued):
    for several, seconds in ((world, [20.0]), (two_buckets[0], [10.0, 10.0])):
        several.monotonic = lambda: 7.0
        for oss in several.buckets.values():
            put(oss, f"{NOW}/check--a")
        continued.seconds.clear()
        several.tick()
        assert continued.seconds == seconds


def test_a_bucket_without_time_left_waits(two_buckets, continued):
    world, _ = two_buckets
    watch = Watch(world)
    put(world.oss, f"{NOW}/check--a")
    world.oss.between["ListObjectsV2"] = lambda: watch.take(9.5)
    world.tick()
    assert (watch.elapsed, continued.records) == (9.5, [])


def test_buckets_that_hang_leave_half_of_a_tick_to_another(plain_world, continued):
    """More of them than have time for a long turn each."""
    places = (f'bucket = "far-{number}"\nregion = "cn-shanghai"\n' for number in range(4))
    world = plain_world(UNHELD + "".join(named(f"p{number}", place) for number, place in enumerate(places)))
    watch = Watch(world)

    def hang(*_arguments, budget_seconds, **_options):
        watch.take(budget_seconds)
        raise ExchangeFailed("timed out")

    for number in range(4):
        world.add_bucket(f"far-{number}", "cn-shanghai").send = hang
    put(world.oss, f"{NOW}/check--a")
    world.tick()
    assert (continued.records, watch.elapsed) == ([(world.oss.name, "check-a")], 8.0)
    assert continued.seconds == [7.0]


def test_a_bucket_that_cannot_be_listed_stops_no_other(two_buckets, continued, last_line):
    world, abroad = two_buckets
    put(abroad, f"{NOW}/check--a")
    put(world.oss, f"{NOW}/check--b")
    for fault, code in ((DENIED, OssRejected.code), (UNHEARD, OssUnavailable.code)):
        world.oss.fail("ListObjectsV2", fault, fault)
        continued.records.clear()
        world.tick()
        assert continued.records == [("abroad", "check-a")]
        assert last_line()["code"] == code
    world.without_sessions(world.oss)
    world.tick()
    assert (continued.records[-1], last_line()["code"]) == (("abroad", "check-a"), "sts_rejected")


def test_pages_are_read_beyond_odd_and_unknown_records(world, continued, last_line):
    """Some are longer than a page, and all of them older than what is due."""
    world.oss.longest_page = 3
    put(world.oss, *(f"202611241300/newer--{number}" for number in range(7)))
    put(world.oss, "!", "2026/x", "202611241350/check")
    put(world.oss, f"{NOW}/check--a", *(f"{LATER}/check--{number}" for number in range(9)))
    kept = set(world.oss.objects)
    world.tick()
    assert [name for _, name in continued.records] == ["check-a"]
    assert set(world.oss.objects) == kept
    assert (last_line()["status"], last_line()["due"], last_line()["left"]) == (200, 4, 3)
    assert "held/.due/202611241350/check" in last_line()["reason"]
    assert world.oss.asked == ["ListObjectsV2"] * 4


def test_a_list_without_end_leaves_half_of_the_time_for_what_was_found(world, continued):
    put(world.oss, *(f"{NOW}/check--{number:03}" for number in range(90)))
    world.oss.longest_page = 1
    Watch(world).slow(world.oss)
    world.tick()
    assert len(world.oss.asked) == len(continued.records) == 10


def test_a_later_page_that_fails_leaves_what_was_listed(world, continued, last_line):
    world.oss.longest_page = 1
    put(world.oss, f"{NOW}/check--a", f"{NOW}/check--b")
    world.oss.between["ListObjectsV2"] = lambda: world.oss.between.update(
        ListObjectsV2=lambda: world.oss.fail("ListObjectsV2", UNHEARD, UNHEARD)
    )
    world.tick()
    assert ([name for _, name in continued.records], last_line()["status"]) == (["check-a"], 503)


# --- the order, and what stops it ---


def test_each_kind_is_continued_by_its_own_function(world, continued):
    """Decisions come first, then checks, deliveries, replacements and erasures, then a second decision."""
    put(world.oss, *(f"20261124130{minute}/{kind}--a" for minute, kind in enumerate(reversed(ORDER))))
    put(world.oss, f"{NOW}/decision--b")
    world.tick()
    kinds = [name.partition("-")[0] for _, name in continued.records]
    assert kinds == [*ORDER, "decision"]


OWN, OF_THE_BUCKET = OssRejected(reason="no"), OssUnavailable(reason="no")
OWN.is_own, OF_THE_BUCKET.is_own = True, False
WRITTEN = b'{"n": 7, "at": "2026-11-24T13:00:00Z"}'
ONE, OTHER = "a" * 26, "b" * 26


@pytest.mark.parametrize(
    ("outcome", "left", "status"),
    [
        (OssUnavailable(reason="invalid"), 1, 503),
        (OWN, 1, 502),
        (KeyError("a mistake"), 1, 500),
        (AlreadyExists(reason="no"), 0, 200),
        (Forbidden(reason="no"), 1, 200),
        (Unreadable(), 1, 200),
    ],
)
def test_a_record_that_fails_by_itself_stops_no_other(world, continued, last_line, outcome, left, status):
    put(world.oss, f"{NOW}/decision--a", f"{NOW}/decision--0", f"{NOW}/check--c", body=WRITTEN)
    continued.outcomes["a"] = outcome
    world.tick()
    assert sorted(name for _, name in continued.records) == ["check-c", "decision-0", "decision-a"]
    assert (last_line()["status"], last_line()["left"]) == (status, left)
    assert "decision--a" in last_line()["reason"] or status == 500
    assert any("decision--a" in name for name in world.due()) is bool(left)


@pytest.mark.not_for_coverage
@pytest.mark.parametrize("outcome", [OWN, OssUnavailable(reason="invalid"), KeyError("a mistake")])
def test_a_record_that_fails_by_itself_is_due_again_after_growing_pauses(
    world, continued, clock, log_lines, outcome
):
    put(world.oss, f"{NOW}/erase-{ONE}-a", body=WRITTEN)
    continued.outcomes["a"] = outcome
    began = clock()
    tried, stuck = [], []
    for _ in range(200):
        seen = len(continued.records)
        world.tick()
        if len(continued.records) > seen:
            tried.append((clock() - began) // timedelta(minutes=1))
            stuck.append(len([line for line in log_lines() if line.get("due") == "stuck"]))
        clock.tick(minutes=1)
    assert tried == [0, 1, 3, 8, 23, 83, 143]
    # Each hour an error line names it, and it never ends.
    assert stuck == [0, 0, 0, 0, 1, 2, 3]
    (name,) = world.due()
    fields = json.loads(world.oss.objects[f"held/.due/{name}"].body)
    assert fields == {"n": 7, "at": "2026-11-24T13:00:00Z", "failures": 7}


@pytest.mark.parametrize("failures", [None, True, "2", -1])
def test_an_odd_count_of_failures_begins_at_one(world, continued, clock, failures):
    body = json.dumps({"failures": failures, "at": "2026-11-24T13:00:00Z"}).encode()
    put(world.oss, f"{NOW}/check--a", body=body)
    continued.outcomes["a"] = OWN
    world.tick()
    assert world.due() == [f"{LATER}/check--a"]


def test_a_refused_record_goes_after_the_longest_hold(world, continued, clock, log_lines):
    put(world.oss, f"{NOW}/check--a", body=b'{"at": "2026-11-24T14:00:00Z"}')
    continued.outcomes["a"] = Forbidden(reason="no")
    for day in range(32):
        world.tick()
        assert len(world.due()) == 1, day
        clock.tick(days=1)
    world.tick()
    assert (world.due(), log_lines()[-2]["due"]) == ([], "stuck")


@pytest.mark.parametrize(
    ("outcome", "said", "reason"),
    [(False, "slow", "slow"), (False, None, None), (KeyError("a mistake"), None, "internal_error")],
)
def test_an_error_line_of_a_stuck_record_has_its_reason(
    world, continued, clock, log_lines, outcome, said, reason
):
    def fail():
        continued.context().line.reason = said
        if outcome:
            raise outcome
        return outcome

    put(world.oss, f"{NOW}/erase-{ONE}-a", body=b'{"failures": 6, "at": "2026-11-24T13:00:00Z"}')
    continued.outcomes["a"] = fail
    clock.tick(hours=1)
    world.tick()
    (stuck,) = [line for line in log_lines() if line.get("due") == "stuck"]
    assert "erase-" in stuck["name"]
    assert stuck["reason"] and stuck["reason"] == (reason or stuck["reason"])


@pytest.mark.parametrize("call", ["GetObject", "PutObject"])
def test_a_record_that_cannot_be_written_again_keeps_its_time(world, continued, call):
    put(world.oss, f"{NOW}/check--a", body=WRITTEN)
    continued.outcomes["a"] = OWN
    world.oss.fail(call, UNHEARD, UNHEARD)
    world.tick()
    assert world.due() == [f"{NOW}/check--a"]


def test_a_record_that_ended_while_it_failed_is_not_written_again(world, continued, last_line):
    put(world.oss, f"{NOW}/check--a", body=WRITTEN)
    continued.outcomes["a"] = lambda: world.oss.objects.clear() or (_ for _ in ()).throw(OWN)
    world.tick()
    assert (world.due(), last_line()["status"]) == ([], OWN.status)


@pytest.mark.parametrize("outcome", [OF_THE_BUCKET, StsUnavailable(reason="no"), False])
def test_a_service_that_fails_is_called_once_for_each_owner_and_kind(world, continued, clock, outcome):
    names = [
        f"{NOW}/{kind}-{owner}-{owner[0]}{number}"
        for kind in ("check", "webhook")
        for owner in (ONE, OTHER)
        for number in range(3)
    ]
    put(world.oss, *names, body=WRITTEN)
    continued.outcomes |= dict.fromkeys((f"b{number}" for number in range(3)), outcome)
    world.tick()
    seen = Counter(name[: name.index("-") + 2] for _, name in continued.records)
    assert seen == {"check-a": 3, "check-b": 1, "webhook-a": 3, "webhook-b": 1}
    # They keep their time.
    assert sorted(world.due()) == sorted(names)


@pytest.mark.not_for_coverage
def test_records_that_a_service_keeps_waiting_are_errors_of_the_log(world, continued, clock, log_lines):
    put(world.oss, f"{NOW}/erase-{ONE}-a", body=WRITTEN)
    continued.outcomes["a"] = OF_THE_BUCKET
    found = []
    for minute in range(200):
        world.tick()
        if any(line.get("due") == "stuck" for line in log_lines()[-2:]):
            found.append(minute)
        clock.tick(minutes=1)
    assert found == [60, 61, 62, 120, 121, 122, 180, 181, 182]


def test_which_owner_and_record_is_first_changes_with_the_minute(world, continued, clock):
    put(world.oss, *(f"{NOW}/check-{owner}-{owner[0]}{n}" for owner in (ONE, OTHER) for n in (1, 2)))
    orders = []
    for seconds in (45, 15) * 4:
        continued.records.clear()
        world.tick()
        orders.append(tuple(name[6:] for _, name in continued.records))
        clock.tick(seconds=seconds)
    assert orders[::2] == orders[1::2]
    assert {*orders} == {("a1", "b1", "a2", "b2"), ("b2", "a2", "b1", "a1")}


@pytest.mark.not_for_coverage
def test_owners_who_are_always_due_have_their_turn_within_a_few_ticks(world, continued, clock):
    """Two hundred, of whom a tick reaches sixty."""
    watch = Watch(world)
    owners = [f"{number:026b}".replace("0", "a").replace("1", "b") for number in range(200)]
    put(world.oss, *(f"{NOW}/check-{owner}-x" for owner in owners))
    continued.outcomes["x"] = lambda: watch.take(19.4 / 60)
    names = {name.removeprefix("held/.due/") for name in world.oss.objects}
    last, waited = dict.fromkeys(names, 0), 0
    seen = continued.on_record = []
    for tick in range(1, 40):
        seen.clear()
        world.tick()
        for name in seen:
            waited = max(waited, tick - last[name])
            last[name] = tick
        clock.tick(minutes=1)
    assert 55 <= len(seen) <= 61
    assert max(waited, 40 - min(last.values())) <= 8


def test_a_turn_leaves_time_to_other_kinds_and_other_owners(world, continued):
    """Half of it to other kinds; of a long turn half of the rest to other owners."""
    budgets = []
    world.monotonic = lambda: 0.0
    put(world.oss, f"{NOW}/check-{ONE}-a", f"{NOW}/check-{OTHER}-a", f"{NOW}/erase-{ONE}-a")
    continued.outcomes["a"] = lambda: budgets.append(continued.context().seconds_left()) or True
    world.tick()
    # A clean copy needs six seconds.
    assert budgets == [6.5, 10.0, 20.0]
    world.oss.objects.clear()
    put(world.oss, f"{NOW}/check-{ONE}-a", f"{NOW}/check-{OTHER}-a")
    world.tick()
    assert budgets[3:] == [10.0, 20.0]


def test_a_kind_that_takes_long_gets_no_more_time_than_another(world, continued):
    watch = Watch(world)
    put(world.oss, *(f"{NOW}/check--slow{number}" for number in range(90)))
    put(world.oss, *(f"{NOW}/webhook--quick{number}" for number in range(90)))
    continued.outcomes |= {f"slow{number}": lambda: watch.take(2.0) for number in range(90)}
    continued.outcomes |= {f"quick{number}": lambda: watch.take(0.125) for number in range(90)}
    world.tick()
    kinds = Counter(name.partition("-")[0] for _, name in continued.records)
    assert kinds["webhook"] >= 70 and 4 <= kinds["check"] <= 6
    assert watch.elapsed <= 20


def test_one_line_names_only_some_of_many_failures(world, continued, last_line):
    for number in range(20):
        put(world.oss, f"{NOW}/decision--{number}x")
        continued.outcomes[f"{number}x"] = OssUnavailable(reason="no")
    world.tick()
    assert (last_line()["reason"].count("decision--"), last_line()["left"]) == (5, 20)


def test_a_line_names_each_failure_once_however_many_records_go_well(world, continued, last_line):
    def fail_first_and_last():
        if len(continued.records) in (1, 9):
            raise OssUnavailable(reason="no")
        return True

    for number in range(9):
        put(world.oss, f"{NOW}/decision--{number}")
        continued.outcomes[f"{number}"] = fail_first_and_last
    world.tick()
    assert (last_line()["reason"].count("decision--"), last_line()["left"]) == (2, 2)


def test_other_records_of_a_kind_wait_after_a_false(world, continued, last_line):
    put(world.oss, f"{NOW}/check--a", f"{NOW}/check--b", f"{NOW}/webhook--c")
    continued.outcomes["a"] = False
    world.tick()
    names = [name for _, name in continued.records]
    assert names in (["check-a", "webhook-c"], ["check-b", "webhook-c", "check-a"])


def test_a_checker_that_failed_in_one_turn_is_called_in_the_next(world, continued):
    put(world.oss, f"{NOW}/check-{ONE}-a", f"{NOW}/check-{OTHER}-a")
    failed = [False]
    continued.outcomes["a"] = lambda: (
        failed.append(continued.context().aliyun_has_failed)
        or setattr(continued.context(), "aliyun_has_failed", True)
        or True
    )
    world.tick()
    assert failed == [False] * 3


def test_a_tick_begins_nothing_after_its_time(world, continued, last_line):
    put(world.oss, *(f"{NOW}/check--{letter}" for letter in "abc"))
    watch = Watch(world)

    def take_long():
        watch.take(0.5 if watch.elapsed else 19.0)
        # No bucket pays for what a checker takes.
        continued.context().checker_seconds = watch.elapsed
        return True

    continued.outcomes |= dict.fromkeys("abc", take_long)
    world.tick()
    assert (len(continued.records), last_line()["left"]) == (2, 1)


# --- unreadable records ---


@pytest.mark.parametrize("name", ["check", "check--a", "decision--a", "webhook--a"])
@pytest.mark.parametrize("body", [b"no JSON", b"[]", b"{}", b'{"receipt": 7, "what": 1, "event": 2}'])
def test_an_unreadable_record_is_removed_after_seven_days(world, clock, last_line, name, body):
    put(world.oss, f"{NOW}/{name}", body=body)
    clock.tick(days=6, hours=23, minutes=59)
    world.tick()
    assert (len(world.due()), last_line()["left"], last_line()["status"]) == (1, 1, 200)
    assert "held/.due/" in last_line()["reason"]
    clock.tick(minutes=1)
    world.tick()
    assert (world.due(), last_line()["left"]) == ([], 0)


def test_a_record_of_an_unknown_kind_stays_as_long_as_the_bucket_keeps_it(world, clock):
    put(world.oss, f"{NOW}/newer--a", body=b"no JSON")
    clock.tick(days=30)
    world.tick()
    assert world.due() == [f"{NOW}/newer--a"]


def test_a_record_of_doctor_is_removed_and_nothing_else_is_done(world, last_line):
    put(world.oss, f"{NOW}/doctor--a")
    world.tick()
    assert (world.due(), world.oss.asked) == ([], ["ListObjectsV2", "GetObject", "DeleteObject"])
    assert (last_line()["status"], last_line()["left"]) == (200, 0)


def test_every_kind_is_continued_by_a_function_that_removes_its_record(clock):
    """A record that somebody else has removed meanwhile is nobody's failure."""
    world = World({**HELD, "ERASE": "true"}, clock, check=check_answer)
    for kind in ORDER:
        put(world.oss, f"{NOW}/{kind}--a")
        world.oss.between["GetObject"] = lambda: world.oss.objects.clear()
        world.tick()
        assert (world.oss.asked[-1], world.due()) == ("GetObject", [])
    assert due.name_of("check", "", "a", clock() + timedelta(seconds=1)) == f"held/.due/{LATER}/check--a"


def test_a_slow_bucket_leaves_other_buckets_their_share(clock, profiles_file):
    held = 'hold = ["commit"]\ncommit_by = "owner"\n'
    environ = {**PLAIN, "CALLER_AUTH": "wechat", **{k: v for k, v in HELD.items() if k.startswith("WECHAT")}}
    profiles = profiles_file(f"{named('here', held)}{UNHELD.replace('default', 'far')}{held}{ABROAD}")
    world = World({**environ, "PROFILES_FILE": profiles}, clock, check=check_answer)
    far = world.add_bucket("abroad", "cn-shanghai")
    for profile in ["far"] * 9 + ["here"]:
        call, receipt = world.call(), world.store(profile)["receipt"]
        upload = read_receipt(receipt, call.settings, call.now)
        decision = Decision(PUBLISH, BY_COMMIT, upload.receipt, upload.etag, call.now)
        make_decision(
            Case(call, oss_client(call, upload.profile.location), upload), HeldState("held"), decision
        )
    clock.tick(minutes=2)
    Watch(world).slow(far)
    world.tick()
    assert any("here/" in key and not key.startswith("held/") for key in world.oss.objects)
    assert len(world.due("decision")) > 5
