"""
A million requests, 16 at a time, through the WSGI form while STS fails 30 % of the time.

Credentials live 15 minutes on a clock that each request moves a little, so they are renewed some two
hundred times.
"""

import itertools
import json
import logging
import math
import resource
import sys
import threading
import time
from base64 import b64decode
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from function.credentials import ATTEMPTS, EARLY_RETRY_PAUSE, EARLY_TRIES
from function.limits.quota import QuotaLimiter
from function.limits.redis import RedisStore
from function.limits.redis_connection import Address
from local.common.accounts import AccessKey, Accounts
from local.sts.server import StsServer
from quality.torture.report import Progress, Result
from tests.support import stage
from tests.support.canaries import LogWatch, Watch
from tests.support.redis_server import RedisServer

START = datetime(2026, 11, 24, 14, 0, 0, tzinfo=UTC)
REQUESTS = 1_000_000
AT_A_TIME = 16
STEP = timedelta(seconds=0.08)
SESSION = timedelta(seconds=900)
FORM = timedelta(seconds=300)
MARGIN = timedelta(seconds=60)
# The first early try of a set that no form outlives: two tries before it stops covering one.
SHORTEST_HOLD = SESSION - FORM - MARGIN - EARLY_TRIES * EARLY_RETRY_PAUSE
# Together 30 of 100 calls; each fault is drawn by itself, so later ones see what the earlier ones left.
STS_FAULTS = {"throttled": 0.10, "drop": 0.10 / 0.9, "status_500": 0.10 / 0.8}
PROFILES = """
[default]
key = "uploads/{owner}/{id}{ext}"
max_size = "10MiB"
content_types = ["image/*"]
"""
QUOTA = "files_per_day = 1000000000\n"
PATIENCE_SECONDS = 20.0
BODY = b'{"filename": "a.png"}'
MAX_GROWTH_BYTES = 8 * 2**20
WARM_UP_PART = 5


class FastClock:
    """Each reading moves the time on; every thread can ask what it read last."""

    def __init__(self) -> None:
        self._ticks = itertools.count()
        self._mine = threading.local()
        self.latest = START

    def __call__(self) -> datetime:
        instant = START + next(self._ticks) * STEP
        self._mine.instant = self.latest = instant
        return instant

    def look(self) -> datetime:
        """The time without moving it, for STS."""
        return self.latest

    @property
    def last_of_this_thread(self) -> datetime:
        instant: datetime = self._mine.instant
        return instant


class Ledger(Accounts):
    """
    The keys STS gave out, with their ends, so that every form can be held against its credentials.

    Args:
        held: ends of the sets that have signed a form. That STS gave one out is not enough: its answer
            may be lost on a busy machine. And the function counts a life from when it asked, not from
            when STS answered: on this clock, seconds earlier.
    """

    def __init__(self, *keys: AccessKey) -> None:
        super().__init__(*keys)
        self.ends: list[datetime] = []
        self.held: dict[str, datetime] = {}
        self._holding = threading.Lock()

    def hold(self, key_id: str, end: datetime) -> None:
        """Note a set that signed a form, with the earliest of the ends told for it."""
        if self.held.get(key_id, datetime.max.replace(tzinfo=UTC)) > end:
            with self._holding:
                self.held[key_id] = min(end, self.held.get(key_id, end))

    def add(self, key: AccessKey) -> None:
        super().add(key)
        if key.expires_at is not None:
            self.ends.append(key.expires_at)


