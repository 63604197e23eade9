"""
Mutants tried in place: the tests are collected once, and each mutant gets a fork of that process, in which
the code of its function, or the data of its module, is exchanged before the tests that reach its lines run.

A pytest plugin, which runs instead of the tests. A mutant whose lines also run while modules are imported or
tests collected is left open when no test fails, because what those made is not the mutant's.
"""

import gc
import os
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import partial
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from types import CodeType, FrameType, FunctionType
from typing import Any

from quality.torture.data_in_place import exchange, read_outside_bodies
from quality.torture.mutants import Mutant
from quality.torture.mutation_table import BROKEN, KILLED, OPEN, SURVIVED
from quality.torture.traces import Choice, Trace, pairs, passes

LEAST_CPU_SECONDS, LEAST_SECONDS, FACTOR = 2, 30, 5

SCHEDULED = Path("/proc/self/schedstat")

Report = Callable[[str, str], object]
Tell = Callable[[str], object]


class InPlace:
    """
    Args:
        report: called with the name of a mutant and its outcome.

        until: begin no mutant after this instant.

        seconds: how long the tests of a mutant may take together, by its name.
    """

    def __init__(
        self,
        module: str,
        path: Path,
        mutants: list[Mutant],
        report: Report,
        trace: Trace,
        choice: Choice,
        seconds: Callable[[str], float],
        until: float = float("inf"),
    ) -> None:
        self._module, self._path, self._mutants = module, path, mutants
        self.report, self._until = report, until
        self._trace, self._choice, self._seconds = trace, choice, seconds

    def pytest_runtestloop(self, session: Any) -> bool:
        if session.testsfailed:
            self.report("collecting the tests", BROKEN)
            return True
        # The function imports most of its modules where they are used, which no collection reaches.
        imported = lines_of_import(self._module, str(self._path))
        original = compile(self._path.read_bytes(), str(self._path), "exec")
        functions = functions_of(str(self._path))
        items = {item.nodeid: item for item in session.items}
        read_outside_bodies()
        # Collections in the forks then leave alone, and copy nothing of, what was there before.
        gc.freeze()
        for mutant in self._mutants:
            if time.time() > self._until:
                break
            order = self._choice.tests(mutant, self._seconds(mutant.name))
            order = [place for place in order if self._trace.tests[place] in items]
            put_in: Callable[[], bool] = partial(exchange, mutant, self._module, self._path)
            if mutant.is_in_a_body():
                changed = list(changed_functions(mutant, original, functions))
                put_in = partial(_exchange_codes, changed)
            outcome, killer = OPEN, -1
            if order:
                trace = self._trace
                tests = [(items[trace.tests[n]], trace.seconds[n], trace.waited[n]) for n in order]
                outcome, killer = _try(tests, put_in)
            is_imported = self._choice.is_imported(mutant) or imported & {*mutant.lines()}
            if outcome == SURVIVED and (is_imported or not mutant.is_in_a_body()):
                outcome = OPEN
            if killer >= 0:
                self._choice.remember(mutant, order[killer])
            self.report(mutant.name, outcome)
        return True


class Several:
    """A pytest plugin: the mutants of several modules after one collection, each module in a fork."""

    def __init__(self, plugins: Iterable[Callable[[], InPlace]]) -> None:
        self._plugins = plugins

    def pytest_runtestloop(self, session: Any) -> bool:
        read_outside_bodies()
        for plugin in self._plugins:
            in_a_fork(lambda _tell, plugin=plugin: int(not plugin().pytest_runtestloop(session)))  # type: ignore[misc]
        return True


def lines_of_import(module: str, filename: str) -> set[int]:
    """Import a module, and return the lines of its file that this runs."""
    found: set[int] = set()

    def trace(frame: FrameType, event: str, _argument: object) -> Any:
        if frame.f_code.co_filename != filename:
            return None
        if event == "line":
            found.add(frame.f_lineno)
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        import_module(module)
    finally:
        sys.settrace(before)
    return found


Tests = list[tuple[Any, float, float]]


def _exchange_codes(changed: list[tuple[FunctionType, CodeType]]) -> bool:
    for function, code in changed:
        function.__code__ = code
    return bool(changed)


def _try(tests: Tests, put_in: Callable[[], bool]) -> tuple[str, int]:
    """The outcome, and the place of the test that failed; of one that does not end, none."""

    def work(tell: Tell) -> None:
        # Each fork would leave one behind, and look through those of all before it.
        tests[0][0].config._tmp_path_factory._basetemp = Path(folder)
        if not put_in():
            tell(OPEN)
            return
        for place, ((item, seconds, waited), following) in enumerate(pairs(tests)):
            limit(seconds, waited)
            if not passes(item, following and following[0]):
                tell(str(place))
                return
        tell(SURVIVED)

    with TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        _, said = in_a_fork(work)
    return (said, -1) if said in (SURVIVED, OPEN) else (KILLED, int(said or -1))


def in_a_fork(work: Callable[[Tell], int | None]) -> tuple[int, str]:
    """Run it in a fork, end what that started, and return its exit status and what it told."""
    source, target = os.pipe()
    process = os.fork()
    if not process:
        status = 1
        try:
            os.setsid()
            status = work(lambda said: os.write(target, said.encode())) or 0
        finally:
            os._exit(status)
    os.close(target)
    status = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    # What it started may have the pipe open as well, and ends here.
    with suppress(ProcessLookupError):
        os.killpg(process, signal.SIGKILL)
    with os.fdopen(source, encoding="utf-8") as file:
        return status, file.read()


def limit(seconds: float, waited: float) -> None:
    """
    End this process when it takes far longer from now on, by its own time or, for what waits, by the clock.

    Waiting for a processor does not count, however busy the machine.
    """
    signal.setitimer(signal.ITIMER_PROF, max(LEAST_CPU_SECONDS, FACTOR * seconds))
    end = time.monotonic() - _seconds_in_queue() + max(LEAST_SECONDS, FACTOR * waited)

    def check(*_: object) -> None:
        left = end - (time.monotonic() - _seconds_in_queue())
        if left <= 0:
            os._exit(1)
        signal.setitimer(signal.ITIMER_REAL, max(left, 1))

    signal.signal(signal.SIGALRM, check)
    check()


def _seconds_in_queue() -> float:
    """How long this process was ready to run and no processor was free; 0 where the system does not say."""
    with suppress(OSError):
        return int(SCHEDULED.read_text().split()[1]) / 1e9
    return 0.0


def functions_of(filename: str) -> dict[tuple[str, int], list[FunctionType]]:
    """Every function that code of the file made, by the name and line of its code."""
    found: dict[tuple[str, int], list[FunctionType]] = {}
    # The entry points of the function freeze what they import, and a frozen object is not listed.
    gc.unfreeze()
    for one in gc.get_objects():
        if type(one) is FunctionType and one.__code__.co_filename == filename:
            found.setdefault((one.__code__.co_qualname, one.__code__.co_firstlineno), []).append(one)
    return found


def changed_functions(
    mutant: Mutant, original: CodeType, functions: dict[tuple[str, int], list[FunctionType]]
) -> Iterator[tuple[FunctionType, CodeType]]:
    """The functions that the mutant has another code for; none when one cannot take it."""
    before = {(code.co_qualname, code.co_firstlineno): code for code in codes_in(original)}
    try:
        after = compile(mutant.statement(), original.co_filename, "exec")
    except SyntaxError:
        # Such as a ``nonlocal`` name without its assignment.
        return
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
