"""
Real instances, measured one at a time: of a built-in runtime, the sample server's, the server for bursts.
"""

import contextlib
import http.client
import json
import os
import signal
import socket
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from quality.bench.fleet import FRESH, Deployment
from quality.bench.fresh_process import ContestantFailed
from quality.bench.phones import Visit, ask

SLOTS = 20
# How many phones are under way in what is measured of an instance that takes many.
UNDER_WAY = (10, 5, 1)
LATER_REQUESTS = 4
START_SECONDS = 60

Command = Sequence[str]
Environ = Mapping[str, str]
SendPhones = Callable[[list[int]], list[Visit]]


@dataclass
class Measured:
    """What one kind of instance was seen to do, in seconds; a list has one figure a measurement."""

    starts: list[float] = field(default_factory=list)
    assumes: list[float] = field(default_factory=list)
    requests: list[dict[int, list[float]]] = field(default_factory=list)
    start_cpu: list[float] = field(default_factory=list)
    request_cpu: list[list[float]] = field(default_factory=list)

    def add(self, step: int, under_way: int, seconds: float) -> None:
        self.requests += [{} for _ in range(step + 1 - len(self.requests))]
        self.requests[step].setdefault(under_way, []).append(seconds)

    def deployment(self, slots: int, **more: object) -> Deployment:
        return Deployment(
            slots=slots,
            starts=self.starts,
            assumes=self.assumes or [0.0],
            requests=self.requests,
            start_cpu=statistics.median(self.start_cpu),
            request_cpu=[statistics.median(each) for each in zip(*self.request_cpu, strict=True)],
            **more,
        )


def measure_one_request(command: Command, environ: Environ, steps: Sequence[str], into: Measured) -> None:
    """
    One process that takes one request at a time: its start, its first request of each kind, and later ones.

    Args:
        steps: the requests of a phone; before them stands ``initialize`` where the instance has that.
    """
    started = time.perf_counter()
    with spoken_to(command, environ) as process:
        told = told_by(process)
        into.starts.append(time.perf_counter() - started)
        requests = [step for step in steps if step != "initialize"]
        if requests != list(steps):
            told = asked(process, "initialize")
            into.assumes.append(told["seconds"])
        into.start_cpu.append(told["cpu"])
        cpu: list[list[float]] = [[] for _ in requests]
        for number in range(1 + LATER_REQUESTS):
            for step, name in enumerate(requests):
                before, told = told, asked(process, name)
                into.add(step, 1 if number else FRESH, told["seconds"])
                cpu[step].append(told["cpu"] - before["cpu"])
        into.request_cpu.append([statistics.median(each) for each in cpu])


@contextlib.contextmanager
def spoken_to(command: Command, environ: Environ) -> Iterator["subprocess.Popen[str]"]:
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, env=environ, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def told_by(process: "subprocess.Popen[str]") -> dict[str, float]:
    assert process.stdout
    line = process.stdout.readline()
    if not line:
        raise ContestantFailed("an instance ended; its words stand above")
    told: dict[str, float] = json.loads(line)
    return told


def asked(process: "subprocess.Popen[str]", what: str) -> dict[str, float]:
    assert process.stdin
    process.stdin.write(f"{what}\n")
    process.stdin.flush()
    return told_by(process)


@dataclass
class Server:
    """The server for bursts in a process of its own, made ready."""

    process: "subprocess.Popen[bytes]"
    port: int
    start_seconds: float = 0.0
    initialize_seconds: float = 0.0
    cpu_seconds: float = 0.0

    def make_ready(self, started: float) -> None:
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
                break
            except OSError:
                if self.process.poll() is not None or time.perf_counter() - started > START_SECONDS:
                    raise ContestantFailed("the server for bursts does not start") from None
                time.sleep(0.001)
        accepted = time.perf_counter()
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.port)) as connection:
            ask(connection, "/initialize", "")
        self.start_seconds = accepted - started
        self.initialize_seconds = time.perf_counter() - accepted

    def end(self) -> None:
        """As Function Compute ends it; then its processor time is known."""
        os.kill(self.process.pid, signal.SIGTERM)
        _, status, usage = os.wait4(self.process.pid, 0)
        self.process.returncode = os.waitstatus_to_exitcode(status)
        self.cpu_seconds = usage.ru_utime + usage.ru_stime


@contextlib.contextmanager
def burst_servers(python: str, package: Path, environ: Environ, count: int = 1) -> Iterator[list[Server]]:
    """So many of them, started at once."""
    servers = []
    program = f"import sys; sys.path.insert(0, {str(package)!r})"
    program += "; import burst_server; burst_server.main(sys.argv[1:])"
    started = time.perf_counter()
    for _ in range(count):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
        command = [python, "-I", "-S", "-B", "-c", program]
        command += ["--host", "127.0.0.1", "--port", str(port), "--threads", str(SLOTS)]
        process = subprocess.Popen(command, env=environ, stdout=subprocess.DEVNULL)
        servers.append(Server(process, port))
    try:
        for server in servers:
            server.make_ready(started)
        yield servers
    finally:
        for server in servers:
            server.end()


def measure_burst(python: str, package: Path, environ: Environ, send: SendPhones, into: Measured) -> None:
    """One server: its start, as many phones at once as it takes, then fewer; and the start of another."""
    with burst_servers(python, package, environ) as (untouched,):
        pass
    with burst_servers(python, package, environ) as (server,):
        into.starts.append(server.start_seconds)
        into.assumes.append(server.initialize_seconds)
        for phones in (SLOTS, *UNDER_WAY):
            for visit in send([server.port] * phones):
                for step, seconds in enumerate(visit):
                    into.add(step, phones, seconds)
    requests = 2 * (SLOTS + sum(UNDER_WAY))
    into.start_cpu.append(untouched.cpu_seconds)
    into.request_cpu.append([(server.cpu_seconds - untouched.cpu_seconds) / requests] * 2)
