"""
Which tests reach which line of the function, seen in one run of all its tests; and which of them to run
against a mutant, those that are likely to notice it first.

The trace itself is large and lies in ``build/``. What it says of files of tests is kept in git
(``reached.toml``): ``python -m quality.torture --trace`` writes it.
"""

import ast
import os
import pickle
import re
import sys
import time
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from quality.torture.mutants import Mutant
from quality.torture.mutation_table import ROOT, UNFINISHED, fingerprint_of, source_of

# What runs before the first test: imports and the collection.
IMPORTING = ""
# The tests that ended the last mutants of a function end most of the next ones.
REMEMBERED = 8
# Tests that take longer come after the others.
SLOW_SECONDS = 0.5
# So many first letters make a word.
WORD = 5
# Which files of tests reach the lines of a module, its own first: traced, and written by ``trace_all``.
REACHED = ROOT / "quality" / "torture" / "reached.toml"


@cache
def tests() -> dict[str, tuple[str, ...]]:
    """The files of tests that reach each module, its own first."""

    def files(word: str) -> list[str]:
        folder, _, name = f"tests{'' if word.startswith('/') else '/function/'}{word}".rpartition("/")
        if name:
            return [f"{folder}/test_{name}.py"]
        return sorted(str(path.relative_to(ROOT)) for path in (ROOT / folder).rglob("test_*.py"))

    table = tomllib.loads(REACHED.read_text("utf-8"))
    return {
        module: tuple(dict.fromkeys(file for word in words.split() for file in files(word)))
        for module, words in table.items()
    }


@dataclass(frozen=True)
class Trace:
    """
    Args:
        tests: names of the tests, the first is ``IMPORTING``.

        seconds: processor time of each.

        waited: time by the clock of each.

        failed: tests that fail.

        sources: digest of each file, by its path.

        reached: tests that reach each line of a file, as bits by their place in ``tests``.
    """

    tests: list[str]
    seconds: list[float]
    waited: list[float]
    failed: list[str]
    sources: dict[str, str]
    reached: dict[str, dict[int, int]]

    def of(self, path: Path, lines: Iterable[int]) -> int:
        """Tests that reach one of the lines, as bits."""
        reached, found = self.reached[str(path)], 0
        for line in lines:
            found |= reached.get(line, 0)
        return found

    def files(self, path: Path) -> dict[str, int]:
        """The files of tests that reach lines of function bodies, with how many lines; of data, its users."""
        tree = ast.parse(path.read_text("utf-8"))
        lines = lines_of_bodies(tree)
        masks = [self.of(path, [line]) for line in lines]
        if not lines:
            masks = [self.of_users(name, path) for name in names_made(tree)]
        counts: dict[str, int] = {}
        for mask in masks:
            for file in {self.tests[place].partition("::")[0] for place in bits(mask & ~1)}:
                counts[file] = counts.get(file, 0) + 1
        return counts

    def of_users(self, name: str, of: Path) -> int:
        """Tests that reach a line with this name in it, in a body of its module or of one that imports it."""
        found, module = 0, of.parent.name if of.stem == "__init__" else of.stem
        for path in map(Path, self.reached):
            if path == of or module in imported_by(path):
                found |= self.of(path, mentions(path).get(name, ()))
        return found


