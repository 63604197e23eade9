"""
The store of the quotas x every fault x what ``QUOTA_WHEN_DOWN`` says, on a new connection and on a kept one:
in time, as told, visible in the log, and counted again once it is well.
"""

import json
import logging
import os
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from function.session_policy import UPLOADS
from quality.torture.report import Result, try_cells
from tests.support import redis_server, stage
from tests.support.broken_server import GIVE_UP_SECONDS, TRICKLE_SECONDS, WIRE, serving
from tests.support.canaries import LogWatch, Watch
from tests.support.redis_server import RedisServer

NOW = datetime(2026, 11, 24, 14, 0, 0, tzinfo=UTC)
BUDGET_SECONDS = 0.3
SLACK_SECONDS = 5.0  # for a busy machine; a hang is far longer
AT_A_TIME = 12
HUGE_BYTES = 64 * 2**20
PROFILES = str(Path(__file__).with_suffix(".toml"))
Play = Callable[[socket.socket], None]


def _says(data: bytes) -> Play:
    return lambda connection: connection.sendall(data)


def _reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def _hang(connection: socket.socket) -> None:
    connection.settimeout(GIVE_UP_SECONDS)
    connection.recv(1)


def _trickle(connection: socket.socket) -> None:
    for byte in _numbers(0, 0, 0, 1, 1, 1, 1):
        connection.sendall(bytes([byte]))
        time.sleep(TRICKLE_SECONDS / 4)


