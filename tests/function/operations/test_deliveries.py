"""operations.deliveries: a business that was down gets every event at least once, at the planned times."""

import json
from datetime import timedelta
from urllib.parse import urlsplit

import pytest

from function.http.client import ExchangeFailed, HttpResponse
from function.moderation.finding import Outcome
from function.operations.deliveries import check_event, continue_delivery, read_delivery
from function.oss.client import oss_client
from function.oss.due import list_due
from function.owners import withdrawal
from function.webhook import deliver, id_of, notify_business, signed_headers
from tests.docs.openapi import check_answer
from tests.function.holding.test_decision import kill
from tests.support.cases import profile_toml
from tests.support.memory_oss import BROKEN, LOST, UNHEARD
from tests.support.world import HELD, PLAIN, WEBHOOK, World

UNHELD = profile_toml("default", "uploads", confirm=True)

DOWN, UP = HttpResponse(503, b""), HttpResponse(204, b"")
PLANNED = [0, 1, 5, 30, 120, 360, 1440]


class Shop:
    """A business that keeps what it gets, and answers or fails as it is told."""

    def __init__(self, now):
        self.now, self.answer, self.seen = now, DOWN, []

    def __call__(self, _method, _url, *, body, headers, budget_seconds, max_bytes):
        assert max_bytes == 0, "the body of a response is not read"
        self.seen.append((self.now(), headers, body, self.answer, budget_seconds))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    @property
    def taken(self):
        return [headers["webhook-id"] for _, headers, _, answer, _ in self.seen if answer is UP]

    def minutes(self, began):
        """Of each event, minutes after the beginning of its attempts."""
        found = {}
        for at, headers, *_ in self.seen:
            found.setdefault(headers["webhook-id"], []).append((at - began) // timedelta(minutes=1))
        return found


@pytest.fixture
def world(clock):
    return World({**HELD, "UPLOAD_WEBHOOK_URL": WEBHOOK}, clock, check=check_answer)


@pytest.fixture
def shop(world, clock):
    shop = world.others[urlsplit(WEBHOOK).hostname] = Shop(clock)
    return shop


class Watch:
    """The clock of a world's budgets, which stands still but for what takes time."""

    def __init__(self, world):
        self.elapsed = 0.0
        world.monotonic = lambda: self.elapsed

    def take(self, seconds):
        self.elapsed += seconds
        return True

    def slow(self, oss, seconds=1.0, part=""):
        """From now on each call with this part in its address takes so long."""
        send = oss.send

        def send_slowly(method, url, **options):
            self.take(seconds if part in f"{method} {url}" else 0.0)
            return send(method, url, **options)

        oss.send = send_slowly


def tick_for(world, clock, **duration):
    """A tick each minute; one before anything is due would only list nothing."""
    for _ in range(timedelta(**duration) // timedelta(minutes=1)):
        minute = f"{clock.tick(minutes=1):%Y%m%d%H%M}0"
        if any(name < minute for name in world.due()):
            world.tick()


def due(world):
    return [f"held/.due/{name}" for name in world.due("webhook")]


def fields(world):
    (name,) = due(world)
    return json.loads(world.oss.objects[name].body)


@pytest.mark.not_for_coverage
def test_a_business_that_is_down_for_three_hours_gets_each_event_afterwards(world, shop, clock):
    began = clock()
    published, rejected, gone = (world.store("commit", name) for name in "abc")
    review = world.store("both", "d")
    assert world.commit(published["receipt"]).json["state"] == "published"
    assert world.commit(rejected["receipt"], decision="reject").json["state"] == "rejected"
    assert world.discard(gone["receipt"]).json["state"] == "gone"
    world.commit(review["receipt"])
    world.verdict(Outcome.REVIEW, label=20002)
    firsts = {json.loads(body)["event"] for _, _, body, _, _ in shop.seen}
    assert firsts == {"uploaded", "published", "rejected", "gone", "review"}
    assert len(due(world)) == 8
    tick_for(world, clock, hours=3)
    assert shop.minutes(began) == dict.fromkeys(shop.minutes(began), PLANNED[:5])
    shop.answer = UP
    tick_for(world, clock, hours=24)
    assert sorted(shop.taken) == sorted(shop.minutes(began))
    assert shop.minutes(began) == dict.fromkeys(shop.minutes(began), PLANNED[:6])
    assert due(world) == []
    for at, headers, body, *_ in shop.seen:
        signed = signed_headers(world.settings.receipt_secrets, headers["webhook-id"], at, body)
        assert headers.items() >= signed.items()
    assert len({(headers["webhook-id"], body) for _, headers, body, *_ in shop.seen}) == 8
    # None of the requests had a trace.
    assert not any("traceparent" in headers for _, headers, *_ in shop.seen)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        *((HttpResponse(status, b""), f"HTTP {status}") for status in (199, 301, 410, 500)),
        (ExchangeFailed("timed out"), "timed out"),
    ],
    ids=str,
)
def test_an_event_is_lost_after_seven_attempts(world, shop, clock, log_lines, answer, reason):
    stored, began = world.store("commit"), clock()
    shop.answer = answer
    tick_for(world, clock, hours=30)
    assert [*shop.minutes(began).values()] == [PLANNED]
    assert [budget for *_, budget in shop.seen] == [1.5, *[8.0] * 6]
    lost = {"webhook": "lost", "event": "uploaded", "uploadId": stored["uploadId"], "reason": reason}
    assert [line for line in log_lines() if line.get("webhook") == "lost"] == [lost]
    # An operator finds it for a week.
    assert (fields(world)["attempts"], fields(world)["reason"]) == (7, reason)
    tick_for(world, clock, days=6, hours=17)
    assert len(due(world)) == 1
    tick_for(world, clock, hours=1)
    assert due(world) == []
    assert len(shop.seen) == 7


