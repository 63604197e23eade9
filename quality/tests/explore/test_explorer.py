"""The search in small: it finds nothing in the function, and misses the lines that protect something."""

import sys
from importlib.util import find_spec
from pathlib import Path
from subprocess import run

import pytest

from quality.explore.deletions import DELETIONS
from quality.explore.exemptions import EXEMPTIONS
from quality.explore.rules import AT_ONCE, AT_REST, IN_THE_END
from quality.explore.scenarios import BY_NAME, scenario, stored
from quality.explore.search import Explorer

ROOT = Path(__file__).parents[3]
FAULTS = [each for each in EXEMPTIONS if each.is_fault]
QUICK = (
    *("form and confirm", "form and confirm, held", "reject", "complete", "replace", "confirmed twice"),
    *("clean, commit", "callback, commit, tick", "callback, forged size", "replace against delete"),
    "two forms of one quota",
)


@pytest.fixture(autouse=True)
def own_log():
    """The explorer listens to the function's log alone."""
    import logging

    log = logging.getLogger("oss_direct_upload")
    before = (log.handlers[:], log.propagate, log.level)
    yield
    log.handlers[:], log.propagate = before[0], before[1]
    log.setLevel(before[2])


@pytest.mark.parametrize("name", QUICK)
def test_no_order_of_a_small_scenario_is_wrong(name):
    # make explore has two failures in one order.
    explorer = Explorer(BY_NAME[name]._replace(faults=1))
    assert explorer.explore() is None
    assert explorer.counts.ends > 5
    assert explorer.counts.orders > explorer.counts.ends


def ends_of(explorer):
    """How each order ends: what is stored, and what everybody heard."""
    ends = set()
    at_rest = explorer.at_rest

    def noting(state):
        ends.add((explorer.cloud.key_of(state.moment), state.model))
        return at_rest(state)

    explorer.at_rest = noting
    assert explorer.explore() is None
    return ends


def test_orders_that_are_left_out_end_like_others():
    small = scenario("small", stored("commit"), "commit discard", 0)
    reduced, whole = Explorer(small), Explorer(small, reduces=False)
    assert ends_of(reduced) == ends_of(whole)
    assert reduced.counts.states < whole.counts.states


@pytest.mark.parametrize("name", DELETIONS)
def test_each_protecting_line_stands_where_it_is_taken_out(name):
    deletion = DELETIONS[name]
    text = Path(find_spec(deletion.module).origin).read_text("utf-8")
    assert text.count(deletion.line) == 1
    assert deletion.scenario in BY_NAME
    when, _, rule = deletion.finds.rpartition(": ")
    rules = {"in the end": IN_THE_END, "at once": AT_ONCE}.get(when, AT_REST)
    assert rule in {each.__name__ for each in rules}


def test_each_predicate_is_missed_by_a_line_that_is_taken_out():
    found = {deletion.finds.rpartition(": ")[2] for deletion in DELETIONS.values()}
    # Of a rule that the function breaks no line protects it yet.
    broken = {each.rule for each in FAULTS} - found
    assert found | broken == {each.__name__ for each in (*AT_REST, *AT_ONCE, *IN_THE_END)}


@pytest.mark.parametrize("exemption", EXEMPTIONS, ids=lambda each: f"{each.rule}, {each.scenario}")
def test_each_exemption_is_needed(exemption):
    others = [each for each in EXEMPTIONS if each != exemption]
    found = Explorer(BY_NAME[exemption.scenario], exemptions=others).explore()
    assert found is not None, "the fault is cured: take the exemption out, and prove a line of its cure"
    assert [problem.rpartition(": ")[2] for problem in found.problems] == [exemption.rule]


def test_the_page_names_as_much_as_there_is():
    text = (ROOT / "docs" / "testing.md").read_text("utf-8")
    assert f"There are {len(BY_NAME)} scenarios, and {len(DELETIONS)} lines are taken out" in text


def test_a_protecting_line_is_missed_and_its_counterexample_is_a_test():
    name = "the due record before a decision"
    done = python("-m", "quality.explore", "--without", name, "--at-a-time", "1")
    assert done.returncode == 0, done.stdout + done.stderr
    printed = done.stdout[done.stdout.index("from quality.explore") :].partition("\n1 of 1 found")[0]
    run_printed(printed)
    again = python("-c", FAILS, name, printed)
    assert (again.returncode, again.stdout) == (0, "fails\n"), again.stderr


FAILS = """
import sys
from quality.explore.deletions import DELETIONS
from quality.explore.take_out import take_out
take_out(DELETIONS[sys.argv[1]])
from quality.tests.explore.test_explorer import run_printed
try:
    run_printed(sys.argv[2])
except AssertionError:
    print("fails")
"""


def run_printed(text):
    """Run a counterexample as it was printed."""
    found = {}
    exec(compile(text, "printed", "exec"), found)
    (test,) = (each for name, each in found.items() if name.startswith("test_"))
    test()


def python(*arguments):
    command = [sys.executable, *arguments]
    return run(command, cwd=ROOT, capture_output=True, text=True, timeout=600, check=False)
