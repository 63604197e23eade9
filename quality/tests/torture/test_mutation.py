"""A mutant that no test misses survives, and the tables of mutants are kept true."""

import json
import os
import subprocess
import sys
import tomllib
from functools import cache

import pytest

from function.config.key_template import KeyTemplate
from function.uploads.plan import prepare_form
from quality import suite
from quality.torture import mutation, mutation_table, traces
from quality.torture.mutants import mutants_of
from quality.torture.mutation_table import KILLED, OPEN, SURVIVED
from quality.torture.report import Result


def test_a_survivor_that_is_not_listed_is_a_problem():
    result = Result("mutation")
    mutation._judge("x", {"a": "killed", "b": "survived"}, result, is_complete=True)
    assert result.problems == ["x: survives: b"]
    assert result.totals["mutants surviving"] == 1


@cache
def mutants_in(path):
    return {mutant.name for mutant in mutants_of(path.read_text("utf-8"))}


@pytest.mark.parametrize("module", traces.tests())
def test_a_mutant_listed_as_equivalent_is_still_made_and_has_a_reason(module):
    for name, reason in mutation.equivalents(module).items():
        assert name in mutants_in(mutation.path_of(module))
        assert reason.endswith(".")


def test_the_table_names_only_modules_that_are_tried():
    table = tomllib.loads(mutation.EQUIVALENT.read_text("utf-8"))
    assert set(table) <= set(traces.tests())


def test_the_trace_that_is_kept_has_every_module_and_every_file_of_tests():
    """After a new one of either: ``python -m quality.torture --trace``."""
    assert list(traces.tests()) == sorted(mutation.modules())
    named = {path for files in traces.tests().values() for path in files}
    folders = [mutation.ROOT / path for path in suite.FUNCTION]
    there = {
        path for folder in folders for path in ([folder] if folder.suffix else folder.rglob("test_*.py"))
    }
    assert {mutation.ROOT / path for path in named} == there


# A module and its test; ``limit`` is imported by name, ``TABLE`` is made while the module is imported.
SMALL = """
UPPER_OF_SMALL = 5

def limit(value):
    if value > UPPER_OF_SMALL:
        return UPPER_OF_SMALL
    return value

def least_of_small(value, lower=0):
    return max(value, lower)

def counter():
    calls, step = 0, 1
    def call():
        nonlocal calls
        calls += step
        return calls
    return call

def table():
    return {"a": 1}

TABLE = table()
"""
SMALL_TEST = """
from small import TABLE, least_of_small, limit, table

def test_limit(tmp_path):
    assert [limit(4), limit(7), least_of_small(-1)] == [4, 5, 0]

def test_nothing():
    table()
    assert TABLE
"""


TRIED = """
import json, os, sys, pytest
from pathlib import Path
from quality.torture import traces
from quality.torture.in_place import InPlace, Several
from quality.torture.mutants import mutants_of
path = Path("small.py").resolve()
mutants = list(mutants_of(path.read_text()))
found, tests = Path("found.jsonl"), ["test_small.py"]
traces.UNFINISHED = Path(".")
if not os.fork():
    pytest.main(tests, plugins=[traces.Tracing([path], tests)])
    os._exit(0)
os.wait()
trace = traces.stored(path, tests)
assert "small" not in sys.modules and trace
choice = traces.Choice(path, trace, tests[0])
lines = found.open("a", buffering=1)
report = lambda *said: print(json.dumps(said), file=lines)
plugin = InPlace("small", path, mutants, report, trace, choice, lambda _name: 9)
pytest.main(tests, plugins=[Several([lambda: plugin])])
outcomes = dict(map(json.loads, found.open()))
print(json.dumps([outcomes, trace.failed, trace.files(path)]), file=sys.stderr)
"""


def tried_in_place(folder, test):
    (folder / "small.py").write_text(SMALL)
    (folder / "test_small.py").write_text(test)
    (folder / "pytest.ini").write_text("[pytest]")
    path = f"{mutation.ROOT}:{folder}"
    # Of the plugins of pytest, hypothesis and schemathesis take most of the time.
    environ = {**os.environ, "PYTHONPATH": path, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    environ["PYTEST_DEBUG_TEMPROOT"] = str(folder)
    command = [sys.executable, "-c", TRIED]
    done = subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True)
    return json.loads(done.stderr.splitlines()[-1])


FREEZING = SMALL_TEST.replace("\n\n", "\nimport handler\n\n", 1)
LATE = """
def test_limit():
    from small import least_of_small, limit
    assert [limit(4), limit(7), least_of_small(-1)] == [4, 5, 0]

def test_nothing():
    from small import TABLE, table
    table()
    assert TABLE
"""


