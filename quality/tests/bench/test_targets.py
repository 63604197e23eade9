"""targets and report: promises are met or not, and the table says which."""

import pytest

from quality.bench import cold_start, report
from quality.bench.modes import ANONYMOUS, WECHAT
from quality.bench.targets import Outcome, outcomes


@pytest.mark.parametrize(
    ("outcome", "is_met"),
    [
        (Outcome("a ratio", 1.10, 1, 1.2, 1.10), True),
        (Outcome("a ratio", 1.11, 1, 1.2, 1.10), False),
        (Outcome("a rate", 0.84, 0.8, 0.9, 0.85, at_least=True), False),
        (Outcome("a rate", 0.85, 0.8, 0.9, 0.85, at_least=True), True),
    ],
)
def test_a_promise_is_met_or_plainly_not(outcome, is_met):
    assert outcome.is_met is is_met
    assert ("not met" in report.table_of_outcomes([outcome])) is not is_met


def test_a_package_over_its_size_breaks_its_promise():
    judged = [outcomes({"package": {"zipped_mb": size}})[0].is_met for size in (6.2, 6.21)]
    assert judged == [True, False]


def test_a_mode_with_a_slower_first_request_misses_the_target():
    def is_met(wechat_ms):
        of_each = {"wall_ms": [9.0], "cpu_ms": [100.0], "peak_mb": [9.0]}
        figures = dict.fromkeys(cold_start.SCRIPT_OF, of_each) | {WECHAT: {**of_each, "cpu_ms": [wechat_ms]}}
        found = outcomes({"cold_start": figures})
        return next(outcome.is_met for outcome in found if f"{WECHAT} / {ANONYMOUS}" in outcome.name)

    assert is_met(115.0)
    assert not is_met(116.0)


def test_a_run_is_written_as_one_table(tmp_path):
    about = {
        "date": "2026-11-24",
        "command": "make bench",
        "machine": "a machine",
        "load_before": 0.1,
        "load_after": 0.2,
        "versions": {"Python": "3.12.1"},
        "remark": "",
    }
    table = report.write(tmp_path, about, {"package": {"zipped_mb": 5.0}})
    assert "| package, zipped | 5.00 MB |" in table
    assert [path.name for path in tmp_path.iterdir()] == ["table.md"]
