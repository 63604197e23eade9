"""The faults of what the content check asks, in short; the slow ones run in make torture."""

import pytest

from local.common.faults import VOCABULARY
from quality.torture import wechat_faults
from quality.torture.wechat_faults import CHECK, FORWARDER, Cell, cells, expected

# TLS that is not spoken is asked for in a way that Python deprecates.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:ssl", "ignore:ssl:DeprecationWarning")

SLOW = {"slow_headers", "slow_body", "hang", "huge"}


def test_every_quick_fault_ends_as_documented():
    result = wechat_faults.run(lambda cell: cell.fault not in SLOW)
    assert result.problems == []
    assert result.secrets == []
    assert result.totals["faults tried"] == len(list(cells())) - 3 * len(SLOW) == 77


def test_an_answer_that_never_ends_is_given_up():
    assert wechat_faults.run(lambda cell: cell == Cell(CHECK, "huge")).problems == []


def test_the_matrix_knows_its_faults_by_their_names():
    assert {cell.fault for cell in cells()} <= set(VOCABULARY)
    assert len(set(cells())) == 89


def test_no_submission_is_repeated_but_with_another_token():
    assert {cell.fault for cell in cells() if expected(cell)[1] == 2} == {"bad_token"}
    assert expected(Cell(CHECK, "not_seen_lately")) == ("refused", 1)


def test_a_call_that_ends_otherwise_is_a_problem(monkeypatch):
    monkeypatch.setattr(wechat_faults, "expected", lambda cell: ("", 3))
    (problem,) = wechat_faults.run(lambda cell: cell == Cell(FORWARDER, "reset")).problems
    assert "documented is success after 3" in problem
