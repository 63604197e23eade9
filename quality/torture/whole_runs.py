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
from collections.abc import Sequence
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import CodeType

from quality.torture.in_place import KILLED, SURVIVED, end_group, fork, limit_cpu, limit_time

ROOT = Path(__file__).resolve().parents[2]
# What costs the most to import; the project's own modules must not be among them.
IMPORTED_BEFORE = (
    *("pytest", "_pytest.assertion.rewrite", "hypothesis", "hypothesis.stateful", "responses", "requests"),
    *("jwt", "cryptography.hazmat.primitives.serialization", "aliyunsdkcore.client", "coverage"),
    *("aliyunsdksts.request.v20150401.AssumeRoleRequest", "cryptography.hazmat.primitives.asymmetric.rsa"),
    # The document that every answer of a test is held against.
    *("yaml", "jsonschema", "referencing.jsonschema"),
)
OPTIONS = ("-x", "-q", "--tb=no", "--assert=plain", "-p", "no:cacheprovider", "--hypothesis-seed=1")
# No run of tests without a mutant takes so long, on a busy machine either.
SECONDS = 60.0


def prepare(folder: str) -> None:
    """Import what every fork needs; a failing property is not made smaller, one failure is enough."""
    for name in IMPORTED_BEFORE:
        importlib.import_module(name)
    from hypothesis import Phase, settings

    os.environ |= {"HYPOTHESIS_STORAGE_DIRECTORY": folder, "PYTEST_DEBUG_TEMPROOT": folder}
    settings.register_profile("mutants", phases=(Phase.explicit, Phase.generate), deadline=None)
    settings.load_profile("mutants")


def outcome_of(module: str, path: Path, tree: ast.Module, tests: Sequence[str]) -> str:
    """The module's own tests first: they are the first path, and notice most."""
    for some in (tests[:1], tests) if len(tests) > 1 else (tests,):
        if _ends_badly(module, path, tree, some):
            return KILLED
    return SURVIVED


def _ends_badly(module: str, path: Path, tree: ast.Module, tests: Sequence[str]) -> bool:
    process = fork()
    if process:
        return end_group(process) != 0
    code = 1
    try:
        limit_cpu(SECONDS)
        limit_time(SECONDS)
        code = _test(module, path, tree, tests)
    finally:
        os._exit(code)


def _test(module: str, path: Path, tree: ast.Module, tests: Sequence[str]) -> int:
    """In the fork: put the mutant in the module's place and run the tests, silently."""
    import pytest

    silence()
    # pytest ends with ten collections, which need not look at what was imported before the fork.
    gc.freeze()
    import_as(module, path, tree)
    return int(pytest.main([*OPTIONS, *tests]))


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
