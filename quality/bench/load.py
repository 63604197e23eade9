"""Load: the WSGI form of the function under gunicorn, beside the floor under the same; requests per core."""

import contextlib
import http.client
import json
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from quality.bench.figures import Figures, in_turn
from quality.bench.fresh_process import ContestantFailed
from quality.bench.peers.task import WANTED
from quality.bench.setting_up import ANONYMOUS, Bench, Progress
from quality.bench.warm import FLOOR

PER_CORE = "requests per processor second under gunicorn"
APPLICATIONS = {FLOOR: "inline", ANONYMOUS: "function"}
THREADS = CONNECTIONS = 4
START_SECONDS = 30
REQUEST = {"Content-Type": "application/json", "User-Agent": "Mozilla/5.0 (iPhone) MicroMessenger/8.0.50"}


def measure(bench: Bench, rounds: int, seconds: float, progress: Progress) -> Figures:
    """Load each application in turn."""
    with contextlib.ExitStack() as stack:
        ports = {
            name: stack.enter_context(served(bench, application, bench.environ_of(name)))
            for name, application in APPLICATIONS.items()
        }
        runs = {name: partial(per_core, port, seconds) for name, port in ports.items()}
        return {PER_CORE: in_turn(runs, rounds, lambda text: progress(f"load: {text}"))}


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
        deadline = time.monotonic() + START_SECONDS
        while not _is_served(port):
            if server.poll() is not None or time.monotonic() > deadline:
                raise ContestantFailed("gunicorn does not serve; its words stand above")
            time.sleep(0.1)
        yield port
    finally:
        server.terminate()
        server.wait(START_SECONDS)


def _is_served(port: int) -> bool:
    with contextlib.suppress(OSError):
        return cpu_seconds(port) >= 0
    return False


def cpu_seconds(port: int) -> float:
    """Processor time of the server so far."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=START_SECONDS)
    with contextlib.closing(connection):
        connection.request("GET", "/bench/cpu", headers={"Connection": "close"})
        return float(connection.getresponse().read())


def per_core(port: int, seconds: float) -> float:
    before, end = cpu_seconds(port), time.monotonic() + seconds
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        answered = sum(pool.map(lambda _: _answered_until(end, port), range(CONNECTIONS)))
    return answered / (cpu_seconds(port) - before)


def _answered_until(end: float, port: int) -> int:
    """Requests over one connection, each sent when the one before was answered."""
    body, answered = json.dumps(WANTED), 0
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=START_SECONDS)
    with contextlib.closing(connection):
        while time.monotonic() < end:
            connection.request("POST", "/upload-params", body, REQUEST)
            response = connection.getresponse()
            said = response.read()
            if response.status != 200:
                raise ContestantFailed(f"the server answered {response.status} {said[:200]!r}")
            answered += 1
    return answered
