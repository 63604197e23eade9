"""
Which tests reach which line of a module, seen in one run of the tests.

A run over many modules has all of them traced at once, and each module reads its trace from a file; a single
module has its own tests traced.
"""

import pickle
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quality.torture.mutation_table import UNFINISHED, fingerprint_of, source_of

# What runs before the first test: imports and the collection.
IMPORTING = ""


@dataclass(frozen=True)
class Trace:
    """
    Args:
        lines: names of the tests that reach each line, ``IMPORTING`` among them.

        seconds: how long each test took.

        failed: tests that fail.
    """

    lines: dict[int, set[str]]
    seconds: dict[str, float]
    failed: list[str]


class Tracer:
    """Sees lines from the moment it is made; to be made before the modules are imported."""

    def __init__(self, paths: Iterable[Path]) -> None:
        import coverage

        self._paths = list(paths)
        include = [str(path) for path in self._paths]
        self._coverage = coverage.Coverage(data_file=None, include=include, config_file=False)
        self._coverage.start()

    def stop(self) -> None:
        self._coverage.stop()

    def run(self, items: Sequence[Any]) -> dict[Path, Trace]:
        """Run the tests, and return the trace of each module."""
        seconds: dict[str, float] = {}
        failed = []
        for item, following in pairs(items):
            self._coverage.switch_context(item.nodeid)
            before = time.monotonic()
            if not passes(item, following):
                failed.append(item.nodeid)
            seconds[item.nodeid] = time.monotonic() - before
        self._coverage.stop()
        data = self._coverage.get_data()
        return {
            path: Trace(
                {line: set(names) for line, names in data.contexts_by_lineno(str(path)).items()},
                seconds,
                failed,
            )
            for path in self._paths
        }


class Tracing:
    """A pytest plugin that traces all tests for many modules, and stores what it saw."""

    def __init__(self, paths: Iterable[Path], tests: Iterable[str]) -> None:
        self._folder = folder_of(tests)
        self._tracer = Tracer(paths)

    def pytest_runtestloop(self, session: Any) -> bool:
        traces = self._tracer.run(session.items)
        self._folder.mkdir(parents=True)
        for path, trace in traces.items():
            name = f"{source_of(path)}.pickle"
            with (self._folder / name).open("wb") as file:
                pickle.dump(trace, file)
        return True


def pairs(items: Iterable[Any]) -> Iterator[tuple[Any, Any]]:
    """Each test with the following one, which decides what pytest tears down between them."""
    items = list(items)
    return zip(items, [*items[1:], None], strict=True)


def passes(item: Any, following: Any) -> bool:
    from _pytest.runner import runtestprotocol

    capture = item.config.pluginmanager.getplugin("capturemanager")
    if capture.is_globally_capturing():
        # Every fork would write into the same file otherwise.
        capture.stop_global_capturing()
        capture.start_global_capturing()
    return not any(report.failed for report in runtestprotocol(item, log=False, nextitem=following))


def folder_of(tests: Iterable[str]) -> Path:
    """Where traces by these tests, as they are, lie."""
    return UNFINISHED / "traces" / fingerprint_of(tests)


def stored(path: Path, tests: Iterable[str]) -> Trace | None:
    file = folder_of(tests) / f"{source_of(path)}.pickle"
    if not file.exists():
        return None
    trace: Trace = pickle.loads(file.read_bytes())
    return trace
