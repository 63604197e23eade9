"""
What the machine itself can get wrong: the clock, the file system, the environment, the threads.
"""

import gc
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from function import outgoing
from quality.torture.faults import PHASES, START
from quality.torture.report import Result, try_cells
from tests.support import stage
from tests.support.canaries import LogWatch, Watch

MISCONFIGURED, UNAVAILABLE = "misconfigured", "sts_unavailable"
BUDGET_SECONDS = 4.0

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

SESSION = timedelta(hours=1)  # what STS_SESSION_SECONDS asks for when nobody sets it

Change = Callable[[Path, dict[str, str]], None]


def _write(data: bytes) -> Change:
    def change(profiles: Path, _environ: dict[str, str]) -> None:
        profiles.write_bytes(data)

    return change


def _remove(profiles: Path, _environ: dict[str, str]) -> None:
    profiles.unlink()


def _folder(profiles: Path, _environ: dict[str, str]) -> None:
    profiles.unlink()
    profiles.mkdir()


def _link_to_itself(profiles: Path, _environ: dict[str, str]) -> None:
    profiles.unlink()
    profiles.symlink_to(profiles)


FILES: Mapping[str, Change] = {
    "missing": _remove,
    "a folder": _folder,
    "a link to itself": _link_to_itself,
    "empty": _write(b""),
    "truncated": _write(stage.PROFILES.encode()[:40]),
    "malformed": _write(b"[default\nkey ="),
    "not UTF-8": _write(b"\xff\xfe[default]"),
    "with NUL bytes": _write(b"\0" * 100),
    "huge": _write(b"# comment\n" * 400_000 + b"x"),
    "of wrong types": _write(
        b"default = 1\n[a]\nkey = 5\nmax_size = [1]\ncontent_types = {}\nexpires_in = 1.5"
    ),
    "deeply nested": _write(b"a = " + b"[" * 5000 + b"]" * 5000),
    "with an enormous number": _write(b"a = " + b"9" * 5000),
    "with a name too long": _write(b'["' + b"x" * 70_000 + b'"]\nkey = "a/{id}"'),
}


def _set(**values: str) -> Change:
    def change(_profiles: Path, environ: dict[str, str]) -> None:
        environ.update(values)

    return change


def _drop(*names: str) -> Change:
    def change(_profiles: Path, environ: dict[str, str]) -> None:
        for name in names:
            environ.pop(name)

    return change


REQUIRED = ("OSS_BUCKET", "OSS_REGION", "STS_ROLE_ARN", "CALLER_AUTH", "TOKEN_SECRET", "WECHAT_SECRET")
ENVIRONMENTS: Mapping[str, Change] = {
    **{f"without {name}": _drop(name) for name in REQUIRED},
    **{f"{name} empty": _set(**{name: " "}) for name in REQUIRED},
    **{f"{name} not ASCII": _set(**{name: "存储"}) for name in REQUIRED},
    "STS_ENDPOINT over plain HTTP": _set(STS_ENDPOINT="http://sts.example.com"),
    "STS_ENDPOINT with a path": _set(STS_ENDPOINT="https://sts.example.com/x?y"),
    "a huge value": _set(OSS_BUCKET="b" * 4096),
    "a lone surrogate": _set(OSS_BUCKET="\udc80"),
    "seconds no number": _set(STS_SESSION_SECONDS="1e3"),
    "seconds too few": _set(STS_SESSION_SECONDS="899"),
    "TOKEN_SECRET too short": _set(TOKEN_SECRET="x" * 31),
    "TOKEN_SECRET of one character": _set(TOKEN_SECRET="x" * 64),
    "RECEIPT_SECRET that signs sessions": _set(TOKEN_SECRET="secret-" * 9, RECEIPT_SECRET="secret-" * 9),
    "a public key without an audience": _set(CALLER_AUTH="jwt", JWT_ALGORITHM="RS256", JWT_KEY="x"),
    "CLIENT_ADDRESS_HEADER no name": _set(CLIENT_ADDRESS_HEADER="X-Real-Ip: 1"),
    "keys that mislead the SDK": _set(ALIYUN_ACCESS_KEY_ID="x", ALIYUN_ACCESS_KEY_SECRET="y"),
    "DEBUG=sdk": _set(DEBUG="sdk"),
}


