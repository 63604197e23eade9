"""operations.tick: a day of it, and one owner's flood: nothing waits behind somebody else's failure."""

from collections import Counter
from datetime import timedelta
from urllib.parse import urlsplit

import pytest

from function.auth.business_token import ERASURE
from function.http.client import HttpResponse
from function.operations.tick import TICK_SECONDS
from function.oss import due
from function.oss.client import oss_client
from tests.docs.openapi import check_answer
from tests.support.cases import profile_toml
from tests.support.memory_oss import MemoryOss
from tests.support.world import HELD, WEBHOOK, World

PROFILES = profile_toml("note", "notes", confirm=True) + profile_toml(
    "clip",
    "clips",
    max_size="30MiB",
    content_types=["video/*"],
    confirm=True,
    hold=["check"],
    check_by=["aliyun"],
)
# As slow as 25 ms with four times as many records.
CALL_SECONDS = 0.1
VIDEOS, ERASURES = 50, 12
# Confirmations: spread over the day, and at once while the business is down.
SPREAD, BURST = 212, 38
GREEN = "https://green-cip.cn-hangzhou.aliyuncs.com"


class Day:
    """A world in which each call takes 100 ms, and a timer that runs whenever something is due."""

    def __init__(self, clock, environ):
        self.clock, self.elapsed = clock, 0.0
        self.world = World(environ, clock, check=check_answer)
        self.world.monotonic = lambda: self.elapsed
        self.world.before_exchange = self._call
        self.world.others[urlsplit(WEBHOOK).hostname] = self._hear
        self.is_down, self.attempts = False, []
        # Of each tick: its seconds, how many deliveries it tried, what was due and what is left.
        self.ticks = []

    def _call(self):
        self.elapsed += CALL_SECONDS

    def _hear(self, _method, _url, *, headers, **_options):
        self.attempts.append((headers["webhook-id"], self.is_down))
        return HttpResponse(503 if self.is_down else 204, b"")

    def pass_minute(self):
        self.clock.tick(minutes=1)
        before = self._due()
        if before:
            began, tried = self.elapsed, len(self.attempts)
            self.world.tick()
            self.ticks.append((self.elapsed - began, len(self.attempts) - tried, before, self._due()))

    def _due(self):
        minute = f"{self.clock():%Y%m%d%H%M}0"
        return {name for name in self.world.due() if name < minute}

    def upload(self, profile, owner, is_confirmed=True):
        form = self.world.form(profile, owner, filename="a.mp4" if profile == "clip" else "a.png")
        assert self.world.oss.post(form["formData"], "a", body=b"\0" * 64) == 200
        if is_confirmed:
            assert self.world.ask("confirm", ticket=form["ticket"]).status == 200
        return form

    def longest_wait(self, kind):
        """The most ticks in a row in which a record of this kind was due and not continued."""
        waited, longest = Counter(), 0
        for *_, before, after in self.ticks:
            waited = Counter({name: waited[name] + 1 for name in before & after if f"/{kind}-" in name})
            longest = max([longest, *waited.values()])
        return longest


@pytest.fixture
def day(clock, profiles_file, monkeypatch):
    # Signatures and rights of each call are the matter of other tests, and take half of the time.
    monkeypatch.setattr(MemoryOss, "_let_in", lambda *_: None)
    environ = {**HELD, "PROFILES_FILE": profiles_file(PROFILES), "UPLOAD_WEBHOOK_URL": WEBHOOK}
    return Day(clock, {**environ, "ERASE": "true", "GREEN_ENDPOINT": GREEN})


@pytest.mark.not_for_coverage
def test_on_a_busy_day_each_delivery_and_erasure_has_its_turn_within_three_ticks(day):
    world = day.world
    for minute in range(24 * 60):
        day.is_down = 600 <= minute < 660
        world.green.answers = []
        if 590 <= minute < 600:
            for number in range(VIDEOS // 10):
                day.upload("clip", f"{minute}-{number}")
        if minute == 602:
            for number in range(ERASURES):
                erased = day.upload("note", f"erased-{number}", is_confirmed=False)["key"].split("/")[1]
                answer = world.ask("erase", world.backend(aud=ERASURE), owner=erased)
                assert (answer.status, answer.json["state"]) == (200, "running")
        burst = BURST if minute == 603 else 0
        for number in range(burst + (minute * SPREAD // 1440 != (minute + 1) * SPREAD // 1440)):
            day.upload("note", f"user-{number}")
        world.green.answers = ["running"] * VIDEOS * (590 <= minute < 628)
        day.pass_minute()
    assert max(seconds for seconds, *_ in day.ticks) <= TICK_SECONDS
    assert day.longest_wait("webhook") < 3
    assert day.longest_wait("erase") < 3
    told = {id for id, is_down in day.attempts if not is_down}
    assert len(told) >= SPREAD + BURST + VIDEOS
    assert not [name for name in world.due() if "/erase-" in name or "/check-" in name]
    fullest = max(day.ticks, key=lambda tick: sum("/webhook-" in name for name in tick[2]))
    assert {"webhook", "check"} <= {name.split("/")[1].split("-")[0] for name in fullest[2]}
    assert fullest[1] >= 15


def flood(day, minutes, a_minute, body=b"{}"):
    """Old records of one owner, which no tick can end."""
    owner = "a2" * 13
    for minute in range(minutes):
        at = f"{day.clock() - timedelta(minutes=minutes - minute + 5):%Y%m%d%H%M}"
        for number in range(a_minute):
            day.world.oss.store(f"held/.due/{at}/webhook-{owner}-{number}", body)


@pytest.mark.not_for_coverage
def test_an_owner_with_9000_old_records_keeps_no_other_waiting(day, monkeypatch):
    """In pages of a quarter."""
    monkeypatch.setattr(due, "OLDEST", 750)
    day.world.oss.longest_page = 250
    flood(day, 60, 150)
    for number in range(3):
        day.is_down = True
        day.upload("note", f"user-{number}")
        day.is_down = False
        day.pass_minute()
        assert len({id for id, is_down in day.attempts if not is_down}) == number + 1
    assert max(seconds for seconds, *_ in day.ticks) <= TICK_SECONDS


@pytest.mark.parametrize(("left", "found"), [(10.0, 51), (5.0, 10), (4.0, 10)])
def test_samples_end_now_and_leave_half_of_the_time(day, monkeypatch, left, found):
    monkeypatch.setattr(due, "OLDEST", 10)
    flood(day, 5, 10)
    for minutes, kind in ((0, "webhook"), (1, "check")):
        day.world.oss.store(
            f"held/.due/{day.clock() + timedelta(minutes=minutes):%Y%m%d%H%M}/{kind}--x", b"{}"
        )
    call = day.world.call()
    seconds = iter([10.0])
    oss = oss_client(call, call.settings.home)._replace(seconds_left=lambda: next(seconds, left))
    records = [*due.sample_due(oss, call.now)]
    assert (len(records), {record.kind for record in records}) == (found, {"webhook"})
