"""A part of the matrix of held objects, and that it notices what is not gone on with."""

from datetime import timedelta
from itertools import count

import pytest

from function.holding import decision, records, state
from function.holding.state import CHECKING, HeldState
from quality.torture import held_faults
from quality.torture.held_faults import FAULTS, KILLED, KILLED_AFTER, SITUATIONS, Cell, cells

pytestmark = pytest.mark.usefixtures("quiet")
IN_SHORT = ("committed", "discarded once published", "passed")


def test_an_instance_killed_at_any_call_can_be_resumed_by_another():
    result = held_faults.run(lambda cell: cell.situation in IN_SHORT and "killed" in cell.fault)
    assert result.problems == []
    assert result.totals["faults survived"] == result.totals["faults tried"] > 40


def test_every_call_of_every_situation_meets_every_fault():
    tried = list(cells())
    assert {cell.situation for cell in tried} == set(SITUATIONS)
    for situation, at in {(cell.situation, cell.at) for cell in tried}:
        met = {cell.fault for cell in tried if (cell.situation, cell.at) == (situation, at)}
        assert met == set(FAULTS)


def test_a_call_that_is_not_made_is_a_problem_and_no_success():
    assert held_faults.attempt(Cell("committed", 19, KILLED, 1)) == "this call was not made"


def never_deletes(_oss, _key):
    return None


def copies_nothing(*_args, **_how):
    return True


@pytest.mark.parametrize(
    ("name", "instead"), [("delete_object", never_deletes), ("copy_object", copies_nothing)]
)
def test_an_abandoned_operation_is_detected(name, instead, monkeypatch):
    """Well until then, so that what should be is known."""
    held_faults._undisturbed("committed")
    held_faults._repeated("committed")
    monkeypatch.setattr(decision, name, instead)
    problems = [held_faults.attempt(Cell("committed", at, KILLED_AFTER, 1)) for at in (4, 5)]
    assert all(problems)


CHECKED, LEASED = "committed, to be checked", 7


def test_a_lease_that_does_not_end_is_found(monkeypatch):
    assert held_faults.attempt(Cell(CHECKED, LEASED, KILLED_AFTER, 1)) == ""
    monkeypatch.setattr(state, "LEASE", timedelta(days=1))
    assert held_faults.attempt(Cell(CHECKED, LEASED, KILLED_AFTER, 1)) == "a repetition answered held"


def test_a_resubmission_by_every_request_is_detected(monkeypatch):
    assert held_faults.attempt(Cell(CHECKED, LEASED, KILLED_AFTER, 1)) == ""
    numbers = count()

    def always_due(_oss, upload, _now):
        lease = records.submission_key(upload.upload_id, 1, f"-{next(numbers)}-0")
        return HeldState(CHECKING, due=1, lease=lease)

    monkeypatch.setattr(state, "check_state", always_due)
    assert held_faults.attempt(Cell(CHECKED, LEASED, KILLED_AFTER, 1)) == "asked WeChat 4 times"