@contextmanager
def no_thread_starts(_origin: str) -> Iterator[None]:
    """As in a process that has all the threads it may have."""

    def start(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    thread: Any = threading.Thread
    real, thread.start = thread.start, start
    try:
        yield
    finally:
        thread.start = real


@contextmanager
def all_wait_for(origin: str) -> Iterator[None]:
    """As many calls of STS hang as may."""
    over = threading.Event()
    for _ in range(outgoing.MAX_OVERDUE):
        with suppress(outgoing.ExchangeFailed):
            outgoing.with_timeout(0, origin, over.wait)
    try:
        yield
    finally:
        over.set()


THREADS = {"none can start": no_thread_starts, "all wait for STS": all_wait_for}
ROLE_KEYS = ("ALIBABA_CLOUD_ACCESS_KEY_ID", "ALIBABA_CLOUD_ACCESS_KEY_SECRET")


@dataclass(frozen=True)
class Trial:
    """
    One fault of the machine in one phase.

    Args:
        wanted: the error code documented for it; "" for success.

        during: holds while the function is asked, given the origin of STS.
    """

    what: str
    phase: str
    change: Change
    wanted: str
    clock_off: timedelta = timedelta(0)
    during: Callable[[str], AbstractContextManager[None]] = lambda _origin: nullcontext()

    def __str__(self) -> str:
        return f"{self.what} / {self.phase}"

    @property
    def kind(self) -> str:
        return self.what.partition(":")[0]


def trials() -> list[Trial]:
    found = []
    for phase in PHASES:
        for name, change in {**FILES, **ENVIRONMENTS}.items():
            kind = "profiles.toml" if name in FILES else "environment"
            # Settings are read once: an instance that has them does not look again.
            wanted = MISCONFIGURED if phase == "cold" else ""
            found.append(Trial(f"{kind}: {name}", phase, change, wanted))
        keyless = "" if phase == "advisory" else MISCONFIGURED
        found.append(Trial("environment: no role keys", phase, _drop(*ROLE_KEYS), keyless))
        unrenewed = "" if phase == "advisory" else UNAVAILABLE
        for name, during in THREADS.items():
            found.append(Trial(f"threads: {name}", phase, _set(), unrenewed, during=during))
        for name, off in CLOCKS.items():
            found.append(Trial(f"clock: {name}", phase, _set(), clock_outcome(phase, off), off))
    return found


def clock_outcome(phase: str, off: timedelta) -> str:
    """
    Whether the function, believing its clock, may still hand out a form.

    STS answers with an hour by the right time; a clock that is ahead sees less of it. A held set is used
    while it covers a form of 5 minutes and the margin.
    """
    form = timedelta(seconds=360)
    minutes = PHASES[phase]
    held_until = START + SESSION if minutes is not None else None
    true_now = START + timedelta(minutes=minutes or 0)
    believed = (true_now + off).replace(microsecond=0)
    if held_until is not None and held_until >= believed + form:
        return ""
    return "" if true_now + SESSION >= believed + form else UNAVAILABLE


def attempt(trial: Trial, watch: Watch) -> str:
    """What went wrong; empty when the outcome was the documented one."""
    true_now = START
    off = timedelta(0)
    with TemporaryDirectory() as folder, ExitStack() as stack:
        profiles = Path(folder) / "profiles.toml"
        profiles.write_text(stage.PROFILES, "utf-8")
        environ = stage.planted_environment(watch, str(profiles))
        environ["STS_ENDPOINT"] = stack.enter_context(stage.serving_sts(environ, watch, lambda: true_now))
        function = stage.build(environ, lambda: true_now + off)
        minutes = PHASES[trial.phase]
        if minutes is not None:
            stage.ask(
                function, {"filename": "a.png"}, authorization=f"Bearer {_token(watch, environ, START)}"
            )
            true_now += timedelta(minutes=minutes)
        off = trial.clock_off
        token = _token(watch, environ, true_now + off)
        trial.change(profiles, environ)
        # A file nested too deep uses up the stack: finalizers of what this run left must not meet that.
        gc.collect()
        started = time.monotonic()
        with trial.during(environ["STS_ENDPOINT"]):
            reply = stage.ask(function, {"filename": "a.png"}, authorization=f"Bearer {token}")
        took = time.monotonic() - started
        watch.search(f"{reply.headers}{reply.text}", "response")
        watch.search_reprs(function)
    if reply.code != trial.wanted or (reply.status == 200) is not (trial.wanted == ""):
        return f"answered {reply.status} {reply.code}, documented is {trial.wanted or 'success'}"
    return f"took {took:.1f} s" if took > BUDGET_SECONDS else ""


def _token(watch: Watch, environ: Mapping[str, str], now: datetime) -> str:
    from function.auth.tokens import SESSION as AUDIENCE
    from function.auth.tokens import issue_token

    secrets = environ["TOKEN_SECRET"].split(",")
    claims = {"sub": "oUser", "app": stage.APP_ID, "bucket": stage.BUCKET}
    return issue_token(claims, audience=AUDIENCE, secrets=secrets, now=now, life=timedelta(minutes=5))


def run() -> Result:
    watch = Watch()
    with LogWatch(watch):
        return try_cells(
            "machine",
            trials(),
            lambda trial: attempt(trial, watch),
            kind=lambda trial: trial.kind,
            watch=watch,
        )
