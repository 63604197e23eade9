"""
Load: the WSGI form of the function under gunicorn, beside a bare greeting and the floor under the same.
"""

import contextlib
import http.client
import json
import re
import shutil
import socket
import statistics
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from quality.bench.figures import in_turn
from quality.bench.load_generator import Sample, drive
from quality.bench.peers.task import WANTED
from quality.bench.setting_up import WORKSHOP, Bench, Progress

HELLO, FLOOR, TUNED_FLOOR, FUNCTION = "hello", "inline", "tuned", "function"
APPLICATIONS = (HELLO, FLOOR, TUNED_FLOOR, FUNCTION)
THREADS = 4
CONNECTIONS = 4
START_SECONDS = 30
STS_LATENCY_SECONDS = 0.05
# An hour's session is renewed after some three quarters of it; at this speed that is every four seconds.
CLOCK_SPEED = 660.0
WRK_SCRIPT = 'wrk.method = "POST"\nwrk.headers["Content-Type"] = "application/json"\nwrk.body = [[{body}]]\n'
UNITS = {"us": 0.001, "ms": 1.0, "s": 1000.0}


def measure(bench: Bench, rounds: int, seconds: float, progress: Progress) -> dict[str, Any]:
    """
    Returns:
        ``{application: {"per_second": [one a round], "per_cpu_second", "p50_ms", …, "wrk"}}``
    """
    with contextlib.ExitStack() as stack:
        ports = {
            name: stack.enter_context(served(bench, name, bench.environ_of(name))) for name in APPLICATIONS
        }
        runs = {name: partial(load_once, port, seconds) for name, port in ports.items()}
        outcomes = in_turn(runs, rounds, lambda text: progress(f"load: {text}"))
        figures: dict[str, Any] = {
            name: {unit: [outcome[unit] for outcome in each] for unit in each[0]}
            for name, each in outcomes.items()
        }
        for name, port in ports.items():
            figures[name]["wrk"] = run_wrk(port, seconds) if shutil.which("wrk") else None
    return figures


def measure_refreshes(bench: Bench, seconds: float, progress: Progress) -> dict[str, Any]:
    """
    One run in which the credentials must be renewed again and again, by a clock that runs faster.

    Returns:
        latencies of all requests and of those under way during a refresh, and the gaps between the
        AssumeRole calls in seconds of the fast clock.
    """
    progress(f"load: {seconds:.0f} s with forced refreshes")
    started = time.time()

    def now() -> datetime:
        return datetime.fromtimestamp(started, UTC) + timedelta(seconds=(time.time() - started) * CLOCK_SPEED)

    with replace(bench.stand_ins, latency_seconds=STS_LATENCY_SECONDS, now=now, calls=[]) as sts:
        clock = {"BENCH_CLOCK_SPEED": str(CLOCK_SPEED), "BENCH_CLOCK_START": repr(started)}
        environ = {**bench.environ_of(FUNCTION), **clock, "STS_ENDPOINT": sts.origin}
        with served(bench, FUNCTION, environ) as port:
            load_once(port, 0.2)
            samples = drive(port, post(), CONNECTIONS, seconds)
    return summarise_refreshes(samples, sts.calls)


def summarise_refreshes(samples: list[Sample], calls: list[tuple[float, float]]) -> dict[str, Any]:
    during = [
        latency
        for sent, latency in samples
        if any(sent < end and sent + latency > start for start, end in calls)
    ]
    gaps = [(later[0] - earlier[0]) * CLOCK_SPEED for earlier, later in zip(calls, calls[1:], strict=False)]
    latencies = [latency for _, latency in samples]
    return {
        "requests": len(samples),
        "p50_ms": percentile(latencies, 50) * 1000,
        "p99_ms": percentile(latencies, 99) * 1000,
        "longest_ms": max(latencies) * 1000,
        "during_refresh": {
            "requests": len(during),
            "p50_ms": percentile(during, 50) * 1000,
            "p99_ms": percentile(during, 99) * 1000,
        },
        "assume_role_calls": len(calls),
        "gaps_seconds": gaps,
        # Each gap over the usual one: 2 would be a refresh left out, 0 one too many.
        "gaps_in_windows": [gap / statistics.median(gaps) for gap in gaps],
    }


@contextlib.contextmanager
def served(bench: Bench, application: str, environ: Mapping[str, str]) -> Iterator[int]:
    """gunicorn with threads on a port of its own, until the block ends."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        environ = {**environ, "PYTHONPATH": f"{bench.scripts}:{bench.package}"}
        command = [bench.venv_python, "-B", "-m", "gunicorn", "--bind", f"fd://{listening.fileno()}"]
        command += ["--worker-class", "gthread", "--workers", "1", "--threads", str(THREADS)]
        command += ["--keep-alive", "75", "--log-level", "error", "--no-control-socket"]
        command.append(f"wsgi_apps:{application}")
        server = subprocess.Popen(command, env=environ, pass_fds=[listening.fileno()])
    try:
        wait_until_served(port, server)
        yield port
    finally:
        server.terminate()
        server.wait(START_SECONDS)


def wait_until_served(port: int, server: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + START_SECONDS
    while server.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(OSError):
            usage(port)
            return
        time.sleep(0.1)
    raise RuntimeError("gunicorn does not serve; its words stand above")


def usage(port: int) -> Mapping[str, float]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=START_SECONDS)
    with contextlib.closing(connection):
        connection.request("GET", "/bench/usage", headers={"Connection": "close"})
        found: dict[str, float] = json.loads(connection.getresponse().read())
        return found


def load_once(port: int, seconds: float) -> dict[str, float]:
    before = usage(port)
    samples = drive(port, post(), CONNECTIONS, seconds)
    after = usage(port)
    latencies = [latency for _, latency in samples]
    return {
        "per_second": len(samples) / seconds,
        "per_cpu_second": len(samples) / (after["cpu_seconds"] - before["cpu_seconds"]),
        "p50_ms": percentile(latencies, 50) * 1000,
        "p99_ms": percentile(latencies, 99) * 1000,
        "rss_mb": after["rss_mb"],
    }


def post() -> bytes:
    body = json.dumps(WANTED).encode()
    head = (
        "POST /upload-params HTTP/1.1\r\nHost: upload.example.com\r\nContent-Type: application/json\r\n"
        "User-Agent: Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) MicroMessenger/8.0.50\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def percentile(values: list[float], percent: int) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)] if ordered else 0.0


def run_wrk(port: int, seconds: float) -> dict[str, float] | None:
    """The same load by wrk, where it is installed, to hold our own generator against."""
    script = WORKSHOP / "post.lua"
    script.write_text(WRK_SCRIPT.format(body=json.dumps(WANTED)), "utf-8")
    command = f"wrk -t1 -c{CONNECTIONS} -d{max(1, round(seconds))}s --latency -s".split()
    command += [str(script), f"http://127.0.0.1:{port}/upload-params"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    rate = re.search(r"Requests/sec:\s+([\d.]+)", done.stdout)
    latencies = {part: re.search(rf"\b{part}%\s+([\d.]+)(us|ms|s)", done.stdout) for part in (50, 99)}
    if not rate or not all(latencies.values()):
        return None
    return {
        "per_second": float(rate[1]),
        **{f"p{part}_ms": float(found[1]) * UNITS[found[2]] for part, found in latencies.items() if found},
    }
