"""holding.transitions: what may happen to a held upload, and what may not."""

import ast
import re
from pathlib import Path

import pytest

from function.holding import transitions
from function.holding.transitions import EVENTS, IN_CHECK, OPEN, SHOWN, TABLE, Impossible, next_state

ROOT = Path(__file__).parents[3]
DECIDED = ("publish", "reject", "discard", "expire")
ALLOWED = {(row.event, state): row.after for row in TABLE for state in row.before}


def test_an_event_of_several_states_must_be_allowed_in_each():
    assert next_state("discard", *OPEN) == "discard"
    with pytest.raises(Impossible):
        next_state("commit", *OPEN)
    with pytest.raises(Impossible):
        next_state("none of ours", "held")
    with pytest.raises(Impossible):
        next_state("no answer", "asking", "task")


@pytest.mark.parametrize(("state", "events"), [("held", {"commit", "publish"}), ("review", {"publish"})])
def test_only_a_commit_or_a_human_publishes_what_is_not_in_a_check(state, events):
    assert {
        event for event, before in ALLOWED if before == state and next_state(event, before) == "publish"
    } == events


def test_nothing_follows_a_rejection_and_a_publication_ends_by_a_discard_alone():
    assert {ALLOWED[each] for each in ALLOWED if each[1] in DECIDED} == {"discard"}
    assert {state for _, state in ALLOWED if state in DECIDED} == {"publish"}


@pytest.mark.parametrize(("module", "writers"), [("leases", 3), ("decision_records", 3)])
def test_each_writer_of_a_state_asks_the_table(module, writers):
    tree = ast.parse((ROOT / f"function/holding/{module}.py").read_text("utf-8"))
    functions = {node.name: ast.unparse(node) for node in tree.body if isinstance(node, ast.FunctionDef)}
    writing = {name for name, text in functions.items() if re.search(r"\brecords\.(put|create)\(", text)}
    assert len(writing) == writers
    assert {name for name in writing if "next_state(" in functions[name]} == writing


def test_each_decision_is_an_event_of_the_table_that_leaves_its_action():
    for (action, _), event in EVENTS.items():
        assert {row.after for row in TABLE if row.event == event} == {action}
    assert {*SHOWN} == {*OPEN, *DECIDED}


def test_states_and_who_decided_are_named_as_in_records_of_other_versions():
    assert IN_CHECK == ("asking", "task", "answered", "submitting", "submitted", "unreachable")
    assert (*OPEN, *DECIDED) == ("held", "accepted", *IN_CHECK, "review", *DECIDED)
    names = {name: value for name, value in vars(transitions).items() if name.startswith("BY_")}
    assert names == {f"BY_{who.upper()}": who for who in ("check", "commit", "backend", "owner", "time")}
