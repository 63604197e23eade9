"""The matrix of faults in short: those that answer at once; the slow ones run in make torture."""

import pytest

from local.common.faults import VOCABULARY
from quality.torture import faults, machine_faults
from tests.support.canaries import Watch

# The SDK's own copy of urllib3 asks for TLS in a way that Python deprecates.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:ssl", "ignore:ssl:DeprecationWarning")

SLOW = {"slow", "slow_headers", "slow_body", "hang"}
QUICK_PHASES = {"cold", "advisory"}


def test_every_quick_fault_of_every_dependency_ends_as_documented():
    result = faults.run(lambda cell: cell.fault not in SLOW and cell.phase in QUICK_PHASES)
    assert result.problems == []
    assert result.secrets == []
    assert result.totals["faults tried"] > 220


@pytest.mark.parametrize("dependency", list(faults.FAULTS))
def test_the_matrix_has_every_dependency_with_every_fault_in_every_phase(dependency):
    cells = [cell for cell in faults.cells() if cell.dependency == dependency]
    assert {cell.fault for cell in cells} >= {
        *("refused", "reset", "slow", "hang", "no_tls", "wrong_certificate", "rejected", "status_500"),
        *("throttled", "truncated", "huge", "expired_certificate", "future_certificate"),
    }
    for fault in {cell.fault for cell in cells}:
        assert {cell.phase for cell in cells if cell.fault == fault} == set(faults.PHASES)


def test_every_fault_is_called_by_its_name_in_the_vocabulary():
    assert {cell.fault for cell in faults.cells()} <= set(VOCABULARY)


def test_an_outcome_other_than_the_documented_one_is_a_problem():
    cell = faults.Cell("sts", "status_500", "cold")
    good = faults.stage.Reply(200, {}, "{}")
    assert "documented is sts_unavailable" in faults.judge(cell, good, 0.1)
    silent = faults.stage.Reply(503, {}, '{"error": {"code": "sts_unavailable"}}')
    assert faults.judge(cell, silent, 0.1) == "no Retry-After"
    patient = faults.stage.Reply(503, {"Retry-After": "2"}, silent.text)
    assert faults.judge(cell, patient, 0.1) == ""
    assert "took 99.0 s" in faults.judge(cell, patient, 99)


@pytest.mark.parametrize("phase", machine_faults.PHASES)
@pytest.mark.parametrize("what", machine_faults.THREADS)
def test_a_lack_of_threads_ends_as_documented_in_every_phase(what, phase):
    wanted = (f"threads: {what}", phase)
    (trial,) = [trial for trial in machine_faults.trials() if (trial.what, trial.phase) == wanted]
    assert machine_faults.attempt(trial, Watch()) == ""


@pytest.mark.parametrize(
    "what",
    ["profiles.toml: deeply nested", "profiles.toml: with an enormous number", "environment: DEBUG=sdk"],
)
def test_a_fault_of_the_machine_is_misconfigured_and_not_an_internal_error(what):
    """The first two were internal errors: the TOML parser lets them through as errors of another kind."""
    (trial,) = [trial for trial in machine_faults.trials() if trial.what == what and trial.phase == "cold"]
    assert machine_faults.attempt(trial, Watch()) == ""
