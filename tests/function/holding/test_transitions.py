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


@pytest.mark.parametrize("state", [*OPEN, *DECIDED])
@pytest.mark.parametrize("event", sorted({row.event for row in TABLE}))
def test_an_event_leaves_the_state_of_its_row_and_is_impossible_elsewhere(event, state):
    if (event, state) in ALLOWED:
        assert next_state(event, state) == ALLOWED[event, state]
    else:
        with pytest.raises(Impossible):
            next_state(event, state)


def test_states_and_who_decided_are_named_as_in_records_of_other_versions():
    assert IN_CHECK == ("asking", "task", "answered", "submitting", "submitted", "unreachable")
    assert (*OPEN, *DECIDED) == ("held", "accepted", *IN_CHECK, "review", *DECIDED)
    names = {name: value for name, value in vars(transitions).items() if name.startswith("BY_")}
    assert names == {f"BY_{who.upper()}": who for who in ("check", "commit", "backend", "owner", "time")}


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


def test_each_decision_is_an_event_of_the_table_that_leaves_its_action():
    for (action, _), event in EVENTS.items():
        assert {row.after for row in TABLE if row.event == event} == {action}
    assert {*SHOWN} == {*OPEN, *DECIDED}


WRITING = ("records.put", "records.create", "put_record")
# By module, the names of the records that it writes. What is no state: evidence, a copy under way, what finds
# a submission or its verdict.
WRITERS = {
    "records": {"name"},
    "leases": {"accepted_key", "current.lease"},
    "decision_records": {"decision_key", "review_key"},
    "apply_decision": {"copy_key", "decision_key", "rejection_key"},
    "wechat_check": {"check_key", "verdict_key"},
    "clean_copy": {"cleaned_key"},
    "review_list": {"_name(upload)"},
    "check_source": {"fetched_key"},
    "label_record": {"label_key"},
}


def names_written_by(path):
    """The second argument of each writing call, or what was assigned to it in the same function."""
    names = set()
    for function in ast.walk(ast.parse(path.read_text("utf-8"))):
        if not isinstance(function, ast.FunctionDef):
            continue
        given = {}
        for node in ast.walk(function):
            if isinstance(node, ast.Assign):
                pairs = [(node.targets[0], node.value)]
                if isinstance(node.targets[0], ast.Tuple) and isinstance(node.value, ast.Tuple):
                    pairs = zip(node.targets[0].elts, node.value.elts, strict=True)
                given |= {ast.unparse(target): ast.unparse(value) for target, value in pairs}
        for node in ast.walk(function):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in WRITING:
                name = ast.unparse(node.args[1])
                name = given.get(name, name)
                names.add(name.removeprefix("records.").partition("(")[0] if "_key(" in name else name)
    return names


def test_each_record_is_written_by_these_modules_alone():
    paths = [*(ROOT / "function/holding").glob("*.py"), *(ROOT / "function/routes").glob("*.py")]
    assert {path.stem: names for path in paths if (names := names_written_by(path))} == WRITERS


@pytest.mark.parametrize(("module", "writers"), [("leases", 3), ("decision_records", 3)])
def test_each_writer_of_a_state_asks_the_table(module, writers):
    tree = ast.parse((ROOT / f"function/holding/{module}.py").read_text("utf-8"))
    functions = {node.name: ast.unparse(node) for node in tree.body if isinstance(node, ast.FunctionDef)}
    writing = {name for name, text in functions.items() if re.search(r"\brecords\.(put|create)\(", text)}
    assert len(writing) == writers
    assert {name for name in writing if "next_state(" in functions[name]} == writing
