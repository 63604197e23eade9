"""The mutator makes the wrong versions it should, and the table of equivalent ones is kept true."""

import ast
import json
import os
import runpy
import signal
import subprocess
import sys
import tomllib
from functools import cache
from types import SimpleNamespace

import pytest

from quality import suite
from quality.torture import in_place, mutation, mutation_table, whole_runs
from quality.torture.in_place import KILLED, OPEN, SURVIVED
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


def test_a_mutant_knows_its_lines_and_whether_it_is_in_a_body():
    mutants = {mutant.name: mutant for mutant in mutants_of(SOURCE)}
    inside = mutants["check: value > LIMIT -> value >= LIMIT"]
    assert (inside.is_in_a_body(), list(inside.lines())) == (True, [8])
    assert not mutants["check: False -> True"].is_in_a_body()
    assert not mutants["module: [LIMIT = 5] 5 -> 6"].is_in_a_body()


def test_running_a_mutated_module_as_a_program_runs_the_mutant(monkeypatch):
    monkeypatch.setitem(sys.modules, "burst_server", None)
    tree = ast.parse("started_as = __name__")
    whole_runs.import_as("burst_server", mutation.path_of("burst_server"), tree)
    assert sys.modules["burst_server"].started_as == "burst_server"
    assert runpy.run_module("burst_server", run_name="__main__")["started_as"] == "__main__"


def test_a_survivor_that_is_not_listed_is_a_problem():
    result = Result("mutation")
    mutation._judge("x", {"a": "killed", "b": "survived"}, result, is_complete=True)
    assert result.problems == ["x: survives: b"]
    assert result.totals["mutants surviving"] == 1


@cache
def mutants_in(path):
    return {mutant.name for mutant in mutants_of(path.read_text("utf-8"))}


@pytest.mark.parametrize("module", mutation.tests())
def test_a_mutant_listed_as_equivalent_is_still_made_and_has_a_reason(module):
    made = mutants_in(mutation.path_of(module))
    for name, reason in mutation.equivalents(module).items():
        assert name in made
        assert reason.endswith(".")


def test_the_table_names_only_modules_that_are_tried():
    table = tomllib.loads(mutation.EQUIVALENT.read_text("utf-8"))
    assert set(table) <= set(mutation.tests())


def test_the_trace_that_is_kept_has_every_module_and_every_file_of_tests():
    """After a new one of either: ``python -m quality.torture --trace``."""
    assert list(mutation.tests()) == sorted(mutation.modules())
    named = {path for files in mutation.tests().values() for path in files}
    folders = [mutation.ROOT / path for path in suite.FUNCTION]
    there = {
        path for folder in folders for path in ([folder] if folder.suffix else folder.rglob("test_*.py"))
    }
    assert {mutation.ROOT / path for path in named} == there


# A module and its test; ``limit`` is imported by name, ``TABLE`` is made while the module is imported.
SMALL = """
def limit(value):
    if value > 5:
        return 5
    return value

def table():
    return {"a": 1}

TABLE = table()
"""
SMALL_TEST = """
from small import TABLE, limit, table

def test_limit():
    assert [limit(4), limit(7)] == [4, 5]

def test_nothing():
    table()
    assert TABLE
"""


TRIED = """
import json, os, sys, pytest
from pathlib import Path
from quality.torture import traces
from quality.torture.in_place import InPlace
from quality.torture.mutants import mutants_of
path = Path("small.py").resolve()
mutants = [one for one in mutants_of(path.read_text()) if one.is_in_a_body()]
found, tests = {}, ["test_small.py"]
traces.UNFINISHED = Path(".")
if not os.fork():
    pytest.main(tests, plugins=[traces.Tracing([path], tests)])
    os._exit(0)
os.wait()
trace = traces.stored(path, tests)
assert "small" not in sys.modules and trace
choice = traces.Choice(path, trace, tests[0])
pytest.main(tests, plugins=[InPlace(path, mutants, found.__setitem__, trace, choice, lambda _name: 9)])
print(json.dumps([found, trace.failed, trace.files(path)]), file=sys.stderr)
"""


def tried_in_place(folder, test):
    (folder / "small.py").write_text(SMALL)
    (folder / "test_small.py").write_text(test)
    (folder / "pytest.ini").write_text("[pytest]")
    environ = {**os.environ, "PYTHONPATH": f"{mutation.ROOT}:{folder}"}
    command = [sys.executable, "-c", TRIED]
    done = subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True)
    return json.loads(done.stderr.splitlines()[-1])