class Choice:
    """The tests that may notice each mutant of a module, the likeliest first."""

    def __init__(self, path: Path, trace: Trace, own: str) -> None:
        self._path, self._trace = path, trace
        places = {place: name.partition("::")[0] for place, name in enumerate(trace.tests)}
        self._own = sum(1 << place for place, file in places.items() if file == own)
        folder = own.rpartition("/")[0]
        self._near = sum(1 << place for place, file in places.items() if file.rpartition("/")[0] == folder)
        self._all = trace.of(path, lines_of_bodies(ast.parse(path.read_text("utf-8"))))
        self._case = list(_numbers_of_cases(trace.tests))
        self._killers: dict[str, list[int]] = {}
        self._named: dict[str, int] = {}
        for place, name in enumerate(trace.tests):
            for word in words_in(name):
                self._named[word] = self._named.get(word, 0) | 1 << place

    def tests(self, mutant: Mutant, seconds: float) -> list[int]:
        """
        As many as run in so many seconds, by their places in the trace.

        First those with the rarest words of the mutant in their names, then the cheapest; of a parametrised
        test no second case before each other test has one, because it would notice the same. Half of the time
        is for the folder of the module's tests: the rows of its tables come after all first cases otherwise.
        """
        reaching, own = self._of(mutant) & ~1, self._own
        cost, chosen = self._trace.seconds, dict[int, None]()
        if mutant.is_in_a_body():
            # What is made once is traced to the first test alone, so the module's own tests come after those
            # that reach the lines.
            groups = [(reaching & self._near, seconds / 2), (reaching, seconds / 2), (own & ~reaching, 0)]
        else:
            # What an import makes is seen by whoever uses the module, though its name need not stand there.
            groups = [(own, seconds), (reaching & ~own, 0), (self._all & ~1 & ~own & ~reaching, 0)]
        left = 0.0
        for some, more in groups:
            left += more
            fits = self._fits(mutant, some)

            def rank(place: int, fits: defaultdict[int, float] = fits) -> tuple[bool, int, float, float]:
                return cost[place] > SLOW_SECONDS, self._case[place], -fits[place], cost[place]

            for place in sorted(bits(some), key=rank):
                if cost[place] <= left and place not in chosen:
                    left -= cost[place]
                    chosen[place] = None
        known = self._killers.get(mutant.where, ())
        killers = [place for place in reversed(known) if place in chosen]
        return list(dict.fromkeys([*killers, *chosen]))

    def _fits(self, mutant: Mutant, some: int) -> defaultdict[int, float]:
        """How many words a test's name has in common with the mutant, a rare one counting more."""
        fits = defaultdict[int, float](float)
        for word in words_in(mutant.name):
            named = self._named.get(word, 0)
            for place in bits(named & some):
                fits[place] += 1 / named.bit_count()
        return fits

    def remember(self, mutant: Mutant, killer: int) -> None:
        known = self._killers.setdefault(mutant.where, [])
        known[:] = [*(place for place in known if place != killer), killer][-REMEMBERED:]

    def is_imported(self, mutant: Mutant) -> bool:
        """Return whether its lines also run before the first test."""
        return bool(self._trace.of(self._path, mutant.lines()) & 1)

    def _of(self, mutant: Mutant) -> int:
        if mutant.is_in_a_body():
            return self._trace.of(self._path, mutant.lines())
        inner = [node for node in mutant.nodes() if isinstance(node, (ast.stmt, ast.ExceptHandler))][-1]
        if isinstance(inner, ast.FunctionDef):
            return self._trace.of(self._path, lines_of_bodies(inner))
        found = 0
        for name in names_made(inner):
            found |= self._trace.of_users(name, self._path)
        return found


class Tracing:
    """A pytest plugin that runs the tests to see what they reach, and stores it; made before any import."""

    def __init__(self, paths: Iterable[Path], tests: Iterable[str]) -> None:
        import coverage

        self._paths, self._file = list(paths), _file_of(tests)
        include = [str(path) for path in self._paths]
        self._coverage = coverage.Coverage(data_file=None, include=include, config_file=False)
        self._coverage.start()

    def pytest_runtestloop(self, session: Any) -> bool:
        seconds, waited, failed = [0.0], [0.0], []
        if session.testsfailed:
            failed.append("collecting the tests")
        imported, cached = 0, list[Any]()
        for item, following in pairs(session.items):
            if len(sys.modules) != imported:
                imported, cached = len(sys.modules), list(cached_calls())
            # Its lines would be of the first test alone that makes a call.
            for call in cached:
                call.cache_clear()
            self._coverage.switch_context(item.nodeid)
            cpu, clock = sum(os.times()[:4]), time.monotonic()
            if not passes(item, following):
                failed.append(item.nodeid)
            seconds.append(sum(os.times()[:4]) - cpu)
            waited.append(time.monotonic() - clock)
        self._coverage.stop()
        tests = [IMPORTING, *(item.nodeid for item in session.items)]
        sources = {str(path): source_of(path) for path in self._paths}
        trace = Trace(tests, seconds, waited, failed, sources, self._reached(tests))
        self._file.parent.mkdir(parents=True, exist_ok=True)
        self._file.write_bytes(pickle.dumps(trace))
        return True

    def _reached(self, tests: list[str]) -> dict[str, dict[int, int]]:
        data, places = self._coverage.get_data(), {name: 1 << place for place, name in enumerate(tests)}
        return {
            str(path): {
                line: sum({places[name] for name in names})
                for line, names in data.contexts_by_lineno(str(path)).items()
            }
            for path in self._paths
        }


