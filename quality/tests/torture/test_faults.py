"""The matrix of faults in short, but for the slow ones, which run in make torture."""

import pytest

from local.common.faults import VOCABULARY
from quality.torture import faults
from quality.torture.faults import CALLS, FAULTS, Cell
from tests.support.broken_server import WIRE
from tests.support.canaries import Watch

# The SDK's own copy of urllib3 asks for TLS in a way that Python deprecates, and so does a test of no TLS.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:ssl", "ignore:ssl:DeprecationWarning")

SLOW = {"slow", "slow_headers", "slow_body", "hang", "huge"}


def test_every_quick_fault_of_every_call_ends_as_documented():
    result = faults.run(lambda cell: cell.fault not in SLOW)
    assert result.problems == []
    assert result.secrets == []
    assert result.totals["faults tried"] == 353


def test_every_call_meets_every_fault_under_its_name_in_the_vocabulary():
    general = {*WIRE, *faults.NO, *faults.NOT_NOW, *faults.UNREADABLE}
    assert all(general <= {*tried.ends} for tried in CALLS.values())
    assert {cell.fault for cell in faults.cells()} == {*FAULTS} <= {*VOCABULARY}


def test_non_repeatable_calls_are_sent_once():
    assert {call for call, tried in CALLS.items() if tried.ends["reset"][1] == 1} == {
        *("PutObject, the first", "CopyObject", "InitiateMultipartUpload", "CompleteMultipartUpload"),
        *("stable_token", "media_check_async", "key of OSS", "webhook"),
    }


@pytest.mark.parametrize(("call", "fault"), [("DeleteObject", "rejected"), ("webhook", "reset")])
def test_a_call_that_ends_otherwise_is_a_problem(monkeypatch, call, fault):
    monkeypatch.setitem(CALLS[call].ends, fault, ("", 3))
    assert "not in success after 3" in faults.attempt(Cell(call, fault), Watch())
