"""
Mutation testing: every wrong version of a module must fail a test, or be listed as equivalent with a reason.

Our own small mutator, because most mutants are tried in a fork of a process that has collected the tests
already, by the tests alone that reach their lines (``in_place``), the others in a fork that has imported
everything but the project's modules (``whole_runs``). What was found is stored (``mutation_table``): a later
run tries what is not known yet.
"""

import json
import os
import sys
import time
import tomllib
from collections import Counter
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from quality.suite import FUNCTION
from quality.torture import mutation_table, traces, whole_runs
from quality.torture.in_place import InPlace, Several
from quality.torture.mutants import Mutant, mutants_of
from quality.torture.mutation_table import BROKEN, KILLED, OPEN, SURVIVED
from quality.torture.report import Progress, Result
from quality.torture.traces import REACHED, tests

ROOT = Path(__file__).resolve().parents[2]
EQUIVALENT = ROOT / "quality" / "torture" / "equivalent_mutants.toml"
REACHED_HEAD = """\
# The files of tests that reach each module, its own first, without `test_` and `.py`: in `tests/function/`,
# or in `tests` after a slash; a folder has a slash at its end. `python -m quality.torture --trace` writes it,
# with the path of a new file only that.
"""
# What decides which test reaches which line.
EVERY_SOURCE = (*FUNCTION, "function", "bytecode.py", "handler.py", "sts_credentials.py", "deploy/burst")
OTHERS = ("burst_server", "bytecode", "handler")
# How long the tests of a mutant take together at most; for a listed one it is only a look at its reason.
SECONDS, SECONDS_OF_LISTED = 20.0, 1.0


def run(module: str, until: float = float("inf")) -> Result:
    """
    Try what the table does not know of one module, and what survived before its tests changed.

    Args:
        until: begin no mutant after this instant; what is known by then is stored.
    """
    started, result = time.monotonic(), Result("mutation")
    mutants = list(mutants_of(path_of(module).read_text("utf-8")))
    unfinished = mutation_table.Unfinished(module, *present(module))
    row = _row_of_present_source(module)
    outcomes, opened = _known(row, module, mutants, unfinished)
    waiting = [mutant for mutant in mutants if mutant.name not in outcomes]
    progress = Progress(f"mutation {module}", len(waiting))
    tried = _try_all(module, waiting, until, opened) if waiting else ()
    for done, (name, outcome) in enumerate(tried, start=1):
        if outcome == BROKEN:
            result.problems.append(f"{module}: fails without any mutant: {name}")
        else:
            outcomes[name] = outcome
            unfinished.add(name, outcome)
        progress.show(done)
    left = len(mutants) - len(outcomes)
    if result.problems:
        return result
    _judge(module, outcomes, result, is_complete=row is None and not left)
    if left:
        result.notes.append(f"{module}: {left} of {len(mutants)} mutants are still to be tried")
    else:
        if waiting or row is None or _survivors(module, outcomes) != row.surviving:
            _store(module, outcomes)
        unfinished.forget()
    result.seconds = time.monotonic() - started
    return result


def try_in_place(modules: Sequence[str], until: float = float("inf")) -> Result:
    """Try in place what several modules have for it, after one collection; ``run`` goes on from there."""
    started = time.monotonic()

    def plugin_of(module: str) -> InPlace:
        mutants = list(mutants_of(path_of(module).read_text("utf-8")))
        unfinished = mutation_table.Unfinished(module, *present(module))
        outcomes, opened = _known(_row_of_present_source(module), module, mutants, unfinished)
        trace, choice, failed = _traced(module)
        names = opened | {*outcomes}
        waiting = [] if failed else _for_in_place(mutants, names, equivalents(module))
        progress = Progress(f"in place {module}", len(waiting))

        def report(name: str, outcome: str) -> None:
            unfinished.add(name, outcome)
            progress.show(len(unfinished.outcomes) - len(names))

        seconds = partial(_seconds, equivalents(module))
        return InPlace(module, path_of(module), waiting, report, trace, choice, seconds, until)

    with TemporaryDirectory() as folder:
        whole_runs.prepare(folder)
        files = list(dict.fromkeys(file for module in modules for file in tests()[module]))
        plugin = Several([partial(plugin_of, module) for module in modules])
        os.waitpid(_fork(lambda: _pytest(files, plugin)), 0)
    return Result("mutation", seconds=time.monotonic() - started)


def _known(
    row: mutation_table.Row | None, module: str, mutants: list[Mutant], unfinished: mutation_table.Unfinished
) -> tuple[dict[str, str], set[str]]:
    """Outcomes so far, and the names of those that only a run of the whole can say."""
    outcomes = {**(_outcomes_of(row, module, mutants) if row else {}), **unfinished.outcomes}
    opened = {name for name, outcome in outcomes.items() if outcome == OPEN}
    return {name: outcome for name, outcome in outcomes.items() if name not in opened}, opened


