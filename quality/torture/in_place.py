"""
Mutants of function bodies, tried in place: the tests are collected once, and each mutant gets a fork of that
process, in which the code of its function is exchanged before the tests that reach its lines run.

A pytest plugin, which runs instead of the tests. A mutant whose lines also run while modules are imported or
tests collected is left open when no test fails, because what those made is not the mutant's.
"""

import gc
import os
import pickle
import resource
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

from quality.torture.mutants import Mutant
from quality.torture.traces import IMPORTING, Trace, Tracer, passes

KILLED, SURVIVED, OPEN, BROKEN = "killed", "survived", "open", "broken"
LEAST_CPU_SECONDS, LEAST_SECONDS = 4, 20
CPU_FACTOR, FACTOR = 5, 5
# Tests that take longer than this come after all others.
SLOW_SECONDS = 0.2
# The tests that ended the last mutants of a function end most of the next ones.
REMEMBERED = 8

Report = Callable[[str, str], None]


class InPlace:
    """
    Args:
        report: called with the name of a mutant and its outcome; a name that is none is a test that fails
            without any mutant.

        until: begin no mutant after this instant.

        trace: which tests reach the lines; without it, they run once to see.
    """

    def __init__(
        self,
        path: Path,
        mutants: list[Mutant],
        report: Report,
        until: float = float("inf"),
        trace: Trace | None = None,
    ) -> None:
        self._path, self._mutants, self._report, self._until = path, mutants, report, until
        self._trace = trace
        self._tracer = None if trace else Tracer([path])

    def pytest_runtestloop(self, session: Any) -> bool:
        trace = self._trace or self._traced(session)
        names = {item.nodeid for item in session.items}
        failed = [name for name in trace.failed if name in names]
        if session.testsfailed:
            failed.append("collecting the tests")
        for name in failed:
            self._report(name, BROKEN)
        if not failed:
            self._try_all(session.items, trace)
        return True

    def _traced(self, session: Any) -> Trace:
        """Run every test in a fork."""
        assert self._tracer
        source, target = os.pipe()
        process = os.fork()
        if not process:
            try:
                answer = pickle.dumps(self._tracer.run(session.items)[self._path])
                with os.fdopen(target, "wb") as file:
                    file.write(answer)
            finally:
                os._exit(0)
        os.close(target)
        with os.fdopen(source, "rb") as file:
            answer = file.read()
        os.waitpid(process, 0)
        self._tracer.stop()
        trace: Trace = pickle.loads(answer)
        return trace

    def _try_all(self, items: list[Any], trace: Trace) -> None:
        original = compile(self._path.read_bytes(), str(self._path), "exec")
        functions = functions_of(str(self._path))
        # Collections in the forks then leave alone, and copy nothing of, what was there before.
        gc.freeze()
        seconds = [trace.seconds[item.nodeid] for item in items]
        numbers = {item.nodeid: number for number, item in enumerate(items)}
        killers: dict[str, list[int]] = {}
        for mutant in self._mutants:
            if time.time() > self._until:
                return
            names = set().union(*(trace.lines.get(line, set()) for line in mutant.lines()))
            reached = {numbers[name] for name in names if name in numbers}
            known = killers.setdefault(mutant.where, [])
            first = [number for number in reversed(known) if number in reached]
            rest = sorted(reached - {*first}, key=lambda number: (seconds[number] > SLOW_SECONDS, number))
            order = [*first, *rest]
            changed = list(changed_functions(mutant, original, functions)) if order else []
            outcome, killer = OPEN, -1
            if changed:
                some = [(items[number], seconds[number]) for number in order]
                outcome, killer = _try(some, changed)
            if outcome == SURVIVED and IMPORTING in names:
                outcome = OPEN
            if killer >= 0:
                known[:] = [*(n for n in known if n != order[killer]), order[killer]][-REMEMBERED:]
            self._report(mutant.name, outcome)


def _try(tests: list[tuple[Any, float]], changed: list[tuple[FunctionType, CodeType]]) -> tuple[str, int]:
    """The outcome, and the place of the test that failed; of one that does not end, none."""
    source, target = os.pipe()
    process = fork()
    if not process:
        try:
            for function, code in changed:
                function.__code__ = code
            os.write(target, _first_failure(tests).encode())
        finally:
            os._exit(0)
    os.close(target)
    # What it started may have the pipe open as well, and ends here.
    end_group(process)
    with os.fdopen(source, "rb") as file:
        said = file.read().decode()
    if said == SURVIVED:
        return SURVIVED, -1
    return KILLED, int(said or -1)


def _first_failure(tests: list[tuple[Any, float]]) -> str:
    limit_cpu(sum(seconds for _, seconds in tests))
    for place, ((item, seconds), (following, _)) in enumerate(
        zip(tests, [*tests[1:], (None, 0)], strict=True)
    ):
        limit_time(seconds)
        if not passes(item, following):
            return str(place)
    return SURVIVED


def fork() -> int:
    """A fork with a process group of its own, so that what it starts can be ended with it."""
    process = os.fork()
    if not process:
        os.setsid()
    return process


def limit_cpu(seconds: float) -> None:
    """End this process when it takes far longer; by its own time, since others may have the processors."""
    cpu = int(max(LEAST_CPU_SECONDS, CPU_FACTOR * seconds))
    resource.setrlimit(resource.RLIMIT_CPU, (cpu, cpu + 1))


def limit_time(seconds: float) -> None:
    """The same by the clock, from now on, for what waits."""
    signal.setitimer(signal.ITIMER_REAL, max(LEAST_SECONDS, FACTOR * seconds))


def end_group(process: int) -> int:
    """Wait for a fork, end what it started, and return its exit status."""
    status = os.waitpid(process, 0)[1]
    with suppress(ProcessLookupError):
        os.killpg(process, signal.SIGKILL)
    return os.waitstatus_to_exitcode(status)


def functions_of(filename: str) -> dict[tuple[str, int], list[FunctionType]]:
    """Every function that code of the file made, by the name and line of its code."""
    found: dict[tuple[str, int], list[FunctionType]] = {}
    for one in gc.get_objects():
        if type(one) is FunctionType and one.__code__.co_filename == filename:
            found.setdefault((one.__code__.co_qualname, one.__code__.co_firstlineno), []).append(one)
    return found


def changed_functions(
    mutant: Mutant, original: CodeType, functions: dict[tuple[str, int], list[FunctionType]]
) -> Iterator[tuple[FunctionType, CodeType]]:
    """The functions that the mutant has another code for; none when one cannot take it."""
    before = {(code.co_qualname, code.co_firstlineno): code for code in codes_in(original)}
    after = compile(mutant.tree(), original.co_filename, "exec")
    changed = []
    for code in codes_in(after):
        key = (code.co_qualname, code.co_firstlineno)
        if code == before.get(key):
            continue
        for function in functions.get(key, ()):
            if function.__code__.co_freevars != code.co_freevars:
                return
            changed.append((function, code))
    yield from changed


def codes_in(code: CodeType) -> Iterator[CodeType]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            if not constant.co_name.startswith("<"):
                yield constant
            yield from codes_in(constant)
