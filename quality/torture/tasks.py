"""Tasks of a run: each in a fresh process, so many at a time, until the budget ends."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import NamedTuple

from quality.torture.report import Result
from quality.torture.whole_runs import IMPORTED_BEFORE

ROOT = Path(__file__).resolve().parents[2]
# What runs when the budget ends may finish for so long; mutation then stores what it has.
GRACE_SECONDS = 30.0
NOT_BEGUN, CUT_OFF = "not run", "cut off"


@dataclass(frozen=True)
class Task:
    """
    Args:
        files: what it proves; of two tasks the one whose files changed later is the riskier.
    """

    part: str
    name: str
    run: Callable[[], Result]
    files: tuple[str, ...] = ()


class Running(NamedTuple):
    task: Task
    process: ForkServerProcess


def run_all(
    tasks: list[Task],
    at_a_time: int,
    until: float = float("inf"),
    grace: float = GRACE_SECONDS,
    now: Callable[[], float] = time.time,
) -> tuple[list[Result], dict[str, list[str]]]:
    """
    Run the tasks in their order and begin none after ``until``.

    Returns:
        the results, and the names of what did not run, by why.
    """
    waiting, running = deque(tasks), dict[Connection, Running]()
    results, not_run = list[Result](), dict[str, list[str]]()
    try:
        while running or (waiting and now() < until):
            while waiting and len(running) < at_a_time and now() < until:
                task = waiting.popleft()
                source, process = _start(task)
                running[source] = Running(task, process)
            left = until + grace - now()
            if left <= 0:
                break
            for ready in wait(list(running), None if left == float("inf") else left):
                assert isinstance(ready, Connection)
                results.append(_result_of(running.pop(ready), ready))
                print(f"  {len(results)} of {len(tasks)} tasks ended", file=sys.stderr, flush=True)
    finally:
        for one in running.values():
            not_run.setdefault(CUT_OFF, []).append(f"{one.task.part} {one.task.name}")
            _end(one.process)
    if waiting:
        not_run[NOT_BEGUN] = [f"{task.part} {task.name}" for task in waiting]
    return results, not_run


def _start(task: Task) -> tuple[Connection, ForkServerProcess]:
    # One fresh process for each: what a part loads, patches or leaves in memory touches no other. Only what
    # costs the most to import, and is not ours, is there before.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([*IMPORTED_BEFORE])
    source, target = context.Pipe(duplex=False)
    process = context.Process(target=_work, args=(task.run, target))
    process.start()
    target.close()
    return source, process


def _work(run: Callable[[], Result], target: Connection) -> None:
    os.setsid()
    try:
        result: Result | str = run()
    except Exception as error:  # noqa: BLE001 - a part that ends in an error is a finding
        result = f"{type(error).__name__}: {error}"
    target.send(result)


def _result_of(one: Running, source: Connection) -> Result:
    try:
        result = source.recv()
    except EOFError:
        one.process.join()
        result = f"status {one.process.exitcode}"
    one.process.join()
    if isinstance(result, Result):
        return result
    return Result(one.task.part, problems=[f"{one.task.name}: the part itself ended in {result}"])


def _end(process: ForkServerProcess) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid or 0, signal.SIGKILL)
    process.kill()
    process.join()


def last_changes() -> dict[str, int]:
    """When each file last changed, by git; what is not committed changed now."""
    log = _git("log", "--format=%ct", "--name-only")
    changes: dict[str, int] = {}
    at = 0
    for line in log.splitlines():
        if line.isdecimal():
            at = int(line)
        elif line:
            changes.setdefault(line, at)
    return changes | dict.fromkeys(_git("diff", "--name-only", "HEAD").splitlines(), int(time.time()))


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False).stdout