class Reasons(logging.Handler):
    """Why the function says that it answered 503, from its own log."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self._of: dict[str, str] = {}

    def emit(self, record: logging.LogRecord) -> None:
        line = json.loads(record.getMessage())
        self._of[line["requestId"]] = str(line.get("reason"))

    def of(self, reply: stage.Reply) -> str:
        return self._of.get(reply.json.get("error", {}).get("requestId"), "no reason in the log")


@dataclass
class Tally:
    """What one thread saw."""

    forms: int = 0
    refused: int = 0
    lost: list[str] = field(default_factory=list)
    outlived: list[str] = field(default_factory=list)

    def __add__(self, other: "Tally") -> "Tally":
        sums = self.forms + other.forms, self.refused + other.refused
        return Tally(*sums, self.lost + other.lost, self.outlived + other.outlived)


def check(
    reply: stage.Reply, was_good: bool, ledger: Ledger, instant: datetime, tally: Tally, reasons: Reasons
) -> None:
    """
    Hold one answer against what was promised.

    Args:
        was_good: whether a set that covers a form was held before the request came.
    """
    if reply.status == 503 and not was_good:
        tally.refused += 1
        return
    if reply.status != 200:
        tally.lost.append(f"{reply.status} {reply.code} at {instant:%H:%M:%S}: {reasons.of(reply)}")
        return
    tally.forms += 1
    key = ledger.find(_between(reply.text, '"x-oss-credential":"', "/"))
    # The first 48 characters of base64 hold {"expiration":"2026-11-24T14:05:00.0.
    policy = b64decode(_between(reply.text, '"policy":"', '"')[:48]).decode()
    expires_at = policy[15:34] + "Z"
    if key is None or key.expires_at is None or datetime.fromisoformat(expires_at) + MARGIN > key.expires_at:
        tally.outlived.append(f"a form until {expires_at}")
    else:
        ledger.hold(key.access_key_id, min(key.expires_at, instant + SESSION))


def _between(text: str, start: str, end: str) -> str:
    return text.partition(start)[2].partition(end)[0]


def work(
    requests: int,
    step: Callable[[], stage.Reply],
    clock: FastClock,
    ledger: Ledger,
    tally: Tally,
    reasons: Reasons,
) -> None:
    for _ in range(requests):
        held = list(ledger.held.values())[-2:]
        reply = step()
        instant = clock.last_of_this_thread.replace(microsecond=0)
        was_good = any(end >= instant + FORM + MARGIN for end in held)
        check(reply, was_good, ledger, instant, tally, reasons)


def resident_bytes() -> int:
    """Memory of this process now; where the system does not tell, its peak."""
    statm = Path("/proc/self/statm")
    if statm.exists():
        return int(statm.read_text().split()[1]) * resource.getpagesize()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def run(requests: int = REQUESTS, *, with_quotas: bool = False) -> Result:
    """
    Args:
        with_quotas: every form is counted in a Redis, and each that was not given is given back.
    """
    started = time.monotonic()
    watch, clock = Watch(), FastClock()
    ledger = Ledger(AccessKey("LTAIOwn", watch.plant("own-secret")))
    sts = StsServer(
        ledger,
        stage.ROLE,
        now=clock.look,
        clock_window=stage.ANY_TIME,
        new_secret=lambda: watch.plant("role-secret"),
    )
    for kind, rate in STS_FAULTS.items():
        sts.faults.plan(kind, rate=rate)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        reasons, log = Reasons(), logging.getLogger("oss_direct_upload")
        log.addHandler(reasons)
        stack.callback(log.removeHandler, reasons)
        stack.enter_context(LogWatch(watch))
        # Let the interpreter change threads often, so that they meet in more places.
        stack.callback(sys.setswitchinterval, sys.getswitchinterval())
        sys.setswitchinterval(0.0005)
        server = stack.enter_context(RedisServer(folder)) if with_quotas else None
        profiles = folder / "profiles.toml"
        profiles.write_text(PROFILES + (QUOTA if with_quotas else ""), "utf-8")
        sts.start()
        stack.callback(sts.stop)
        step = _step(watch, clock, ledger, sts.origin, str(profiles), server)
        tally, growth = _send(requests, step, clock, ledger, reasons)
        counted = _counted(server)
    result = _result(requests, tally, growth, ledger, len(sts.calls), clock)
    if server:
        result.figures.append(("forms counted in Redis / given", f"{counted:,} / {tally.forms:,}"))
        if counted != tally.forms:
            result.problems.append(f"{counted} forms were counted, and {tally.forms} given")
    result.searched, result.secrets = watch.searched, watch.found
    result.seconds = time.monotonic() - started
    return result


def _counted(server: RedisServer | None) -> int:
    """How many files Redis has in the one day that there is."""
    if server is None:
        return 0
    client: Any = server.admin()
    (day,) = client.keys("*day:default")
    return int(client.hget(day, "files"))


def _step(
    watch: Watch,
    clock: FastClock,
    ledger: Ledger,
    sts_origin: str,
    profiles_file: str,
    server: RedisServer | None,
) -> Callable[[], stage.Reply]:
    own = ledger.find("LTAIOwn")
    environ = {
        **stage.planted_environment(watch, profiles_file),
        "CALLER_AUTH": "anonymous",
        "STS_ENDPOINT": sts_origin,
        "STS_SESSION_SECONDS": str(int(SESSION.total_seconds())),
        "ALIBABA_CLOUD_ACCESS_KEY_ID": "LTAIOwn",
        "ALIBABA_CLOUD_ACCESS_KEY_SECRET": own.access_key_secret if own else "",
        "ALIBABA_CLOUD_SECURITY_TOKEN": "",
    }
    if server:
        environ |= {"QUOTA_URL": server.url, "QUOTA_WHEN_DOWN": "deny"}
    function = stage.build(environ, clock, sleep=lambda seconds: None)
    if server:
        ready, address = function.ready(), Address(server.url)
        # By Redis' own clock the day must not end meanwhile, and a busy machine may be late.
        offset = timedelta(hours=1 - datetime.now(UTC).hour)
        assert isinstance(ready.limiter, QuotaLimiter)
        ready.limiter._new_store = lambda: RedisStore(address, offset, stage.BUCKET, PATIENCE_SECONDS)

    def step() -> stage.Reply:
        reply = stage.ask(function, BODY)
        watch.search(reply.text, "response")
        return reply

    return step


def _send(
    requests: int, step: Callable[[], stage.Reply], clock: FastClock, ledger: Ledger, reasons: Reasons
) -> tuple[Tally, int]:
    """All requests; the sum of what the threads saw, and by how many bytes memory grew after a warm-up."""
    progress = Progress("soak", requests)
    total, growth, done, at_warm = Tally(), 0, 0, 0
    rounds = [requests // WARM_UP_PART] * WARM_UP_PART
    for size in rounds:
        tallies = [Tally() for _ in range(AT_A_TIME)]
        threads = [
            threading.Thread(target=work, args=(size // AT_A_TIME, step, clock, ledger, tally, reasons))
            for tally in tallies
        ]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            time.sleep(0.05)
            progress.show(done + sum(tally.forms + tally.refused for tally in tallies))
        for tally in tallies:
            total += tally
        done += size
        at_warm = at_warm or resident_bytes()
        growth = resident_bytes() - at_warm
    return total, growth


def _result(requests: int, tally: Tally, growth: int, ledger: Ledger, calls: int, clock: FastClock) -> Result:
    result = Result("soak")
    passed = clock.latest - START
    renewed, allowed = len(ledger.ends), math.floor(passed / SHORTEST_HOLD) + 1
    # Early tries come half a minute apart; without a good set every request may try twice.
    calls_allowed = allowed * (1 + EARLY_TRIES)
    calls_allowed += ATTEMPTS * (allowed + tally.refused)
    hours, lost, outlived = passed.total_seconds() / 3600, len(tally.lost), len(tally.outlived)
    result.figures = [
        (f"requests, {AT_A_TIME} at a time, over {hours:.1f} h of its clock", f"{requests:,}"),
        ("forms signed", f"{tally.forms:,}"),
        ("requests lost while held credentials were good", f"{lost:,}"),
        ("503 with Retry-After while STS failed and nothing good was held", f"{tally.refused:,}"),
        ("forms that outlive their credentials", f"{outlived:,}"),
        ("credential sets fetched / allowed by the schedule", f"{renewed} / {allowed}"),
        ("AssumeRole calls, failed ones included / allowed", f"{calls} / {calls_allowed}"),
        ("memory grown after a fifth, KB / allowed", f"{growth // 1024:,} / {MAX_GROWTH_BYTES // 1024:,}"),
    ]
    done = tally.forms + tally.refused + lost
    result.totals["requests in the soak"] = done
    result.totals["requests lost"], result.totals["forms that outlive their credentials"] = lost, outlived
    result.problems += [f"lost: {what}" for what in tally.lost] + tally.outlived
    if renewed > allowed or calls > calls_allowed:
        result.problems.append("STS was asked more often than the schedule allows")
    if growth > MAX_GROWTH_BYTES:
        result.problems.append("memory is not flat")
    if done < requests - AT_A_TIME * WARM_UP_PART:
        result.problems.append("a thread ended early")
    return result