def test_where_neither_business_nor_oss_is_reached_the_request_succeeds(world, shop, log_lines, caplog):
    world.oss.fail("PutObject", UNHEARD, BROKEN)
    stored = world.store("commit")
    assert due(world) == []
    *_, lost, line = log_lines()
    assert (line["status"], line["webhook"]) == (200, "HTTP 503")
    assert (lost["webhook"], lost["event"], lost["uploadId"]) == ("lost", "uploaded", stored["uploadId"])
    assert lost["reason"].startswith("HTTP 503; PutObject: ")
    assert [record.levelname for record in caplog.records if "lost" in record.getMessage()] == ["ERROR"]


def test_a_repeated_request_has_the_same_id_and_record(world, shop, clock):
    """The record's name has the time of the event, so a flood of repetitions overwrites it."""
    form = world.form("commit")
    assert world.oss.post(form["formData"], "a") == 200
    for _ in range(3):
        assert world.ask("confirm", ticket=form["ticket"]).status == 200
        world.functions[0] = world.new_instance()
        clock.tick(minutes=1)
    assert len(shop.seen) == 3
    assert len({headers["webhook-id"] for _, headers, *_ in shop.seen}) == 1
    assert len(due(world)) == 1
    shop.answer = UP
    tick_for(world, clock, minutes=10)
    assert len(shop.taken) == 1


@pytest.mark.parametrize(
    ("missed", "planned"), [(180, [-180, 0, 4, 29, 119, 180]), (5, [-5, 0, 4, 25, 115, 355])]
)
def test_after_missed_ticks_attempts_keep_their_distance(world, shop, clock, missed, planned):
    world.store("commit")
    clock.tick(minutes=missed)
    began = clock()
    world.tick()
    tick_for(world, clock, hours=8)
    assert [*shop.minutes(began).values()] == [planned]


@pytest.mark.parametrize("fault", [UNHEARD, LOST, BROKEN])
@pytest.mark.parametrize("answer", [UP, DOWN], ids=["up", "down"])
@pytest.mark.parametrize("name", ["GetObject", "PutObject", "DeleteObject"])
def test_a_tick_that_is_cut_off_loses_no_event(world, shop, clock, name, answer, fault):
    world.store("commit")
    shop.answer = answer
    clock.tick(minutes=1)
    world.oss.fail(name, fault, fault)
    # The next tick begins with the same record, as after an instance that ended here.
    world.tick()
    shop.answer = UP
    tick_for(world, clock, minutes=10)
    assert 1 <= len(shop.taken) <= 2
    assert due(world) == []


def test_other_deliveries_wait_for_a_slow_business(world, shop, clock):
    for name in "ab":
        world.store("commit", name)
    clock.tick(minutes=1)
    world.tick()
    assert len(shop.seen) == 4
    clock.tick(minutes=4)
    for kind in ("timed out", "TimeoutError", "response too slow", "too many overdue calls"):
        shop.answer, seen = ExchangeFailed(kind), len(shop.seen)
        world.tick()
        assert len(shop.seen) == seen + 1
        # Both are due again.
        clock.tick(hours=5)


@pytest.mark.parametrize(("seconds", "budgets"), [(1.0, []), (1.5, [0.5])])
def test_a_delivery_leaves_time_to_write_it_down_in_a_tick(world, shop, clock, seconds, budgets):
    world.store("commit")
    clock.tick(minutes=1)
    world.monotonic, world.call_seconds = lambda: 0.0, 2.0
    context = world.call()
    oss = oss_client(context, context.settings.home)
    (record,) = list_due(oss, context.now)
    # Reading the record takes all but what writing it takes.
    left = iter([10.0, seconds])
    oss = oss._replace(seconds_left=lambda: next(left, 1.0))
    assert continue_delivery(context, oss, record) is bool(budgets)
    assert ([budget for *_, budget in shop.seen[1:]], len(due(world))) == (budgets, 1)


