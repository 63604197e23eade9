"""The matrices of faults in short, but for the slow ones, which run in make torture."""

import pytest

from local.common.faults import VOCABULARY
from quality.torture import faults, sts_faults
from quality.torture.faults import CALLS, FAULTS, Cell
from tests.support.broken_server import WIRE
from tests.support.canaries import Watch
from tests.support.stage import Reply

# The SDK's own copy of urllib3 asks for TLS in a way that Python deprecates, and so does a test of no TLS.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:ssl", "ignore:ssl:DeprecationWarning")

SLOW = {"slow", "slow_headers", "slow_body", "hang", "huge"}


def test_every_quick_fault_of_every_call_ends_as_documented():
    result = faults.run(lambda cell: cell.fault not in SLOW)
    assert result.problems == []
    assert result.secrets == []
    assert result.totals["faults tried"] == 332


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


def test_every_quick_fault_of_sts_ends_as_documented_and_is_made_good():
    result = sts_faults.run(
        lambda cell: cell.fault not in SLOW and (cell.phase == "cold" or cell.fault not in sts_faults.OF_STS)
    )
    assert result.problems == []
    assert result.secrets == []
    assert result.totals["faults tried"] == 98


def test_each_use_of_a_session_meets_each_fault_of_sts_in_each_phase():
    for asked_for in sts_faults.COVERED:
        cells = {cell for cell in sts_faults.cells() if cell.asked_for == asked_for}
        tried = {(cell.fault, cell.phase) for cell in cells}
        assert tried >= {(fault, phase) for fault in sts_faults.OF_STS for phase in sts_faults.PHASES}
        assert {cell.fault for cell in cells if cell.fault in sts_faults.OF_STS} <= {*VOCABULARY}


def test_an_outcome_of_sts_other_than_the_documented_one_is_a_problem():
    cell = sts_faults.Cell("a form", "status_500", "cold")
    assert "documented is sts_unavailable" in sts_faults.judge(cell, Reply(200, {}, "{}"), 0.1)
    silent = Reply(503, {}, '{"error": {"code": "sts_unavailable"}}')
    assert sts_faults.judge(cell, silent, 0.1) == "no Retry-After"
    patient = Reply(503, {"Retry-After": "2"}, silent.text)
    assert sts_faults.judge(cell, patient, 0.1) == ""
    assert "took 99.0 s" in sts_faults.judge(cell, patient, 99)
