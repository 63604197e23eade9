"""The mutator makes the wrong versions it should, and the table of equivalent ones is kept true."""

import ast
import runpy
import sys
import tomllib

import pytest

from quality.torture import mutation
from quality.torture.mutants import mutants_of
from quality.torture.report import Result

SOURCE = '''
"""A module."""
LIMIT = 5
NAMES = ("a", "b")

def check(value: int, *, strict: bool = False) -> str:
    """A docstring is no behaviour."""
    if value > LIMIT and not strict:
        raise ValueError("a sentence for people", value)
    log(max(value, LIMIT + 1), level="x")
    log.last = value
    return {"size": value, "unit": "byte"}[NAMES[0]]
'''
WANTED = {
    "module: [LIMIT = 5] 5 -> 6",
    "module: ('a', 'b') -> ('b',)",
    "module: [NAMES = ('a', 'b')] 'a' -> 'a~'",
    "check: False -> True",
    "check: value > LIMIT -> value >= LIMIT",
    "check: value > LIMIT and (not strict) -> value > LIMIT or not strict",
    "check: value > LIMIT and (not strict) -> not strict",
    "check: not strict -> strict",
    "check: raise ValueError('a sentence for people', value) -> pass",
    "check: log(max(value, LIMIT + 1), level='x') -> pass",
    "check: log(max(value, LIMIT + 1), level='x') -> log(max(value, LIMIT + 1))",
    "check: max -> min",
    "check: log.last = value -> pass",
    "check: LIMIT + 1 -> LIMIT - 1",
    "check: LIMIT + 1 -> LIMIT",
    "check: {'size': value, 'unit': 'byte'} -> {'unit': 'byte'}",
    "check: return {'size': value, 'unit': 'byte'}[NAMES[0]] -> return",
}


def test_makes_the_small_mistakes_people_make():
    names = {mutant.name for mutant in mutants_of(SOURCE)}
    assert names >= WANTED, WANTED - names
    assert any("if True:" in name for name in names)
    assert not any("docstring" in name or "people~" in name for name in names)


def test_each_differs_from_the_module_and_compiles():
    unchanged = ast.dump(ast.parse(SOURCE))
    seen = set()
    for mutant in mutants_of(SOURCE):
        tree = mutant.tree()
        compile(tree, "mutant", "exec")
        dumped = ast.dump(tree)
        assert dumped != unchanged, mutant.name
        seen.add(mutant.name)
    assert len(seen) == len(list(mutants_of(SOURCE)))


def test_running_a_mutated_module_as_a_program_runs_the_mutant(monkeypatch):
    monkeypatch.setitem(sys.modules, "burst_server", None)
    mutation._import("burst_server", ast.parse("started_as = __name__"))
    assert sys.modules["burst_server"].started_as == "burst_server"
    assert runpy.run_module("burst_server", run_name="__main__")["started_as"] == "__main__"


def test_a_survivor_that_is_not_listed_is_a_problem():
    result = Result("mutation")
    mutation._judge("x", {"a": "killed", "b": "survived"}, result, is_complete=True)
    assert result.problems == ["x: survives: b"]
    assert result.totals["mutants surviving"] == 1


@pytest.mark.parametrize("module", mutation.TESTS)
def test_a_mutant_listed_as_equivalent_is_still_made_and_has_a_reason(module):
    made = {mutant.name for mutant in mutants_of(mutation.path_of(module).read_text("utf-8"))}
    for name, reason in mutation.equivalents(module).items():
        assert name in made
        assert reason.endswith(".")


def test_the_table_names_only_modules_that_are_tried():
    table = tomllib.loads(mutation.EQUIVALENT.read_text("utf-8"))
    assert set(table) <= set(mutation.TESTS)


def test_the_tests_that_are_to_notice_a_mutant_are_there():
    named = {path for tests in mutation.TESTS.values() for path in tests}
    assert {path for path in named if not (mutation.ROOT / path).exists()} == set()


def test_every_module_of_the_function_is_tried():
    paths = {mutation.path_of(module) for module in mutation.TESTS}
    ours = {mutation.path_of(name) for name in ("burst_server", "handler", "sts_credentials")}
    ours |= set((mutation.ROOT / "function").rglob("*.py"))
    without_behaviour = {path for path in ours if not list(mutants_of(path.read_text("utf-8")))}
    assert paths | without_behaviour | {mutation.ROOT / "function" / "__init__.py"} == ours