def _huge(connection: socket.socket) -> None:
    connection.sendall(b"$%d\r\n" % HUGE_BYTES)
    for _ in range(HUGE_BYTES // 65536):
        connection.sendall(b" " * 65536)


def _numbers(*values: int) -> bytes:
    return b"*%d\r\n" % len(values) + b"".join(b":%d\r\n" % value for value in values)


FAULTS: dict[str, Play | None] = {
    "refused": None,
    "reset": _reset,
    "drop": lambda _connection: None,
    "hang": _hang,
    "trickle": _trickle,
    "huge": _huge,
    "truncated": _says(b"*7\r\n:0\r\n:0"),
    "http": _says(b"HTTP/1.1 400 Bad Request\r\n\r\n"),
    "nonsense": _says(b"\x00\xff\r\n"),
    "wrong_type": _says(b"*1\r\n:canary-of-redis\r\n"),
    "too_few": _says(_numbers(0, 0, 0)),
    "too_many": _says(_numbers(*range(40))),
    "text": _says(b"+OK\r\n"),
    "null": _says(b"$-1\r\n"),
    **{
        code.lower(): _says(f"-{code} canary-of-redis\r\n".encode())
        for code in (
            *("ERR", "LOADING", "READONLY", "OOM", "NOAUTH", "WRONGPASS", "NOPERM", "MOVED", "MISCONF"),
            *("CLUSTERDOWN", "BUSY", "MASTERDOWN", "WRONGTYPE"),
        )
    },
}
# Before anything is said.
TLS_FAULTS = ("no_tls", "wrong_certificate", "expired_certificate", "future_certificate")
REAL_FAULTS = ("killed", "halted", "replica", "full")


@dataclass(frozen=True)
class Cell:
    fault: str
    when_down: str
    is_warm: bool = False

    def __str__(self) -> str:
        kept = "on a kept connection" if self.is_warm else "on a new connection"
        return f"redis / {self.fault} / {self.when_down} {kept}"


def cells() -> Iterator[Cell]:
    for when_down in ("deny", "allow"):
        for fault in FAULTS:
            for is_warm in (False, True):
                # Who refuses connections has none to keep.
                if fault != "refused" or not is_warm:
                    yield Cell(fault, when_down, is_warm)
        yield from (Cell(fault, when_down) for fault in TLS_FAULTS)
        yield from (Cell(fault, when_down, is_warm=True) for fault in REAL_FAULTS)


@contextmanager
def _broken(play: Play | None, good: list[None]) -> Iterator[str]:
    """Where a Redis is that answers well as long as ``good`` has one left, and then plays its fault."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        if play:
            listener.listen()
            threading.Thread(target=_accept, args=(listener, play, good), daemon=True).start()
        yield f"127.0.0.1:{listener.getsockname()[1]}"
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)


def _accept(listener: socket.socket, play: Play, left: list[None]) -> None:
    with suppress(OSError):
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=_answer, args=(connection, play, left), daemon=True).start()


def _answer(connection: socket.socket, play: Play, left: list[None]) -> None:
    with connection, suppress(OSError):
        while data := connection.recv(65536):
            if b"AUTH" in data:
                connection.sendall(b"+OK\r\n")
            elif left:
                left.pop()
                connection.sendall(_numbers(0, 0, 0, 1_795_528_800, 20_781, 1, 100))
            else:
                play(connection)
                return


def attempt(cell: Cell, watch: Watch) -> str:
    """What went wrong in this cell; empty when it was as documented."""
    with TemporaryDirectory() as folder:
        if cell.fault in REAL_FAULTS:
            return _attempt_with_a_real_one(cell, watch, Path(folder))
        password = watch.plant("redis")
        if cell.fault in TLS_FAULTS:
            with serving(WIRE[cell.fault], lambda: b"") as origin:
                url = f"rediss://:{password}@{origin.rpartition('/')[2]}"
                return _without_the_store(_function(url, cell, watch), watch, cell)
        good: list[None] = []
        with _broken(FAULTS[cell.fault], good) as address:
            function = _function(f"redis://:{password}@{address}", cell, watch)
            if cell.is_warm and (problem := _until(lambda: _well_once(function, good))):
                return f"while it was well: {problem}"
            return _without_the_store(function, watch, cell)


def _function(url: str, cell: Cell, watch: Watch) -> Callable[[str], stage.Reply]:
    """Asks one instance for a form of a profile."""
    settings = {"CALLER_AUTH": "anonymous", "QUOTA_URL": url, "QUOTA_WHEN_DOWN": cell.when_down}
    environ = stage.planted_environment(watch, PROFILES, **settings)
    # What is tried is not STS: the credentials are held from the beginning.
    with stage.serving_sts(environ, watch, lambda: NOW) as origin:
        function = stage.build({**environ, "STS_ENDPOINT": origin}, lambda: NOW)
        ready = function._ready()
        ready.credentials_for(ready.settings.home.session(UPLOADS), None, NOW, [NOW + timedelta(minutes=5)])
    return lambda profile: stage.ask(function, {"filename": "a.png", "size": 100, "profile": profile})


def _with_the_store(ask: Callable[[str], stage.Reply]) -> str:
    answer = ask("default")
    if answer.status != 200 or "quota" not in answer.json:
        return f"answered {answer.status} {answer.code}"
    return ""


def _well_once(ask: Callable[[str], stage.Reply], good: list[None]) -> str:
    good[:] = [None]
    return _with_the_store(ask)


def _without_the_store(ask: Callable[[str], stage.Reply], watch: Watch, cell: Cell) -> str:
    for profile, is_denied in (("default", cell.when_down == "deny"), ("free", False)):
        started = time.monotonic()
        answer = ask(profile)
        took = time.monotonic() - started
        watch.search(answer.text, "answer")
        if "canary-of-redis" in answer.text:
            return "told what Redis said"
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


def _attempt_with_a_real_one(cell: Cell, watch: Watch, folder: Path) -> str:
    with RedisServer(folder) as server, RedisServer(folder) as other:
        ask = _function(server.url, cell, watch)
        if problem := _until(lambda: _with_the_store(ask)):
            return f"while it was well: {problem}"
        if cell.fault == "halted":
            with server.halted():
                problem = _without_the_store(ask, watch, cell)
        else:
            _break(server, other, cell.fault)
            problem = _without_the_store(ask, watch, cell)
            _mend(server, cell.fault)
        return problem or _until(lambda: _with_the_store(ask))


def _break(server: RedisServer, other: RedisServer, fault: str) -> None:
    match fault:
        case "killed":
            server.kill()
        case "replica":
            server.admin().replicaof("127.0.0.1", other.port)
        case "full":
            server.admin().config_set("maxmemory", "1")


def _mend(server: RedisServer, fault: str) -> None:
    match fault:
        case "killed":
            server.start()
        case "replica":
            server.admin().replicaof("NO", "ONE")
        case "full":
            server.admin().config_set("maxmemory", "0")


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
    wanted, problems = [cell for cell in cells() if only(cell)], []
    if not redis_server.is_installed():
        if os.environ.get("CI"):
            problems.append("no redis-server: the faults of a real one were NOT tried")
        print("  no redis-server: the faults of a real one are NOT tried")
        wanted = [cell for cell in wanted if cell.fault not in REAL_FAULTS]
    with (log := Lines(watch)):
        result = try_cells(
            "store of the quotas", wanted, lambda cell: attempt(cell, watch), AT_A_TIME, watch=watch
        )
    result.problems += [*problems, *_unlogged(log, wanted)]
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