# The second freezes all that was imported before it, and a frozen function is not listed among the objects;
# the third imports the module where it is used.
@pytest.mark.parametrize("test", [SMALL_TEST, FREEZING, LATE], ids=["plain", "frozen", "late"])
def test_a_mutant_in_place_survives_unless_a_test_that_reaches_it_fails(tmp_path, test):
    outcomes, failed, files = tried_in_place(tmp_path, test)
    assert outcomes["limit: value > UPPER_OF_SMALL -> value >= UPPER_OF_SMALL"] == SURVIVED
    assert outcomes["limit: return UPPER_OF_SMALL -> return"] == KILLED
    assert outcomes["module: [UPPER_OF_SMALL = 5] 5 -> 6"] == KILLED
    assert outcomes["least_of_small: 0 -> 1"] == KILLED
    # What the import made of it was made before the mutant: only a run of the whole can say.
    assert {outcome for name, outcome in outcomes.items() if name.startswith("table")} == {OPEN}
    # It does not compile.
    assert outcomes["counter: calls, step = (0, 1) -> pass"] == OPEN
    assert (failed, files) == ([], {"test_small.py": 5})
    # That of the trace, and a link to it.
    assert len([*tmp_path.glob("pytest-of-*/*")]) <= 2


@pytest.fixture
def stored(tmp_path, monkeypatch):
    """A table and unfinished outcomes of their own."""
    monkeypatch.setattr(mutation_table, "TABLE", tmp_path / "table.toml")
    monkeypatch.setattr(mutation_table, "UNFINISHED", tmp_path / "unfinished")


MODULE = "function.wechat"


def outcomes_of(monkeypatch, outcome, until=float("inf"), opened=frozenset()):
    """Run with an outcome for every mutant that is tried; return the result and the names of those tried."""
    tried = []

    def trying(_module, mutants, until, left_open):
        assert left_open == opened
        for mutant in mutants[: None if until else 1]:
            tried.append(mutant.name)
            yield mutant.name, outcome

    monkeypatch.setattr(mutation, "_try_all", trying)
    return mutation.run(MODULE, until), tried


def test_a_survivor_is_tried_again_once_its_tests_change(stored, monkeypatch):
    every = outcomes_of(monkeypatch, SURVIVED)[1]
    row = mutation_table.rows()[MODULE]
    assert set(row.surviving) == set(every) - set(mutation.equivalents(MODULE))
    assert outcomes_of(monkeypatch, KILLED)[1] == []
    monkeypatch.setattr(mutation_table, "fingerprint_of", lambda _tests: "other")
    assert not mutation.is_settled(MODULE)
    assert set(outcomes_of(monkeypatch, KILLED)[1]) == set(row.surviving)
    assert mutation_table.rows()[MODULE].surviving == ()


def test_a_mutant_left_open_by_a_try_in_place_is_tried_again_but_not_in_place(stored, monkeypatch):
    first, second, *_ = mutants_in(mutation.path_of(MODULE))
    unfinished = mutation_table.Unfinished(MODULE, *mutation.present(MODULE))
    unfinished.add(first, OPEN)
    unfinished.add(second, KILLED)
    tried = outcomes_of(monkeypatch, KILLED, opened={first})[1]
    assert first in tried and second not in tried
    assert mutation_table.rows()[MODULE].surviving == ()


def test_calls_properties_included_that_the_function_remembers_are_found():
    assert {prepare_form, KeyTemplate.takes_digest.fget} <= {*traces.cached_calls()}


def test_of_an_unfinished_module_other_tests_try_only_survivors_again(stored):
    unfinished = mutation_table.Unfinished(MODULE, "source", "tests")
    for name, outcome in (("a", KILLED), ("b", SURVIVED), ("c", OPEN)):
        unfinished.add(name, outcome)
    assert mutation_table.Unfinished(MODULE, "source", "tests").outcomes == unfinished.outcomes
    for _ in range(2):
        assert mutation_table.Unfinished(MODULE, "source", "others").outcomes == {"a": KILLED, "c": OPEN}
    assert mutation_table.Unfinished(MODULE, "other", "others").outcomes == {}


def test_tests_named_like_the_mutant_come_first_and_a_second_case_last(tmp_path):
    path = tmp_path / "small.py"
    path.write_text("def shown(label):\n    return not label\n")
    names = (
        "a/t::test_x[1]",
        "a/t::test_x[2]",
        "a/t::test_y",
        "a/t::test_the_labels_of_a_picture",
        "a/t::test_z",
    )
    reached = {str(path): {2: 0b1011110}}
    seconds = [0, 0.1, 0.1, 0.2, 0.4, 0.1, 0.1]
    trace = traces.Trace(["", *names, "b/u::test_far"], seconds, [0] * 7, [], {}, reached)
    choice = traces.Choice(path, trace, "a/t")
    mutant = next(mutants_of(path.read_text()))
    # Those of the folder, then those that reach it from elsewhere, then its own that do not reach it.
    assert choice.tests(mutant, 9) == [4, 1, 3, 2, 6, 5]
    assert choice.tests(mutant, 1.1) == [4, 1, 6, 3, 2, 5]
    assert choice.tests(mutant, 0.3) == [1, 6]
    choice.remember(mutant, 3)
    assert choice.tests(mutant, 9) == [3, 4, 1, 2, 6, 5]