# The second freezes all that was imported before it, and a frozen function is not listed among the objects.
@pytest.mark.parametrize("last_import", ["", "import handler"])
def test_a_mutant_in_place_survives_unless_a_test_that_reaches_it_fails(tmp_path, last_import):
    outcomes, failed, files = tried_in_place(tmp_path, SMALL_TEST.replace("\n\n", f"\n{last_import}\n\n", 1))
    assert outcomes["limit: value > 5 -> value >= 5"] == SURVIVED
    assert outcomes["limit: return 5 -> return"] == KILLED
    # What the import made of it was made before the mutant: only a run of the whole can say.
    assert {outcome for name, outcome in outcomes.items() if name.startswith("table")} == {OPEN}
    assert (failed, files) == ([], {"test_small.py": 4})


def test_a_trace_names_the_tests_that_fail_without_any_mutant(tmp_path):
    failing = SMALL_TEST + "\ndef test_more():\n    assert limit(1) == 2\n"
    assert tried_in_place(tmp_path, failing)[1] == ["test_small.py::test_more"]


@pytest.mark.parametrize(("queued", "status"), [(0, 1), (99, 0)])
def test_time_in_the_queue_for_a_processor_ends_no_mutant(tmp_path, monkeypatch, queued, status):
    said, now = tmp_path / "schedstat", [0.0]
    said.write_text("0 0 1")
    monkeypatch.setattr(in_place, "SCHEDULED", said)
    monkeypatch.setattr(in_place, "time", SimpleNamespace(monotonic=lambda: now[0]))
    process = in_place.fork()
    if not process:
        in_place.limit(1, 0)
        now[0] += in_place.LEAST_SECONDS + 1
        said.write_text(f"0 {queued}000000000 1")
        signal.getsignal(signal.SIGALRM)()
        os._exit(0)
    assert in_place.end_group(process) == status


@pytest.fixture
def stored(tmp_path, monkeypatch):
    """A table and unfinished outcomes of their own."""
    monkeypatch.setattr(mutation_table, "TABLE", tmp_path / "table.toml")
    monkeypatch.setattr(mutation_table, "UNFINISHED", tmp_path / "unfinished")


MODULE = "function.wechat"


def outcomes_of(monkeypatch, outcome, until=float("inf")):
    """Run with an outcome for every mutant that is tried; return the result and the names of those tried."""
    tried = []

    def trying(_module, mutants, until):
        for mutant in mutants[: None if until else 1]:
            tried.append(mutant.name)
            yield mutant.name, outcome

    monkeypatch.setattr(mutation, "_try_all", trying)
    return mutation.run(MODULE, until), tried


def test_a_run_goes_on_where_the_last_one_stopped_and_then_tries_nothing(stored, monkeypatch):
    result, first = outcomes_of(monkeypatch, KILLED, until=0)
    assert (len(first), len(result.notes), mutation_table.rows()) == (1, 1, {})
    _, rest = outcomes_of(monkeypatch, KILLED)
    assert set(first) & set(rest) == set()
    row = mutation_table.rows()[MODULE]
    assert row.killed == row.mutants == len(first) + len(rest)
    assert mutation.is_settled(MODULE)
    assert outcomes_of(monkeypatch, KILLED)[1] == []


def test_a_survivor_is_tried_again_once_its_tests_change(stored, monkeypatch):
    every = outcomes_of(monkeypatch, SURVIVED)[1]
    row = mutation_table.rows()[MODULE]
    assert set(row.surviving) == set(every) - set(mutation.equivalents(MODULE))
    assert outcomes_of(monkeypatch, KILLED)[1] == []
    monkeypatch.setattr(mutation_table, "fingerprint_of", lambda _tests: "other")
    assert not mutation.is_settled(MODULE)
    assert set(outcomes_of(monkeypatch, KILLED)[1]) == set(row.surviving)
    assert mutation_table.rows()[MODULE].surviving == ()


def test_the_report_names_what_is_stale_and_what_never_ran(stored, monkeypatch):
    outcomes_of(monkeypatch, SURVIVED)
    source, tests = mutation.present(MODULE)
    table = mutation_table.report({MODULE: (source, tests), "handler": ("", "")})
    assert "handler" in table and "never ran" in table and "survives: " in table
    assert "stale: its source changed" in mutation_table.report({MODULE: ("other", tests)})
    assert "its tests changed" in mutation_table.report({MODULE: (source, "other")})


def test_comments_docstrings_and_imports_leave_a_row_valid():
    code = 'def ask(name: str) -> str:\n    return name or "?"\n'
    told = '"""Module."""\nimport re\n' + code.replace("\n    ", '\n    """Return it."""\n    # Why.\n    ')
    assert mutation_table.code_of(told) == mutation_table.code_of(code)
    assert mutation_table.code_of(code.replace("or", "and")) != mutation_table.code_of(code)
