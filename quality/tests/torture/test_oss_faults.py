"""The faults of each call to OSS in short: those that answer at once; the slow ones run in make torture."""

import pytest

from local.common.faults import VOCABULARY
from quality.torture import oss_faults
from quality.torture.oss_faults import CALLS, Cell, attempt, cells, expected
from tests.support.canaries import Watch

# TLS that is not spoken is asked for in a way that Python deprecates.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:ssl", "ignore:ssl:DeprecationWarning")

SLOW = {"slow", "slow_headers", "slow_body", "hang", "huge"}


def test_every_quick_fault_of_every_call_ends_as_documented():
    result = oss_faults.run(lambda cell: cell.fault not in SLOW)
    assert result.problems == []
    assert result.secrets == []
    assert result.totals["faults tried"] == 170


@pytest.mark.parametrize("call", ["HeadObject", "CopyObject"])
def test_an_oss_that_is_slow_is_waited_for(call):
    assert attempt(Cell(call, "slow"), Watch()) == ""


def test_an_answer_that_never_ends_is_given_up():
    assert attempt(Cell("CompleteMultipartUpload", "huge"), Watch()) == ""


def test_the_matrix_has_every_call_with_every_fault():
    assert len(set(cells())) == len(CALLS) * len(oss_faults.FAULTS) == 220
    assert {cell.fault for cell in cells()} <= set(VOCABULARY)


def test_non_repeatable_calls_are_sent_once():
    once = {cell.call for cell in cells() if cell.fault == "reset" and expected(cell)[1] == 1}
    assert once == {
        "PutObject, the first",
        "CopyObject",
        "InitiateMultipartUpload",
        "CompleteMultipartUpload",
    }


def test_a_call_that_ends_otherwise_is_a_problem(monkeypatch):
    monkeypatch.setattr(oss_faults, "expected", lambda cell: ("", 3))
    assert "documented is success after 3" in attempt(Cell("DeleteObject", "rejected"), Watch())
