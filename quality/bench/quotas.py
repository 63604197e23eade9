"""
What counting costs a request: nothing, in memory, in a Redis on loopback; and what Redis costs a cold start.
"""

import json
import logging
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from function.limits.quota import QuotaItem, QuotaRequest
from function.limits.redis import RedisStore
from function.limits.redis_connection import Address
from function.session_policy import UPLOADS
from quality.bench.figures import in_turn
from quality.bench.setting_up import ROOT, Progress
from tests.support import stage
from tests.support.canaries import Watch
from tests.support.redis_server import RedisServer, is_installed

NOW = datetime(2026, 11, 24, 14, 0, 0, tzinfo=UTC)
REQUESTS_A_ROUND = 300
ROUND_TRIPS = 5_000
CONNECTIONS = 200
PROFILE = '[default]\nkey = "u/{owner}/{id}"\nmax_size = 100\ncontent_types = ["image/*"]\n'
QUOTA = 'files_per_day = 1000000000\nbytes_per_day = "1048576GiB"\n'
EVENT = stage.make_event({"filename": "a.png", "size": 100})
PLAIN, MEMORY, REDIS, RATES = "without", "memory:", "redis://", "redis://, rates alone"
# Beside what a cold start has loaded by then.
IMPORT = """
import time, handler, function.routes.upload_params
from function import aliyun_sdk
aliyun_sdk.prepare()
import aliyunsdkcore.vendored.requests.adapters
started = time.perf_counter()
import function.limits.quota, function.limits.redis, function.limits.redis_connection
function.limits.redis_connection.import_library()
print((time.perf_counter() - started) * 1000)
"""


def measure(rounds: int, progress: Progress) -> dict[str, Any]:
    """
    Returns:
        ``{"request_us": {place: [one a round]}, "round_trip_us": {"p50", "p99"}, "first_us": …,
        "import_ms": [one a round]}``; nothing where there is no ``redis-server``.
    """
    if not is_installed():
        progress("quotas: no redis-server, so nothing is measured")
        return {}
    with TemporaryDirectory() as folder, RedisServer(Path(folder)) as server:
        logging.disable(logging.CRITICAL)
        try:
            requests = _requests(Path(folder), server)
            slices = {place: lambda ask=ask: _microseconds(ask) for place, ask in requests.items()}
            taken = in_turn(slices, rounds, lambda text: progress(f"quotas: {text}"))
        finally:
            logging.disable(logging.NOTSET)
        return {
            "request_us": taken,
            "round_trip_us": _round_trips(server),
            "first_us": _first(server),
            "import_ms": [_import_ms() for _ in range(rounds)],
        }


def _requests(folder: Path, server: RedisServer) -> dict[str, Callable[[], Any]]:
    return {
        PLAIN: _request(folder, "", ""),
        MEMORY: _request(folder, "memory:", QUOTA),
        REDIS: _request(folder, server.url, QUOTA),
        RATES: _request(folder, server.url, ""),
    }


def _request(folder: Path, url: str, quota: str) -> Callable[[], Any]:
    """Asks a warm instance for one form."""
    profiles = folder / f"{len(list(folder.iterdir()))}.toml"
    profiles.write_text(PROFILE + quota, "utf-8")
    settings = {"QUOTA_URL": url, "QUOTA_WHEN_DOWN": "deny"} if url else {}
    watch = Watch()
    environ = stage.planted_environment(watch, str(profiles), CALLER_AUTH="anonymous", **settings)
    with stage.serving_sts(environ, watch, lambda: NOW) as origin:
        function = stage.build({**environ, "STS_ENDPOINT": origin}, lambda: NOW)
        ready = function._ready()
        ready.credentials_for(ready.settings.home.session(UPLOADS), None, NOW, [NOW + timedelta(minutes=5)])
    answer = stage.ask_event(function, EVENT)
    if answer.status != 200 or ("quota" in answer.json) != bool(quota):
        raise RuntimeError(f"not the work that is to be measured: {answer.text[:200]}")
    return lambda: stage.serve(function, EVENT, None)


def _microseconds(ask: Callable[[], Any]) -> float:
    started = time.perf_counter()
    for _ in range(REQUESTS_A_ROUND):
        ask()
    return (time.perf_counter() - started) / REQUESTS_A_ROUND * 1e6


def _store(server: RedisServer) -> RedisStore:
    return RedisStore(Address(server.url), timedelta(hours=8), "bench", 5.0)


def _round_trips(server: RedisServer) -> dict[str, float]:
    """Of the store by itself, on its kept connection: one file and its bytes checked and counted."""
    store, taken = _store(server), []
    for number in range(ROUND_TRIPS):
        asked = QuotaRequest(f"round-{number}", "ann", (), (QuotaItem("p", 10**9, 10**12, 1, 1),))
        started = time.perf_counter()
        store.count(asked, NOW)
        taken.append((time.perf_counter() - started) * 1e6)
    taken.sort()
    return {"p50": taken[ROUND_TRIPS // 2], "p99": taken[ROUND_TRIPS * 99 // 100]}


def _first(server: RedisServer) -> float:
    """The median of a store's first count, which connects."""
    numbers = count()

    def first() -> float:
        store = _store(server)
        started = time.perf_counter()
        store.count(QuotaRequest(f"first-{next(numbers)}", "ann", (), ()), NOW)
        return (time.perf_counter() - started) * 1e6

    return statistics.median(first() for _ in range(CONNECTIONS))


def _import_ms() -> float:
    command = [sys.executable, "-c", IMPORT]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return float(done.stdout)


if __name__ == "__main__":
    print(json.dumps(measure(5, lambda text: print(text, file=sys.stderr)), indent=1))
