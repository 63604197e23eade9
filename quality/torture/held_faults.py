"""
Every call of /commit, /discard, /status and of a verdict x every fault: what is answered, and how it ends.

An instance is killed before and after each call as well. Whatever struck, another instance that is asked the
same brings it to the end that it has where nothing fails; what WeChat was to be asked about, a minute later,
and no fault has WeChat asked more than once in vain.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from function.app import Function
from function.auth.backend import AUDIENCE
from function.auth.session import SessionToken
from function.auth.tokens import issue_token
from function.context import RequestContext
from function.errors import UploadError
from function.holding.check import apply_verdict
from function.holding.state import CUT_OFF, SILENCE
from function.http.client import HttpResponse
from function.http.gateway import Request
from function.request_log import LogLine
from function.wechat.verdict import Outcome, Verdict
from quality.torture.held_uploads import ENVIRONMENT, FAILED, OWNER, SECRET
from quality.torture.report import Progress, Result
from quality.torture.turns import Killed
from tests.support import stage
from tests.support.held_wechat import HeldWechat
from tests.support.memory_oss import BROKEN, BROKEN_AFTER, DENIED, LOST, MALFORMED, SLOW, UNHEARD, MemoryOss

NOW = datetime(2026, 11, 24, 14, 0, tzinfo=UTC)
ENVIRON = {**ENVIRONMENT, "PROFILES_FILE": str(Path(__file__).with_name("held_profiles.toml"))}
KILLED, KILLED_AFTER = "killed before", "killed after"
FAULTS = (KILLED, KILLED_AFTER, SLOW, UNHEARD, LOST, BROKEN, BROKEN_AFTER, DENIED, MALFORMED)
STRIKES = (1, 2)
MAX_CALLS = 20


class World:
    """One bucket, WeChat, two instances and one upload; the same each time it is made."""

    def __init__(self, profile: str, now: datetime = NOW) -> None:
        self.drawn = 0
        self.now = now
        self.oss = MemoryOss(stage.BUCKET, stage.REGION, lambda: self.now)
        self.wechat = HeldWechat()
        self.functions = [self._instance() for _ in range(2)]
        self.strikes_at: tuple[int, str, int] = (0, "", 0)
        self.calls = 0
        form = self.ask("upload-params", {"profile": profile, "filename": "a.png"}, self.session()).json
        assert self.oss.post(form["formData"], "bytes") == 200
        self.key = form["key"]
        self.receipt = self.ask("confirm", {"ticket": form["ticket"]}).json["receipt"]

    def _instance(self) -> Function:
        function = stage.build(ENVIRON, lambda: self.now, send=self._exchange, random_bytes=self._next_bytes)
        self.oss.give_sessions(function, timedelta(hours=12))
        return function

    def _next_bytes(self, count: int) -> bytes:
        self.drawn += 1
        return self.drawn.to_bytes(count)

    def _exchange(self, method: str, url: str, **options: Any) -> HttpResponse:
        if url.startswith("https://api.weixin.qq.com/"):
            return self.wechat.send(url, options.get("body") or b"")
        self.calls += 1
        at, fault, strikes = self.strikes_at
        is_struck = at <= self.calls < at + strikes
        if is_struck and fault == KILLED:
            raise Killed
        if is_struck and fault != KILLED_AFTER:
            self.oss.fault_of_the_next(fault)
        answer = self.oss.send(method, url, **options)
        if is_struck and fault == KILLED_AFTER:
            raise Killed
        return answer

    def strike(self, at: int, fault: str, strikes: int) -> None:
        """From now on, the n-th call to OSS and so many after it."""
        self.calls, self.strikes_at = 0, (at, fault, strikes)

    def session(self) -> str:
        ready = self.functions[0]._ready().settings
        return SessionToken.issue(OWNER, ready, self.now)

    def backend(self) -> str:
        return issue_token({}, audience=AUDIENCE, secrets=[SECRET], now=self.now, life=timedelta(minutes=5))

    def ask(self, route: str, body: Mapping[str, Any], token: str = "", instance: int = 0) -> stage.Reply:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return stage.ask(self.functions[instance], body, path=f"/{route}", **headers)

    def act(self, route: str, instance: int = 0, by_owner: bool = False, **more: Any) -> str:
        """The state that is answered, or the code."""
        token = self.session() if by_owner else self.backend()
        reply = self.ask(route, {"receipt": self.receipt, **more}, token, instance)
        if reply.status == 503 and "Retry-After" not in reply.headers:
            return "no Retry-After"
        return reply.code or str(reply.json["state"])

    def hear(self, outcome: Outcome, instance: int = 0) -> str:
        """A verdict about the submission; the code of what it could not do."""
        verdict = Verdict(next(iter(self.wechat.submitted)), outcome)
        request = Request("POST", "/wechat-events", {}, "", {}, b"", "")
        call = RequestContext(request, self.functions[instance]._ready(), LogLine("r"))
        try:
            apply_verdict(call, verdict)
        except UploadError as error:
            return error.code
        return "heard"

    def places(self) -> tuple[str, ...]:
        """Where the object is."""
        return tuple(sorted(self.oss.names()))


@dataclass(frozen=True)
class Situation:
    """
    What was done before, and what is asked then, of whichever instance.

    Args:
        may_wait: whether it may stay as it was when something failed: a call begins the check a minute later.
    """

    profile: str
    act: Callable[[World, int], str]
    before: Callable[[World], Any] = lambda _world: None
    may_wait: bool = False


def _committed(world: World) -> None:
    world.act("commit")


def _committed_in_vain(world: World) -> None:
    """WeChat could not be asked."""
    world.wechat.answers = [-1]
    world.act("commit")


def _committed_and_cut_off(world: World) -> None:
    """The instance ended once it had said that it would ask WeChat: a minute ago."""
    world.strike(7, KILLED, 1)
    with suppress(Killed):
        world.act("commit")
    assert any("submitted" in name for name in world.oss.markers())
    assert not world.wechat.asked
    world.now += CUT_OFF


def _silent(world: World) -> None:
    world.now += SILENCE


SITUATIONS: Mapping[str, Situation] = {
    "committed": Situation("commit", lambda world, instance: world.act("commit", instance)),
    "committed by its owner": Situation(
        "commit", lambda world, instance: world.act("commit", instance, by_owner=True)
    ),
    "committed twice": Situation("commit", lambda world, instance: world.act("commit", instance), _committed),
    "committed, to be checked": Situation(
        "both", lambda world, instance: world.act("commit", instance), may_wait=True
    ),
    "to be checked, which had failed": Situation(
        "both", lambda world, instance: world.act("commit", instance), _committed_in_vain, may_wait=True
    ),
    "to be checked, which was cut off": Situation(
        "both", lambda world, instance: world.act("status", instance), _committed_and_cut_off, may_wait=True
    ),
    "to be checked once more": Situation(
        "check", lambda world, instance: world.act("status", instance), _silent, may_wait=True
    ),
    "published by hand": Situation(
        "both", lambda world, instance: world.act("commit", instance, decision="publish")
    ),
    "rejected by hand": Situation(
        "both", lambda world, instance: world.act("commit", instance, decision="reject")
    ),
    "rejected too late": Situation(
        "commit", lambda world, instance: world.act("commit", instance, decision="reject"), _committed
    ),
    "discarded": Situation("commit", lambda world, instance: world.act("discard", instance)),
    "discarded by its owner": Situation(
        "commit", lambda world, instance: world.act("discard", instance, by_owner=True)
    ),
    "discarded once published": Situation(
        "commit", lambda world, instance: world.act("discard", instance), _committed
    ),
    "asked about while it is held": Situation("both", lambda world, instance: world.act("status", instance)),
    "asked about while it is checked": Situation(
        "check", lambda world, instance: world.act("status", instance)
    ),
    "asked about once published": Situation(
        "commit", lambda world, instance: world.act("status", instance), _committed
    ),
    "passed": Situation("check", lambda world, instance: world.hear(Outcome.PASS, instance)),
    "found risky": Situation("check", lambda world, instance: world.hear(Outcome.RISKY, instance)),
    "left to a human": Situation("check", lambda world, instance: world.hear(Outcome.REVIEW, instance)),
}


@dataclass(frozen=True)
class Cell:
    """One fault, which strikes the n-th call and those after it."""

    situation: str
    at: int
    fault: str
    strikes: int


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
    world = World(situation.profile)
    situation.before(world)
    world.strike(0, "", 0)
    answer, calls = situation.act(world, 0), world.calls
    assert 0 < calls < MAX_CALLS
    return calls, answer, world.act("status", 1), world.places(), len(world.wechat.asked)


def attempt(cell: Cell) -> str:
    """What went wrong in this cell; empty when it was as documented."""
    situation = SITUATIONS[cell.situation]
    world = World(situation.profile)
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
        world.now += CUT_OFF
    # What was begun and not done, a question goes on with; what was not begun, the same once more.
    asked = world.act("status", 1)
    if (asked == "published") != (world.key in world.oss.objects):
        return f"said {asked} where {world.places()} is"
    again = situation.act(world, 1)
    if again != _repeated(cell.situation):
        return f"a repetition answered {again}"
    told = [world.act("status", instance) for instance in (0, 1)]
    if told != [state, state] or world.places() != places:
        return f"ended {told} with {world.places()}, and where nothing fails {state} with {places}"
    if len(world.wechat.asked) > asked_of_wechat + 1:
        return f"asked WeChat {len(world.wechat.asked)} times"
    return ""


@cache
def _repeated(name: str) -> str:
    situation = SITUATIONS[name]
    world = World(situation.profile)
    situation.before(world)
    situation.act(world, 0)
    return situation.act(world, 1)


def run(only: Callable[[Cell], bool] = lambda cell: True) -> Result:
    """Try every cell that ``only`` takes."""
    started, wanted = time.monotonic(), [cell for cell in cells() if only(cell)]
    result = Result("faults")
    progress = Progress("faults of held objects", len(wanted))
    for number, cell in enumerate(wanted, start=1):
        if problem := attempt(cell):
            where = f"{cell.situation} / call {cell.at} / {cell.fault} x {cell.strikes}"
            result.problems.append(f"{where}: {problem}")
        progress.show(number)
    survived = len(wanted) - len(result.problems)
    result.totals += Counter({"faults tried": len(wanted), "faults survived": survived})
    result.figures.append(("held objects: faults survived / tried", f"{survived} / {len(wanted)}"))
    result.seconds = time.monotonic() - started
    return result
