"""Load: the WSGI form of the function under gunicorn, beside the floor under the same."""

import contextlib
import http.client
import json
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from quality.bench.figures import in_turn
from quality.bench.load_generator import drive
from quality.bench.peers.task import WANTED
from quality.bench.setting_up import Bench, Progress

FLOOR, FUNCTION = "inline", "function"
THREADS = 4
CONNECTIONS = 4
START_SECONDS = 30


def measure(bench: Bench, rounds: int, seconds: float, progress: Progress) -> dict[str, Any]:
    """
    Load each application in turn.

    Returns:
        ``{application: {"per_second": [one a round], "per_cpu_second", "p50_ms", "p99_ms"}}``
    """
    with contextlib.ExitStack() as stack:
        ports = {
            name: stack.enter_context(served(bench, name, bench.environ_of(name)))
            for name in (FLOOR, FUNCTION)
        }
        runs = {name: partial(load_once, port, seconds) for name, port in ports.items()}
        outcomes = in_turn(runs, rounds, lambda text: progress(f"load: {text}"))
    return {
        name: {unit: [outcome[unit] for outcome in each] for unit in each[0]}
        for name, each in outcomes.items()
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
            cpu_seconds(port)
            return
        time.sleep(0.1)
    raise RuntimeError("gunicorn does not serve; its words stand above")


def cpu_seconds(port: int) -> float:
    """Processor time of the server so far."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=START_SECONDS)
    with contextlib.closing(connection):
        connection.request("GET", "/bench/cpu", headers={"Connection": "close"})
        return float(connection.getresponse().read())


def load_once(port: int, seconds: float) -> dict[str, float]:
    before = cpu_seconds(port)
    samples = drive(port, post(), CONNECTIONS, seconds)
    spent = cpu_seconds(port) - before
    latencies = [latency for _, latency in samples]
    return {
        "per_second": len(samples) / seconds,
        "per_cpu_second": len(samples) / spent,
        "p50_ms": percentile(latencies, 50) * 1000,
        "p99_ms": percentile(latencies, 99) * 1000,
    }


def post() -> bytes:
    body = json.dumps(WANTED).encode()
    head = (
        "POST /upload-params HTTP/1.1\r\nHost: upload.example.com\r\nContent-Type: application/json\r\n"
        "User-Agent: Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) MicroMessenger/8.0.50\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def percentile(values: Sequence[float], percent: int) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)] if ordered else 0.0