def test_a_record_that_another_tick_removed_is_nothing_to_do(world, shop, clock):
    world.store("commit")
    clock.tick(minutes=1)
    context = world.call()
    oss = oss_client(context, context.settings.home)
    (record,) = list_due(oss, context.now)
    world.tick()
    assert continue_delivery(context, oss, record)
    assert len(shop.seen) == 2


def test_due_deliveries_are_given_up_after_the_webhook_is_removed(clock, world, shop, log_lines):
    world.store("commit")
    world.environ.pop("UPLOAD_WEBHOOK_URL")
    world.functions[0] = world.new_instance()
    tick_for(world, clock, hours=25)
    assert len(shop.seen) == 1
    (lost,) = [line for line in log_lines() if line.get("webhook") == "lost"]
    assert lost["reason"] == "no UPLOAD_WEBHOOK_URL"


@pytest.mark.parametrize(
    "changes",
    [
        {"body": None}, {"body": "\ud800"}, {"event": 7},
        {"since": "soon"}, {"since": "2026-11-24T14:00:00"}, {"since": "9999-12-31T23:59:59Z"},
        {"attempts": 0}, {"attempts": True}, {"attempts": "1"},
    ],
    ids=str,
)  # fmt: skip
def test_an_odd_record_is_unreadable(world, shop, clock, log_lines, changes):
    world.store("commit")
    odd = {**fields(world), **changes}
    world.oss.store(due(world)[0], json.dumps(odd).encode())
    clock.tick(minutes=1)
    world.tick()
    assert (len(shop.seen), len(due(world)), log_lines()[-1]["status"]) == (1, 1, 200)


def other(body, **changes):
    return json.dumps({**json.loads(body), **changes})


@pytest.mark.parametrize(
    "forge",
    [
        lambda body: "Pay 100 CNY to account 7.",
        lambda body: "[]",
        lambda body: other(body, receipt="a.b.c"),
        lambda body: other(body, receipt=None),
        lambda body: other(body, event="published"),
        lambda body: other(body, event="paid"),
        lambda body: other(body, amount=100),
        lambda body: other(body, event="revoked", sub="openid-1", owner="o"),
    ],
)
def test_a_tick_signs_no_text_that_is_no_event_of_this_record(world, shop, clock, forge):
    world.store("commit")
    (name,) = due(world)
    said = fields(world)
    shop.answer = UP
    body = forge(said["body"])
    event = (json.loads(body) or {}).get("event", "uploaded") if body.startswith("{") else "uploaded"
    for forged in ({"body": body}, {"body": body, "event": event}, {"event": "published"}):
        world.oss.store(name, json.dumps({**said, **forged}).encode())
        clock.tick(minutes=1)
        world.tick()
        assert (len(shop.seen), due(world)) == (1, [name])
    # A receipt may end before its event.
    world.oss.store(name, json.dumps({**said, "since": "2026-12-24T14:00:00Z"}).encode())
    world.tick()
    assert (len(shop.taken), due(world)) == (1, [])


@pytest.mark.parametrize("event", ["uploaded", "published", "rejected", "review", "gone", "expired"])
def test_each_event_of_an_upload_may_be_sent_again(world, shop, event):
    world.store("commit")
    first = read_delivery(fields(world))
    body = other(first.body, event=event)
    id = id_of(json.loads(body), first.upload_id)
    check_event(world.settings, id, first._replace(event=event, body=body))


def test_an_event_without_openid_is_delivered_and_another_under_its_id_is_not(world, shop, clock):
    call = world.call()
    body = {"event": "revoked", "sub": None, "owner": None, "name": "user_authorization_revoke"}
    body |= {"revokeInfo": "1", "at": "2026-11-24T14:00:00Z"}
    id = withdrawal.id_of(body, call.settings)
    assert deliver(call, call.settings.home, id, {**body, "erasure": "e"})
    (name,) = due(world)
    said, shop.answer = fields(world), UP
    world.oss.store(name, json.dumps({**said, "body": other(said["body"], sub="openid-2")}).encode())
    clock.tick(minutes=1)
    world.tick()
    assert shop.taken == []
    world.oss.store(name, json.dumps(said).encode())
    world.tick()
    assert shop.taken == [id]


