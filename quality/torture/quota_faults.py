"""
A real Redis that counts the quotas x every way it fails x what ``QUOTA_WHEN_DOWN`` says, on a new connection
and on a kept one: in time, as told, visible in the log, and counted again once it is well.

Replies that no Redis gives, refusals, certificates and logins are for plain tests of ``limits/``.
"""

import json
import logging
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import redis

from function.sts.session_policy import UPLOADS
from quality.torture.report import Result, try_cells
from tests.support import redis_server, stage
from tests.support.canaries import LogWatch, Watch
from tests.support.ports import LOOPBACK
from tests.support.redis_server import Line, RedisServer

NOW = datetime(2026, 11, 24, 14, 0, 0, tzinfo=UTC)
BUDGET_SECONDS = 0.3
SLACK_SECONDS = 5.0  # for a busy machine; a hang is far longer
AT_A_TIME = 12
NEW, KEPT = "a new connection", "a kept connection"
PROFILES = str(Path(__file__).with_suffix(".toml"))


class Store(NamedTuple):
    """A Redis, and the line to it."""

    server: RedisServer
    line: Line
    admin: "redis.Redis"


@contextmanager
def killed(store: Store) -> Iterator[None]:
    store.server.kill()
    yield
    store.server.start()


@contextmanager
def replica(store: Store) -> Iterator[None]:
    """Of a Redis that is not there."""
    store.admin.replicaof(LOOPBACK, store.line.port)
    yield
    store.admin.replicaof("NO", "ONE")


@contextmanager
def full(store: Store) -> Iterator[None]:
    store.admin.config_set("maxmemory", "1")
    yield
    store.admin.config_set("maxmemory", "0")


@contextmanager
def late(store: Store, *, drip: bool = False) -> Iterator[None]:
    store.line.delay_seconds, store.line.drip = 2 * BUDGET_SECONDS, drip
    yield
    store.line.delay_seconds, store.line.drip = 0.0, False


@contextmanager
def torn(store: Store) -> Iterator[None]:
    """After each command, which was carried out."""
    store.line.answers_to_swallow = 1000
    yield
    store.line.answers_to_swallow = 0


FAULTS: dict[str, Callable[[Store], AbstractContextManager[None]]] = {
    "killed": killed,
    "halted": lambda store: store.server.halted(),
    "replica": replica,
    "full": full,
    "slow": late,
    "trickle": lambda store: late(store, drip=True),
    "answer_lost": torn,
}


class Cell(NamedTuple):
    fault: str
    when_down: str
    connection: str


def cells() -> Iterator[Cell]:
    for when_down in ("deny", "allow"):
        for fault in FAULTS:
            yield from (Cell(fault, when_down, connection) for connection in (NEW, KEPT))


def attempt(cell: Cell, watch: Watch) -> str:
    """What went wrong in this cell; empty when it was as documented."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        password = watch.plant("redis")
        server = stack.enter_context(RedisServer(folder, requirepass=password))
        store = Store(server, stack.enter_context(Line(server.port)), server.admin(password=password))
        ask = _function(f"redis://:{password}@{LOOPBACK}:{store.line.port}", cell, watch)
        if cell.connection == KEPT and (problem := _until(lambda: _with_the_store(ask))):
            return f"while it was well: {problem}"
        with FAULTS[cell.fault](store):
            problem = _without_the_store(ask, watch, cell)
        return problem or _until(lambda: _with_the_store(ask))


def _function(url: str, cell: Cell, watch: Watch) -> Callable[[str], stage.Reply]:
    """Asks one instance for a form of a profile."""
    settings = {"CALLER_AUTH": "anonymous", "QUOTA_URL": url, "QUOTA_WHEN_DOWN": cell.when_down}
    environ = stage.planted_environment(watch, PROFILES, **settings)
    # What is tried is not STS: the credentials are held from the beginning.
    with stage.serving_sts(environ, watch, lambda: NOW) as origin:
        function = stage.build({**environ, "STS_ENDPOINT": origin}, lambda: NOW)
        ready = function.ready()
        ready.credentials_for(ready.settings.home.session(UPLOADS), None, NOW, [NOW + timedelta(minutes=5)])
    return lambda profile: stage.ask(function, {"filename": "a.png", "size": 100, "profile": profile})


def _with_the_store(ask: Callable[[str], stage.Reply]) -> str:
    answer = ask("default")
    if answer.status != 200 or "quota" not in answer.json:
        return f"answered {answer.status} {answer.code}"
    return ""


def _without_the_store(ask: Callable[[str], stage.Reply], watch: Watch, cell: Cell) -> str:
    for profile, is_denied in (("default", cell.when_down == "deny"), ("free", False)):
        started = time.monotonic()
        answer = ask(profile)
        took = time.monotonic() - started
        watch.search(answer.text, "answer")
        wanted = (503, "quota_unavailable") if is_denied else (200, "")
        if (answer.status, answer.code) != wanted:
            return f"[{profile}] answered {answer.status} {answer.code}, documented is {wanted}"
        if is_denied and answer.headers.get("Retry-After") != "2":
            return "503 without Retry-After"
        if not is_denied and "quota" in answer.json:
            return f"[{profile}] says what is left, which nobody knows"
        if took > BUDGET_SECONDS + SLACK_SECONDS:
            return f"took {took:.1f} s, allowed are {BUDGET_SECONDS}"
    return ""


def _until(ask: Callable[[], str]) -> str:
    """What a busy machine is given a few tries for."""
    for _ in range(20):
        if not (problem := ask()):
            return ""
        time.sleep(0.1)
    return problem


def run(only: Callable[[Cell], bool] = lambda cell: True) -> Result:
    """Try every cell that ``only`` takes."""
    watch = Watch()
    if not redis_server.is_installed():
        said = "no redis-server: its faults were NOT tried"
        return Result("faults", problems=[said] if os.environ.get("CI") else [], notes=[said])
    wanted = [*filter(only, cells())]
    with (log := Lines(watch)):
        result = try_cells(
            "store of the quotas", wanted, lambda cell: attempt(cell, watch), AT_A_TIME, watch=watch
        )
    result.problems += _unlogged(log, wanted)
    return result


class Lines(LogWatch):
    """Keeps what the lines of requests say about the store, as well."""

    def __init__(self, watch: Watch) -> None:
        super().__init__(watch)
        self.quotas: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        super().emit(record)
        if self.last.startswith("{"):
            self.quotas.append(json.loads(self.last).get("quota", ""))


def _unlogged(log: Lines, wanted: list[Cell]) -> Iterator[str]:
    """Each answer without the store is visible as such."""
    words = Counter(said.partition(":")[0] for said in log.quotas)
    for word, when_down in (("denied", "deny"), ("allowed", "allow")):
        expected = sum(cell.when_down == when_down for cell in wanted)
        if words[word] < expected:
            yield f"{word} stands in {words[word]} log lines, and {expected} were without the store"
    if words["counted here"] < len(wanted):
        yield f"counted here stands in {words['counted here']} log lines of {len(wanted)}"