def _row_of_present_source(module: str) -> mutation_table.Row | None:
    row = mutation_table.rows().get(module)
    return row if row and row.source == present(module)[0] else None


def _outcomes_of(row: mutation_table.Row, module: str, mutants: list[Mutant]) -> dict[str, str]:
    """What a row says of each mutant; nothing of survivors that other tests may notice by now."""
    listed = equivalents(module)
    outcomes = {mutant.name: SURVIVED if mutant.name in listed else KILLED for mutant in mutants}
    for name in set(row.surviving) - set(listed):
        outcomes[name] = SURVIVED
        if row.tests != present(module)[1]:
            del outcomes[name]
    return outcomes


def _survivors(module: str, outcomes: dict[str, str]) -> tuple[str, ...]:
    """Those that no reason excuses."""
    survivors = {name for name, outcome in outcomes.items() if outcome == SURVIVED}
    return tuple(sorted(survivors - set(equivalents(module))))


def _store(module: str, outcomes: dict[str, str]) -> None:
    alive = _survivors(module, outcomes)
    counts = Counter(outcomes.values())
    row = mutation_table.Row(
        *present(module),
        mutation_table.commit(),
        datetime.now(UTC).date(),
        mutants=len(outcomes),
        killed=counts[KILLED],
        equivalent=counts[SURVIVED] - len(alive),
        surviving=alive,
    )
    mutation_table.store(module, row)


def _for_in_place(
    mutants: Iterable[Mutant], left_out: Container[str], listed: Container[str]
) -> list[Mutant]:
    """Those to be tried in place; listed ones of data survive there and would be tried twice."""
    rest = (mutant for mutant in mutants if mutant.name not in left_out)
    return [mutant for mutant in rest if mutant.is_in_a_body() or mutant.name not in listed]


def _seconds(listed: Container[str], name: str) -> float:
    return SECONDS_OF_LISTED if name in listed else SECONDS


def _traced(module: str) -> tuple[traces.Trace, traces.Choice, list[str]]:
    """The trace, the choice of tests by it, and the module's tests that fail without any mutant."""
    path, own = path_of(module), tests()[module]
    trace = traces.stored(path, EVERY_SOURCE) or _trace([path], own)
    failed = [name for name in trace.failed if name.partition("::")[0] in own]
    return trace, traces.Choice(path, trace, own[0]), failed


def _try_all(module: str, mutants: list[Mutant], until: float, opened: set[str]) -> Iterator[tuple[str, str]]:
    """In place first, but what is open; then those that cannot be, those that are said to survive last."""
    with TemporaryDirectory() as folder:
        whole_runs.prepare(folder)
        path, listed = path_of(module), equivalents(module)
        trace, choice, failed = _traced(module)
        yield from ((name, BROKEN) for name in failed)
        left = {mutant.name: mutant for mutant in mutants if not failed}
        seconds = partial(_seconds, listed)
        inside = _for_in_place(left.values(), opened, listed)
        plugin = InPlace(module, path, inside, print, trace, choice, seconds, until)
        for name, outcome in _in_place(plugin, tests()[module]) if inside else ():
            if outcome != OPEN:
                left.pop(name, None)
                yield name, outcome
        for mutant in sorted(left.values(), key=lambda mutant: mutant.name in listed):
            if time.time() > until:
                return
            order = choice.tests(mutant, seconds(mutant.name))
            names = [trace.tests[place] for place in order] or tests()[module][:1]
            took = sum(trace.seconds[place] for place in order)
            outcome, killer = whole_runs.outcome_of(module, path, mutant.tree(), names, took)
            if killer in trace.tests:
                choice.remember(mutant, trace.tests.index(killer))
            yield mutant.name, outcome


def _in_place(plugin: InPlace, tests: Sequence[str]) -> Iterator[tuple[str, str]]:
    source, target = os.pipe()

    def work() -> None:
        plugin.report = lambda *said: os.write(target, json.dumps(said).encode() + b"\n")
        _pytest(tests, plugin)

    process = _fork(work)
    os.close(target)
    with os.fdopen(source) as lines:
        for line in lines:
            name, outcome = json.loads(line)
            yield name, outcome
    os.waitpid(process, 0)


def _fork(work: Callable[[], None]) -> int:
    process = os.fork()
    if not process:
        try:
            whole_runs.silence()
            work()
        finally:
            os._exit(0)
    return process


def _pytest(tests: Sequence[str], plugin: object) -> None:
    import pytest

    pytest.main([*whole_runs.OPTIONS, *tests], plugins=[plugin])