def test_the_first_attempts_of_a_request_have_two_seconds_together(world, shop):
    watch, shop.answer = Watch(world), UP
    shop.now = lambda: watch.take(0.75 if shop.seen else 1.25)
    call = world.call()
    for upload_id in ("KpY7", "KpY8", "KpY9"):
        assert notify_business(call, call.settings.home, "a.b.c", upload_id, "public")
    assert [budget for *_, budget in shop.seen] == [1.5, 0.75]
    assert (fields(world)["reason"], fields(world)["trace"]) == ("out of time", "")
    assert due(world)[0].startswith("held/.due/202611241401")


def test_a_decision_stays_due_until_its_event_is_written_down(world, shop, clock):
    stored = world.store("commit")
    shop.answer = UP
    tick_for(world, clock, minutes=5)
    shop.answer = DOWN
    # Those of the decision, then both tries of the event's own record.
    world.oss.fail("PutObject", "", "", BROKEN, BROKEN)
    assert world.commit(stored["receipt"]).json["state"] == "published"
    assert due(world) == []
    shop.answer = UP
    tick_for(world, clock, minutes=5)
    assert [id.partition("-")[0] for id in shop.taken] == ["uploaded", "published"]


def test_an_event_that_was_written_down_is_not_sent_again(world, shop, clock):
    form = world.form("commit")
    world.oss.post(form["formData"], "a")
    world.oss.fail("PutObject", BROKEN, BROKEN)
    for told, written in ((1, 0), (2, 1), (2, 1)):
        assert world.ask("confirm", ticket=form["ticket"]).status == 200
        assert (len(shop.seen), len(due(world))) == (told, written)


def test_the_events_of_a_request_share_the_first_failure_and_their_time(world, shop, clock, log_lines):
    world.monotonic = lambda: 0.0
    call = world.call()
    for upload_id, minutes in (("KpY7", 60), ("KpY8", -10)):
        at = clock() + timedelta(minutes=minutes)
        assert notify_business(call, call.settings.home, "a.b.c", upload_id, "public", at=at)
    # None is due later than a minute from now.
    assert [name.split("/")[2] for name in sorted(due(world))] == ["202611241351", "202611241401"]
    assert len(shop.seen) == 1
    call.webhook_seconds = 4.0
    assert notify_business(call, call.settings.home, "a.b.c", "KpY9", "public") is False
    assert not deliver(call, None, "id", {"event": "revoked"})
    assert log_lines()[-1]["reason"] == "HTTP 503; no bucket has due records"


def test_the_trace_of_the_request_goes_with_each_attempt(world, shop, clock):
    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    form = world.form("commit")
    world.oss.post(form["formData"], "a")
    asked = {"path": "/confirm", "body": {"ticket": form["ticket"]}, "headers": {"traceparent": trace}}
    assert world.ask_event(**asked).status == 200
    tick_for(world, clock, minutes=5)
    assert [headers["traceparent"] for _, headers, *_ in shop.seen] == [trace] * 3


@pytest.mark.parametrize(
    ("seconds", "budgets", "reason"), [(1.75, [0.75], "HTTP 503"), (0.9, [], "out of time")]
)
def test_the_deadline_of_the_request_leaves_time_to_write_an_event_down(
    world, shop, seconds, budgets, reason
):
    world.monotonic, world.call_seconds = lambda: 0.0, seconds
    call = world.call()
    assert notify_business(call, call.settings.home, "a.b.c", "KpY7", "public")
    assert [budget for *_, budget in shop.seen] == budgets
    assert fields(world)["reason"] == reason


def test_a_deployment_without_holds_delivers_what_is_due(clock, profiles_file):
    environ = {**PLAIN, "CALLER_AUTH": "anonymous", "UPLOAD_WEBHOOK_URL": WEBHOOK}
    world = World({**environ, "PROFILES_FILE": profiles_file(UNHELD)}, clock, check=check_answer)
    shop = world.others[urlsplit(WEBHOOK).hostname] = Shop(clock)
    world.store("default")
    shop.answer = UP
    tick_for(world, clock, minutes=5)
    assert (len(shop.taken), len(shop.seen), due(world)) == (1, 2, [])


def test_a_tick_writes_down_the_events_of_all_decisions_that_it_applies(world, shop, clock, log_lines):
    """They take longer together than the events of one request may."""
    for name in "abcdef":
        stored = world.store("commit", name)
        kill(world, lambda receipt=stored["receipt"]: world.commit(receipt), at=5, after=True)
    for name in due(world):
        del world.oss.objects[name]
    clock.tick(minutes=2)
    Watch(world).slow(world.oss, 0.9, "/webhook-")
    world.tick()
    assert (len(due(world)), world.due("decision")) == (6, [])
    assert not [line for line in log_lines() if line.get("webhook") == "lost"]
