"""
Every call of /commit, /discard, /status and of a verdict x every fault: what is answered, and how it ends.

An instance is killed before and after each call as well. Whatever struck, another instance that is asked the
same brings it to the end that it has where nothing fails; what WeChat was to be asked about, a minute later,
and no fault has WeChat asked more than once in vain.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from function.errors import UploadError
from function.holding.state import LEASE, SILENCE
from function.http.client import HttpResponse
from function.moderation.finding import Outcome
from local.common.clock import StandingClock
from quality.torture.report import Result, try_cells
from tests.support.memory_oss import BROKEN, BROKEN_AFTER, DENIED, LOST, MALFORMED, SLOW, UNHEARD
from tests.support.turns import Killed
from tests.support.world import HELD, World, counted

NOW = datetime(2026, 11, 24, 14, 0, tzinfo=UTC)
FAILED = {"oss_unavailable", "oss_rejected"}
KILLED, KILLED_AFTER = "killed before", "killed after"
FAULTS = (KILLED, KILLED_AFTER, SLOW, UNHEARD, LOST, BROKEN, BROKEN_AFTER, DENIED, MALFORMED)
STRIKES = (1, 2)
MAX_CALLS = 20


class Trial(World):
    """One upload before two instances, any of whose calls to OSS may be struck; the same each time."""

    def __init__(self, profile: str) -> None:
        self.clock = StandingClock(NOW)
        self.strike(0, "", 0)
        super().__init__(HELD, self.clock, instances=2, life=timedelta(hours=12), random_bytes=counted())
        stored = self.store(profile)
        self.key, self.receipt = stored["key"], stored["receipt"]

    def exchange(self, method: str, url: str, **options: Any) -> HttpResponse:
        if "api.weixin.qq.com" in url:
            return super().exchange(method, url, **options)
        self.calls += 1
        at, fault, strikes = self.strikes_at
        is_struck = at <= self.calls < at + strikes
        if is_struck and fault == KILLED:
            raise Killed
        if is_struck and fault != KILLED_AFTER:
            self.oss.fault_of_the_next(fault)
        answer = super().exchange(method, url, **options)
        if is_struck and fault == KILLED_AFTER:
            raise Killed
        return answer

    def strike(self, at: int, fault: str, strikes: int) -> None:
        """From now on, the n-th call to OSS and so many after it."""
        self.calls, self.strikes_at = 0, (at, fault, strikes)

    def act(self, route: str, instance: int = 0, by_owner: bool = False, **more: Any) -> str:
        """The state that is answered, or the code."""
        token = self.session() if by_owner else self.backend()
        reply = self.ask(route, token, instance, receipt=self.receipt, **more)
        if reply.status == 503 and "Retry-After" not in reply.headers:
            return "no Retry-After"
        return reply.code or str(reply.json["state"])

    def hear(self, outcome: Outcome, instance: int = 0) -> str:
        """A verdict about the submission; the code of what it could not do."""
        try:
            self.verdict(outcome, next(iter(self.wechat.submitted)), instance)
        except UploadError as error:
            return error.code
        return "heard"

    def names(self) -> tuple[str, ...]:
        """The keys that the object has."""
        return tuple(sorted(self.oss.names()))


@dataclass(frozen=True)
class Situation:
    """
    What was done before, and what is asked then, of whichever instance.

    Args:
        may_wait: whether it may stay as it was when something failed: a call begins the check a minute later.
    """

    profile: str
    act: Callable[[Trial, int], str]
    before: Callable[[Trial], Any] = lambda _world: None
    may_wait: bool = False


def _committed(world: Trial) -> None:
    world.act("commit")


def _committed_in_vain(world: Trial) -> None:
    """WeChat could not be asked."""
    world.wechat.answers = [-1]
    world.act("commit")


def _committed_and_cut_off(world: Trial) -> None:
    """The instance ended once it had said that it would ask WeChat: a minute ago."""
    world.strike(8, KILLED, 1)
    with suppress(Killed):
        world.act("commit")
    assert any("submitted" in name for name in world.oss.records())
    assert not world.wechat.checks
    world.clock.instant += LEASE


def _silent(world: Trial) -> None:
    world.clock.instant += SILENCE


def _act(route: str, **more: Any) -> Callable[[Trial, int], str]:
    return lambda world, instance: world.act(route, instance, **more)


def _hear(outcome: Outcome) -> Callable[[Trial, int], str]:
    return lambda world, instance: world.hear(outcome, instance)


COMMIT, DISCARD, STATUS = _act("commit"), _act("discard"), _act("status")
REJECT = _act("commit", decision="reject")
SITUATIONS: Mapping[str, Situation] = {
    "committed": Situation("commit", COMMIT),
    "committed by its owner": Situation("commit", _act("commit", by_owner=True)),
    "committed twice": Situation("commit", COMMIT, _committed),
    "committed, to be checked": Situation("both", COMMIT, may_wait=True),
    "to be checked, which had failed": Situation("both", COMMIT, _committed_in_vain, may_wait=True),
    "to be checked, which was cut off": Situation("both", STATUS, _committed_and_cut_off, may_wait=True),
    "to be checked once more": Situation("check", STATUS, _silent, may_wait=True),
    "published by hand": Situation("both", _act("commit", decision="publish")),
    "rejected by hand": Situation("both", REJECT),
    "rejected too late": Situation("commit", REJECT, _committed),
    "discarded": Situation("commit", DISCARD),
    "discarded by its owner": Situation("commit", _act("discard", by_owner=True)),
    "discarded once published": Situation("commit", DISCARD, _committed),
    "asked about while it is held": Situation("both", STATUS),
    "asked about while it is checked": Situation("check", STATUS),
    "asked about once published": Situation("commit", STATUS, _committed),
    "passed": Situation("check", _hear(Outcome.PASS)),
    "found risky": Situation("check", _hear(Outcome.RISKY)),
    "left to a human": Situation("check", _hear(Outcome.REVIEW)),
}


@dataclass(frozen=True)
class Cell:
    """One fault, which strikes the n-th call and those after it."""

    situation: str
    at: int
    fault: str
    strikes: int

    def __str__(self) -> str:
        return f"{self.situation} / call {self.at} / {self.fault} x {self.strikes}"


def cells() -> Iterator[Cell]:
    for name in SITUATIONS:
        for at in range(1, _undisturbed(name)[0] + 1):
            for fault in FAULTS:
                for strikes in STRIKES if fault not in (KILLED, KILLED_AFTER) else (1,):
                    yield Cell(name, at, fault, strikes)


@cache
def _undisturbed(name: str) -> tuple[int, str, str, tuple[str, ...], int]:
    """
    Where nothing fails: how many calls, what is answered, where it stands then, where it is, and how often
    WeChat was asked.
    """
    situation = SITUATIONS[name]
    world = Trial(situation.profile)
    situation.before(world)
    world.strike(0, "", 0)
    answer, calls = situation.act(world, 0), world.calls
    assert 0 < calls < MAX_CALLS
    return calls, answer, world.act("status", 1), world.names(), len(world.wechat.checks)


def attempt(cell: Cell) -> str:
    """What went wrong in this cell; empty when it was as documented."""
    situation = SITUATIONS[cell.situation]
    world = Trial(situation.profile)
    situation.before(world)
    _, answer, state, places, asked_of_wechat = _undisturbed(cell.situation)
    world.strike(cell.at, cell.fault, cell.strikes)
    try:
        first = situation.act(world, 0)
    except Killed:
        first = "killed"
    if world.calls < cell.at:
        return "this call was not made"
    world.strike(0, "", 0)
    if first not in (answer, "killed", *FAILED, *(["held"] if situation.may_wait else [])):
        return f"answered {first}, documented is {answer}, or that OSS failed"
    if situation.may_wait:
        world.clock.instant += LEASE
    # What was begun and not done, a question goes on with; what was not begun, the same once more.
    asked = world.act("status", 1)
    if (asked == "published") != (world.key in world.oss.objects):
        return f"said {asked} where {world.names()} is"
    again = situation.act(world, 1)
    if again != _repeated(cell.situation):
        return f"a repetition answered {again}"
    told = [world.act("status", instance) for instance in (0, 1)]
    if told != [state, state] or world.names() != places:
        return f"ended {told} with {world.names()}, and where nothing fails {state} with {places}"
    if len(world.wechat.checks) > asked_of_wechat + 1:
        return f"asked WeChat {len(world.wechat.checks)} times"
    return ""


@cache
def _repeated(name: str) -> str:
    situation = SITUATIONS[name]
    world = Trial(situation.profile)
    situation.before(world)
    situation.act(world, 0)
    return situation.act(world, 1)


def run(only: Callable[[Cell], bool] = lambda cell: True) -> Result:
    """Try every cell that ``only`` takes."""
    return try_cells("held objects", filter(only, cells()), attempt)