def _trace(paths: Sequence[Path], tests: Sequence[str]) -> traces.Trace:
    if not traces.stored(paths[0], tests):
        os.waitpid(_fork(lambda: _pytest(tests, traces.Tracing(paths, tests))), 0)
    trace = traces.stored(paths[0], tests)
    assert trace
    return trace


def trace_all(files: Sequence[str] = EVERY_SOURCE) -> Result:
    """Run all tests, or some, once to see which reach which line."""
    print("  tracing the tests once for all modules ...", file=sys.stderr, flush=True)
    started, result = time.monotonic(), Result("mutation")
    with TemporaryDirectory() as folder:
        whole_runs.prepare(folder)
        trace = _trace([path_of(module) for module in modules()], files)
    result.problems += [f"fails without any mutant: {name}" for name in trace.failed]
    result.seconds = time.monotonic() - started
    return result


def write_reached(files: Sequence[str]) -> Result:
    """Trace some files of tests, or all, and write what is kept of it."""
    result = trace_all(files or EVERY_SOURCE)
    trace = _trace([path_of(module) for module in modules()], files or EVERY_SOURCE)
    lines, kept = [REACHED_HEAD], tests() if files else {}
    for module in sorted(modules()):
        counts = trace.files(path_of(module))
        known = [file for file in kept.get(module, ()) if file not in files and (ROOT / file).exists()]
        found = [*known, *sorted(counts, key=lambda file: -counts[file])]
        lines.append(f'"{module}" = "{_words(module, found)}"\n')
    REACHED.write_text("".join(lines), "utf-8")
    return result


def _words(module: str, files: Sequence[str]) -> str:
    """The files as words, the one named like the module before all others."""
    *folder, name = module.removeprefix("function.").split(".")

    def rank(file: str) -> tuple[bool, bool]:
        *where, test = file.removeprefix("tests/function/").split("/")
        is_named = test.removeprefix("test_").startswith(name)
        return not (is_named and where == folder), not (is_named or name in where)

    own = min(files, key=rank)
    every = {str(path.relative_to(ROOT)) for path in (ROOT / "tests").rglob("test_*.py")}
    found = {own: own}
    for file in sorted({*files} - {own}):
        folders = [f"{parent}/" for parent in reversed(Path(file).parents[:-2])]
        whole = (place for place in folders if {one for one in every if one.startswith(place)} <= {*files})
        found.setdefault(next(whole, file), file)
    shown = (name.removesuffix(".py").replace("test_", "", 1).removeprefix("tests") for name in found)
    return " ".join(name.removeprefix("/function/") for name in shown)


def modules() -> list[str]:
    """The modules that have mutants, by their dotted names."""
    paths = sorted((ROOT / "function").rglob("*.py"))
    names = (".".join(path.relative_to(ROOT).with_suffix("").parts) for path in paths)
    every = (*OTHERS, *(name.removesuffix(".__init__") for name in names))
    return [name for name in every if any(mutants_of(path_of(name).read_text("utf-8")))]


def _judge(module: str, outcomes: dict[str, str], result: Result, is_complete: bool) -> None:
    alive = _survivors(module, outcomes)
    counts = Counter(outcomes.values())
    equivalent = counts[SURVIVED] - len(alive)
    what = f"{module}: mutants killed / equivalent / surviving"
    result.figures.append((what, f"{counts[KILLED]} / {equivalent} / {len(alive)}"))
    result.totals["mutants killed or equivalent"] = counts[KILLED] + equivalent
    result.totals["mutants surviving"] = len(alive)
    result.problems += [f"{module}: survives: {name}" for name in alive]
    if is_complete:
        result.problems += [
            f"{module}: listed as equivalent but {outcomes.get(name, 'not made any more')}: {name}"
            for name in sorted(equivalents(module))
            if outcomes.get(name) != SURVIVED
        ]


def path_of(module: str) -> Path:
    """Where a module or package of the function lies, by its dotted name."""
    if module == "burst_server":
        return ROOT / "deploy" / "burst" / "burst_server.py"
    base = ROOT / module.replace(".", "/")
    return base / "__init__.py" if base.is_dir() else base.with_suffix(".py")


def equivalents(module: str) -> dict[str, str]:
    """The mutants that no test can tell from the module, with the reason."""
    return dict(tomllib.loads(EQUIVALENT.read_text("utf-8")).get(module, {}))


def present(module: str) -> tuple[str, str]:
    """The module's source and its tests, as the table names them."""
    code = mutation_table.code_of(path_of(module).read_text("utf-8"))
    return code, mutation_table.fingerprint_of(tests()[module])


def is_settled(module: str) -> bool:
    """Return whether ``run`` would try nothing."""
    row = _row_of_present_source(module)
    return row is not None and (not row.surviving or row.tests == present(module)[1])


def report() -> str:
    return mutation_table.report({module: present(module) for module in tests()})
