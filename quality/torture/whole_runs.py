"""
A mutant in the place of its module: a fork imports it before any test is collected.

It costs collecting the tests for each mutant, so it is for what cannot be tried in place: what a module makes
when it is imported.
"""

import ast
import gc
import importlib.util
import os
import sys
from collections.abc import Callable, Sequence
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import CodeType
from typing import Any

from quality.torture.in_place import FACTOR, Tell, in_a_fork, limit
from quality.torture.mutation_table import KILLED, SURVIVED

ROOT = Path(__file__).resolve().parents[2]
# What costs the most to import; the project's own modules must not be among them.
IMPORTED_BEFORE = (
    *("pytest", "_pytest.assertion.rewrite", "hypothesis", "hypothesis.stateful", "responses", "requests"),
    *("jwt", "cryptography.hazmat.primitives.serialization", "aliyunsdkcore.client", "coverage"),
    *("aliyunsdksts.request.v20150401.AssumeRoleRequest", "cryptography.hazmat.primitives.asymmetric.rsa"),
    # The document that every answer of a test is held against.
    *("yaml", "jsonschema", "referencing.jsonschema"),
)
UNUSED = ("anyio", "cacheprovider", "doctest", "faulthandler", "junitxml", "pastebin", "schemathesis")
OPTIONS = (
    *("-x", "-q", "--tb=no", "--assert=plain", "--hypothesis-seed=1"),
    *(f"-pno:{name}" for name in UNUSED),
)
NOTHING_COLLECTED = 5
OURS = ("function", "local", "handler", "bytecode", "sts_credentials", "burst_server")
# No collection takes so long, on a busy machine either.
SECONDS, WAITED = 12.0, 60.0


def prepare(folder: str) -> None:
    """Import what every fork needs; a failing property is not made smaller, one failure is enough."""
    # The forks import the same modules over and over.
    sys.dont_write_bytecode = False
    for name in IMPORTED_BEFORE:
        importlib.import_module(name)
    # What is imported already would not see the mutant.
    assert not {name for name in sys.modules if name.partition(".")[0] in OURS}
    from hypothesis import Phase, settings

    os.environ |= {"HYPOTHESIS_STORAGE_DIRECTORY": folder, "PYTEST_DEBUG_TEMPROOT": folder}
    settings.register_profile("mutants", phases=(Phase.explicit, Phase.generate), deadline=None)
    settings.load_profile("mutants")


def outcome_of(
    module: str, path: Path, tree: ast.Module, tests: Sequence[str], seconds: float = 0.0
) -> tuple[str, str]:
    """
    Return what becomes of a mutant, and the test that failed, if one did.

    Args:
        tests: names of files or tests, the likeliest to notice first: those of the first one's file are alone
            in a first run, which collects little.

        seconds: how long the tests take together without a mutant.
    """
    first = [test for test in tests if test.partition("::")[0] == tests[0].partition("::")[0]]
    for some in (first, [test for test in tests if test not in {*first}]):
        ends_well, killer = _run(module, path, tree, some, seconds) if some else (True, "")
        if not ends_well:
            return KILLED, killer
    return SURVIVED, ""


class Only:
    """
    A pytest plugin that leaves of the collected tests those asked for, in their order.

    A test counts for all of its parameters, which may be the mutant's own.
    """

    def __init__(self, tests: Sequence[str], failed: Callable[[str], None]) -> None:
        self._failed = failed
        self._places = {test.partition("[")[0]: place for place, test in reversed([*enumerate(tests)])}

    def pytest_collection_modifyitems(self, items: list[Any]) -> None:
        def place(item: Any) -> int:
            name = item.nodeid.partition("[")[0]
            return self._places.get(name, self._places.get(name.partition("::")[0], -1))

        items[:] = sorted((item for item in items if place(item) >= 0), key=place)

    def pytest_runtest_logreport(self, report: Any) -> None:
        if report.failed:
            self._failed(report.nodeid)


def _run(module: str, path: Path, tree: ast.Module, tests: Sequence[str], seconds: float) -> tuple[bool, str]:
    """Return whether the tests end well, and the one that failed."""

    def work(tell: Tell) -> int:
        limit(SECONDS + FACTOR * seconds, WAITED + FACTOR * seconds)
        return _test(module, path, tree, tests, lambda name: tell(f"{name}\n"))

    status, names = in_a_fork(work)
    return status in (0, NOTHING_COLLECTED), names.partition("\n")[0]


def _test(
    module: str, path: Path, tree: ast.Module, tests: Sequence[str], failed: Callable[[str], Any]
) -> int:
    """In the fork: put the mutant in the module's place and run the tests, silently."""
    import pytest

    silence()
    # pytest ends with ten collections, which need not look at what was imported before the fork.
    gc.freeze()
    import_as(module, path, tree)
    files = dict.fromkeys(test.partition("::")[0] for test in tests)
    return int(pytest.main([*OPTIONS, *files], plugins=[Only(tests, failed)]))


def silence() -> None:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    os.chdir(ROOT)


class Wrong(SourceFileLoader):
    """Loads a tree in place of the file, also for who starts the module as a program."""

    def __init__(self, module: str, path: Path, tree: ast.Module) -> None:
        super().__init__(module, str(path))
        self._tree = tree

    def get_code(self, fullname: str) -> CodeType:
        return compile(self._tree, self.path, "exec")


def import_as(module: str, path: Path, tree: ast.Module) -> None:
    """What importing the module would do if its file held this tree."""
    parts = [str(path.parent)] if path.name == "__init__.py" else None
    loader = Wrong(module, path, tree)
    spec = importlib.util.spec_from_file_location(
        module, path, loader=loader, submodule_search_locations=parts
    )
    assert spec is not None
    sys.modules[module] = wrong = importlib.util.module_from_spec(spec)
    loader.exec_module(wrong)
    package, _, name = module.rpartition(".")
    if package:
        setattr(importlib.import_module(package), name, wrong)