def cached_calls() -> Iterator[Any]:
    """Functions, methods and properties of the function's modules that remember what they returned."""
    modules = [module for name, module in sys.modules.items() if name.partition(".")[0] == "function"]
    classes = [one for module in modules for one in vars(module).values() if isinstance(one, type)]
    for owner in (*modules, *classes):
        calls = [getattr(one, "fget", one) for one in list(vars(owner).values())]
        yield from (call for call in calls if hasattr(call, "cache_clear"))


def _file_of(tests: Iterable[str]) -> Path:
    """Where the trace by these tests, as they are, lies."""
    return UNFINISHED / "traces" / f"{fingerprint_of(tests)}.pickle"


def stored(path: Path, tests: Iterable[str]) -> Trace | None:
    """The trace by these tests, where it saw this source of the module."""
    file = _file_of(tests)
    trace: Trace | None = pickle.loads(file.read_bytes()) if file.exists() else None
    return trace if trace and trace.sources.get(str(path)) == source_of(path) else None


def bits(mask: int) -> Iterator[int]:
    text = bin(mask)[:1:-1]
    place = text.find("1")
    while place >= 0:
        yield place
        place = text.find("1", place + 1)


def lines_of_bodies(tree: ast.AST) -> set[int]:
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    return {line for one in functions for line in range(one.body[0].lineno, (one.end_lineno or 0) + 1)}


def words_in(text: str) -> set[str]:
    """The beginnings of its words, which are the same for one thing and for many."""
    return {word[:WORD] for word in re.findall(r"[a-z]{4,}", text.lower())}


def _numbers_of_cases(tests: Iterable[str]) -> Iterator[int]:
    """How many cases of its function come before each test."""
    counts: dict[str, int] = {}
    for test in tests:
        function = test.partition("[")[0]
        yield counts.setdefault(function, 0)
        counts[function] += 1


def names_made(node: ast.AST) -> set[str]:
    """The names that a statement of a module or class gives a value."""
    made = {one.id for one in ast.walk(node) if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)}
    return made | ({node.name} if isinstance(node, ast.ClassDef) else set())


@cache
def mentions(path: Path) -> dict[str, set[int]]:
    """The lines of function bodies where each name or attribute stands."""
    found: dict[str, set[int]] = {}
    tree = ast.parse(path.read_text("utf-8"))
    bodies = lines_of_bodies(tree)
    for node in ast.walk(tree):
        name = getattr(node, "id", None) or getattr(node, "attr", None) or getattr(node, "arg", None)
        if isinstance(name, str) and getattr(node, "lineno", 0) in bodies:
            found.setdefault(name, set()).add(node.lineno)  # type: ignore[attr-defined]
    return found


@cache
def imported_by(path: Path) -> set[str]:
    """The words of the names that a file imports."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            names = [getattr(node, "module", None) or "", *(one.name for one in node.names)]
            found.update(word for name in names for word in name.split("."))
    return found


def pairs(items: Sequence[Any]) -> Iterator[tuple[Any, Any]]:
    """Each test with the following one, which decides what pytest tears down between them."""
    return zip(items, [*items[1:], None], strict=True)


def passes(item: Any, following: Any) -> bool:
    from _pytest.runner import runtestprotocol

    capture = item.config.pluginmanager.getplugin("capturemanager")
    if capture.is_globally_capturing():
        # Every fork would write into the same file otherwise.
        capture.stop_global_capturing()
        capture.start_global_capturing()
    return not any(report.failed for report in runtestprotocol(item, log=False, nextitem=following))
