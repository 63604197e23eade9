"""
A burst: many phones that log in and ask for a form, and instances that take one request at a time, or many.

Each kind of instance is measured as a real process that has the machine to itself, and replayed by ``fleet``:
in the cloud each has a processor of its own. Beside that, some phones really come at once to real instances.
"""

import multiprocessing
import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any

from ops.package.function_files import BURST
from quality.bench.fleet import ASSUME_ROLES_A_SECOND, Deployment, Fleet, Sts
from quality.bench.instances import (
    SLOTS,
    Measured,
    asked,
    burst_servers,
    measure_burst,
    measure_one_request,
    spoken_to,
    told_by,
)
from quality.bench.load import percentile
from quality.bench.modes import WECHAT
from quality.bench.phones import Visit, visit_at_once
from quality.bench.setting_up import ROOT, Bench, Progress, packaged

PACKAGE = ROOT / "build" / "function-burst"
PHONES, LATENCY_SECONDS = 200, 0.03
MANY, ONE, SAMPLE = (
    "this function, 20 at a time",
    "this function, 1 at a time",
    "Alibaba's sample stack, 1 at a time",
)
FLEETS = (MANY, ONE, SAMPLE)
AT_ONCE, IN_A_SECOND, KEPT_WARM = (
    *("all at one instant", "within one second"),
    "within one second, one instance kept warm",
)
CASES = {AT_ONCE: (0.0, 0), IN_A_SECOND: (1.0, 0), KEPT_WARM: (1.0, 1)}
STEPS = ("initialize", "login", "form")


def measure(bench: Bench, rounds: int, real_phones: int, progress: Progress) -> dict[str, Any]:
    """
    Args:
        real_phones: how many really come at once; one process each where an instance takes one.

    Returns:
        ``{"measured": {fleet: …}, "replayed": {case: {fleet: {figure: [one a round]}}}, "real": …}``
    """
    package, _ = packaged(PACKAGE, bench.stand_ins, BURST)
    slow = replace(bench.stand_ins, latency_seconds=LATENCY_SECONDS, login_seconds=LATENCY_SECONDS, calls=[])
    with slow as services, _phones() as send:
        environ = {
            **bench.environ_of(WECHAT),
            "STS_ENDPOINT": services.origin,
            "WECHAT_ENDPOINT": services.origin,
            "LOGIN_RATE": "999999999/s",
        }
        start_one = partial(bench.run_python, "one_request", bench.package, call="serve_function()")
        start_sample = partial(bench.run_python, "one_request", bench.peers, call="serve_sample()")
        measured = {name: Measured() for name in FLEETS}
        for number in range(rounds + 1):
            progress(f"burst: instance {number} of {rounds}" if number else "burst: one that does not count")
            into = measured if number else {name: Measured() for name in FLEETS}
            measure_burst(bench.python, package, environ, send, into[MANY])
            measure_one_request(start_one(), environ, STEPS, into[ONE])
            measure_one_request(start_sample(), environ, STEPS[-1:], into[SAMPLE])
        progress(f"burst: {real_phones} phones really come at once")
        real = {
            MANY: lambda: _really_many(bench, package, environ, real_phones, send),
            ONE: lambda: _really_one(start_one(), environ, real_phones),
        }
        figures = {name: _counted(run, services.calls) for name, run in real.items()}
    deployments = {
        MANY: measured[MANY].deployment(SLOTS),
        ONE: measured[ONE].deployment(1),
        SAMPLE: measured[SAMPLE].deployment(1, attempts=1, keeps_session=False),
    }
    return {
        "phones": PHONES,
        "real_phones": real_phones,
        "measured": {name: _shown(one) for name, one in measured.items()},
        "replayed": replay(deployments, rounds),
        "real": figures,
    }


def replay(
    deployments: Mapping[str, Deployment], rounds: int
) -> dict[str, dict[str, dict[str, list[float]]]]:
    """Each case with each deployment, so many times; the phones of a round come alike to all."""
    found: dict[str, dict[str, dict[str, list[float]]]] = {}
    for case, (seconds, warm) in CASES.items():
        for number in range(rounds):
            dice = random.Random(number)
            arrivals = sorted(dice.uniform(0, seconds) for _ in range(PHONES))
            for name, deployment in deployments.items():
                fleet = Fleet(deployment, random.Random(number), Sts(ASSUME_ROLES_A_SECOND), warm)
                outcome = fleet.run(arrivals)
                figures = {
                    "instances": outcome.instances,
                    "assume_roles": outcome.assume_roles,
                    "refused": outcome.refused,
                    "lost": outcome.lost,
                    "cpu_seconds": outcome.cpu_seconds,
                    "instance_seconds": outcome.instance_seconds,
                    **spread(outcome.seconds),
                }
                rows = found.setdefault(case, {}).setdefault(name, {key: [] for key in figures})
                for key, value in figures.items():
                    rows[key].append(value)
    return found


def spread(seconds: Sequence[float]) -> dict[str, float]:
    values = list(seconds)
    return {
        "p50_ms": percentile(values, 50) * 1000,
        "p95_ms": percentile(values, 95) * 1000,
        "worst_ms": max(values) * 1000,
    }


def _shown(one: Measured) -> dict[str, Any]:
    return {
        "start_ms": [seconds * 1000 for seconds in one.starts],
        "initialize_ms": [seconds * 1000 for seconds in one.assumes],
        "start_cpu_ms": [seconds * 1000 for seconds in one.start_cpu],
        "phone_cpu_ms": [sum(each) * 1000 for each in one.request_cpu],
    }


@contextmanager
def _phones() -> Iterator[Callable[[list[int]], list[Visit]]]:
    """A process of their own, so that they take no turn of whom they ask."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        yield lambda ports: pool.apply(visit_at_once, (ports,))


def _counted(run: Callable[[], dict[str, float]], calls: list[tuple[float, float]]) -> dict[str, float]:
    before = len(calls)
    figures = run()
    return {**figures, "assume_roles": len(calls) - before}


def _really_many(
    bench: Bench,
    package: Any,
    environ: Mapping[str, str],
    phones: int,
    send: Callable[[list[int]], list[Visit]],
) -> dict[str, float]:
    """As many servers as the phones fill, started when they come; a phone waits until its server is ready."""
    count = -(-phones // SLOTS)
    started = time.perf_counter()
    with burst_servers(bench.python, package, environ, count) as servers:
        ready = time.perf_counter() - started
        visits = send([servers[phone // SLOTS].port for phone in range(phones)])
    cpu = sum(server.cpu_seconds for server in servers)
    return {"instances": count, "cpu_seconds": cpu, **spread([ready + sum(visit) for visit in visits])}


def _really_one(command: Sequence[str], environ: Mapping[str, str], phones: int) -> dict[str, float]:
    """A process a phone, all started at one instant."""
    barrier = threading.Barrier(phones)

    def come(_phone: int) -> tuple[float, float]:
        barrier.wait()
        started = time.perf_counter()
        with spoken_to(command, environ) as process:
            told_by(process)
            told = [asked(process, step) for step in STEPS]
            return time.perf_counter() - started, told[-1]["cpu"]

    with ThreadPoolExecutor(phones) as pool:
        came = list(pool.map(come, range(phones)))
    return {
        "instances": phones,
        "cpu_seconds": sum(cpu for _, cpu in came),
        **spread([seconds for seconds, _ in came]),
    }
