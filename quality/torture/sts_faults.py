"""
STS x every fault x every phase of the held credentials, for each use of a session, over real sockets; the
same phases with a wrong clock, with too many calls under way and without the role's keys.

Once all is well again, so is the function.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext, suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from threading import Event
from typing import Any, NamedTuple

from function import outgoing
from function.auth.signed_tokens import SESSION as SESSION_TOKEN
from function.auth.signed_tokens import issue_token
from function.http.client import HttpResponse
from function.sts.session_policy import OBJECTS, UPLOADS
from quality.torture.report import Result, try_cells
from tests.support import stage
from tests.support.broken_server import SLOW_SECONDS, WIRE, serving
from tests.support.canaries import LogWatch, Watch

START = datetime(2026, 11, 24, 14, 0, 0, tzinfo=UTC)
# After the first good request: refreshed early if possible, no more good for a form, over.
PHASES = {"cold": None, "advisory": 50, "mandatory": 56, "expired": 61}
SESSION = timedelta(hours=1)  # what STS_SESSION_SECONDS asks for when nobody sets it
# What a request may take at most, twice the attempts included; a busy machine may add to it.
SECONDS = 9.2 + 5.0
AT_A_TIME = 24
PROFILES = str(Path(__file__).with_suffix(".toml"))
STORED = {"content-length": "9", "etag": '"E"', "last-modified": "Tue, 24 Nov 2026 14:00:01 GMT"}
FORM, CONFIRMATION, URL = "a form", "a confirmation", "a URL"
# The sets that are still in use: in the first tries of a refresh; and for what ends within seconds.
COVERED = {FORM: ("advisory",), CONFIRMATION: ("advisory", "mandatory"), URL: ("advisory",)}
SAID = (
    *("rejected", "status_500", "throttled", "malformed", "null", "null_error", "not_utf8", "wrong_type"),
    *("slow", "expired", "far_future"),
)
OF_STS = (*(name for name in WIRE if name != "slow"), *SAID)
# Where the function's clock stands while STS's is right. What it believes then decides: credentials that
# seem to be over are not used, and no other answer than a form or a 503 is given.
CLOCKS = {
    "an hour back": timedelta(hours=-1),
    "a day back": timedelta(days=-1),
    "back in 1970": datetime(1970, 1, 1, tzinfo=UTC) - START,
    "half a minute ahead": timedelta(seconds=30),
    "an hour ahead": timedelta(hours=1),
    "a year ahead": timedelta(days=365),
    "in the year 2100": datetime(2100, 2, 28, 23, 59, 59, tzinfo=UTC) - START,
    "on 29 February": datetime(2028, 2, 29, 23, 59, 59, 999999, tzinfo=UTC) - START,
    "in the last second of a year": datetime(2026, 12, 31, 23, 59, 59, 999999, tzinfo=UTC) - START,
}


@contextmanager
def all_wait_for_sts(environ: dict[str, str]) -> Iterator[None]:
    """As many calls of STS hang as may."""
    over = Event()
    for _ in range(outgoing.MAX_OVERDUE):
        with suppress(outgoing.ExchangeFailed):
            outgoing.with_timeout(0, environ["STS_ENDPOINT"], over.wait)
    try:
        yield
    finally:
        over.set()


@contextmanager
def no_role_keys(environ: dict[str, str]) -> Iterator[None]:
    names = ("ALIBABA_CLOUD_ACCESS_KEY_ID", "ALIBABA_CLOUD_ACCESS_KEY_SECRET")
    taken = {name: environ.pop(name) for name in names}
    yield
    environ |= taken


OF_THE_MACHINE = {
    "all wait for STS": all_wait_for_sts,
    "no role keys": no_role_keys,
}


class Cell(NamedTuple):
    asked_for: str
    fault: str
    phase: str


def cells() -> Iterator[Cell]:
    for phase in PHASES:
        for asked_for in COVERED:
            yield from (Cell(asked_for, fault, phase) for fault in OF_STS)
        yield from (Cell(FORM, fault, phase) for fault in (*CLOCKS, *OF_THE_MACHINE))


def expected(cell: Cell) -> str:
    """The documented outcome: an error code, or "" for success."""
    if cell.fault in CLOCKS:
        return clock_outcome(cell.phase, CLOCKS[cell.fault])
    if cell.phase in COVERED[cell.asked_for] or cell.fault in ("slow", "far_future"):
        return ""
    return {"rejected": "sts_rejected", "no role keys": "misconfigured"}.get(cell.fault, "sts_unavailable")


def clock_outcome(phase: str, off: timedelta) -> str:
    """
    Whether the function, believing its clock, may still hand out a form.

    STS answers with an hour by the right time; a clock that is ahead sees less of it. A held set is used
    while it covers a form of 5 minutes and the margin.
    """
    form, minutes = timedelta(seconds=360), PHASES[phase]
    true_now = START + timedelta(minutes=minutes or 0)
    believed = (true_now + off).replace(microsecond=0)
    if minutes is not None and believed + form <= START + SESSION:
        return ""
    return "" if believed + form <= true_now + SESSION else "sts_unavailable"


class Trial:
    """One instance, whose STS is well until it is swapped for a broken one, and well again in the end."""

    def __init__(self, watch: Watch) -> None:
        self.watch = watch
        self.environ = stage.planted_environment(watch, PROFILES)
        self.now, self.off = START, timedelta(0)

    def run(self, cell: Cell) -> str:
        """What went wrong in this cell; empty when it was as documented."""
        with ExitStack() as stack:
            good = stack.enter_context(self._sts())
            self.environ["STS_ENDPOINT"] = good
            broken = good
            if cell.fault in SAID:
                broken = stack.enter_context(self._sts(cell.fault))
            elif cell.fault in WIRE:
                broken = stack.enter_context(serving(WIRE[cell.fault], lambda: b"{}"))
            function = self._instance()
            if (minutes := PHASES[cell.phase]) is not None:
                self._ask(function, cell.asked_for)
                self.now += timedelta(minutes=minutes)
            redirect(function, cell.asked_for, broken)
            self.off = CLOCKS.get(cell.fault, self.off)
            with OF_THE_MACHINE.get(cell.fault, nullcontext)(self.environ):
                reply, took = self._ask(function, cell.asked_for)
            self.watch.search(f"{reply.headers}{reply.text}", "response")
            self.watch.search_reprs(function)
            if problem := judge(cell, reply, took):
                return problem
            redirect(function, cell.asked_for, good)
            self.off = timedelta(0)
            again, _ = self._ask(function, cell.asked_for)
            return "" if again.status == 200 else f"well again, and answered {again.status} {again.code}"

    def _sts(self, fault: str = "") -> AbstractContextManager[str]:
        return stage.serving_sts(self.environ, self.watch, lambda: self.now, fault, SLOW_SECONDS)

    def _instance(self) -> Any:
        stored = HttpResponse(200, b"", {"content-type": "image/png", **STORED})
        return stage.build(self.environ, lambda: self.now + self.off, send=lambda *_, **__: stored)

    def _ask(self, function: Any, asked_for: str) -> tuple[stage.Reply, float]:
        """The answer, and how long it took."""
        route, body = "upload-params", {"filename": "a.png"}
        if asked_for == CONFIRMATION:
            form, _ = self._ask(self._instance(), "its form")
            route, body = "confirm", {"ticket": form.json["ticket"]}
        elif asked_for == URL:
            route, body = "read", {"key": f"shown/{'a' * 26}/{'A' * 22}.png"}
        elif asked_for != FORM:
            body["profile"] = "seen"
        started = time.monotonic()
        bearer = f"Bearer {self._token()}"
        reply = stage.ask(function, body, path=f"/{route}", authorization=bearer)
        return reply, time.monotonic() - started

    def _token(self) -> str:
        secrets = self.environ["TOKEN_SECRET"].split(",")
        claims = {"sub": "oUser", "app": stage.APP_ID, "bucket": stage.BUCKET}
        now, life = self.now + self.off, timedelta(minutes=5)
        return issue_token(claims, audience=SESSION_TOKEN, secrets=secrets, now=now, life=life)


def redirect(function: Any, asked_for: str, address: str) -> None:
    """Let a running instance meet another STS: its settings never change, so its own copy is replaced."""
    instance = function.ready()
    session = instance.settings.home.session(UPLOADS if asked_for == FORM else OBJECTS)
    cache = instance.credentials[session]
    client, policies = cache.assume_role.func.__self__, cache.assume_role.args
    cache.assume_role = partial(client._replace(endpoint=address).assume_role, *policies)


def judge(cell: Cell, reply: stage.Reply, took: float) -> str:
    wanted = expected(cell)
    if reply.code != wanted or (reply.status == 200) is not (wanted == ""):
        return f"answered {reply.status} {reply.code}, documented is {wanted or 'success'}"
    if reply.status == 503 and "Retry-After" not in reply.headers:
        return "no Retry-After"
    return f"took {took:.1f} s, allowed are {SECONDS:.1f}" if took > SECONDS else ""


def run(only: Callable[[Cell], bool] = lambda cell: True) -> Result:
    """Try every cell that ``only`` takes."""
    watch = Watch()
    with LogWatch(watch):
        wanted = filter(only, cells())
        return try_cells(
            *("STS and the machine", wanted, lambda cell: Trial(watch).run(cell), AT_A_TIME),
            kind=lambda cell: f"{cell.asked_for}: STS" if cell.fault in OF_STS else "clocks and keys",
            watch=watch,
        )
