"""holding.transitions: what may happen to a held upload, and what may not."""

import pytest

from function.holding.decision import EVENTS
from function.holding.transitions import OPEN, SHOWN, TABLE, Impossible, after

DECIDED = ("publish", "reject", "discard", "expire")
ALLOWED = {(row.event, state): row.after for row in TABLE for state in row.before}


@pytest.mark.parametrize("state", [*OPEN, *DECIDED])
@pytest.mark.parametrize("event", sorted({row.event for row in TABLE}))
def test_an_event_leaves_the_state_of_its_row_and_is_impossible_elsewhere(event, state):
    if (event, state) in ALLOWED:
        assert after(event, state) == ALLOWED[event, state]
    else:
        with pytest.raises(Impossible):
            after(event, state)


def test_an_event_of_several_states_must_be_allowed_in_each():
    assert after("discard", *OPEN) == "discard"
    with pytest.raises(Impossible):
        after("commit", *OPEN)
    with pytest.raises(Impossible):
        after("none of ours", "held")


@pytest.mark.parametrize(("state", "events"), [("held", {"commit", "publish"}), ("review", {"publish"})])
def test_only_a_commit_or_a_human_publishes_what_is_not_in_a_check(state, events):
    assert {
        event for event, before in ALLOWED if before == state and after(event, before) == "publish"
    } == events


def test_nothing_follows_a_rejection_and_a_publication_ends_by_a_discard_alone():
    assert {ALLOWED[each] for each in ALLOWED if each[1] in DECIDED} == {"discard"}
    assert {state for _, state in ALLOWED if state in DECIDED} == {"publish"}


def test_each_decision_is_an_event_of_the_table_that_leaves_its_action():
    for (action, _), event in EVENTS.items():
        assert {row.after for row in TABLE if row.event == event} == {action}
    assert {*SHOWN} == {*OPEN, *DECIDED}
