"""targets and report: a promise is met or plainly not, and what is written can be read."""

import json

import pytest

from quality.bench import cold_start, large_files, load, report
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


@pytest.mark.parametrize(
    ("again", "seconds", "met"),
    [(74, 9.9, [True, True]), (76, 9.9, [False, True]), (74, 10.1, [True, False])],
)
def test_a_large_file_must_be_ahead_in_bytes_and_in_time(again, seconds, met):
    others = {"requests": [1], "faults": [0], "starts": [1]}
    figures = {
        "mebibytes": 100,
        large_files.OURS: {"again": [again], "seconds": [seconds], **others},
        large_files.COS: {"again": [100], "seconds": [10.0], **others},
    }
    found = outcomes({"large_files": figures})
    assert [outcome.is_met for outcome in found] == met


def test_a_refresh_too_many_breaks_the_promise_of_one_per_window():
    samples = [(second / 10, 0.001) for second in range(300)]
    windows = [(second, second + 0.05) for second in (0.0, 3.0, 6.0, 9.0, 12.0)]
    good = load.summarise_refreshes(samples, windows)
    assert all(outcome.is_met for outcome in outcomes({"refreshes": good}))
    doubled = load.summarise_refreshes(samples, sorted([*windows, (6.5, 6.55)]))
    missing = load.summarise_refreshes(samples, [call for call in windows if call[0] != 6.0])
    for wrong in (doubled, missing):
        assert not all(outcome.is_met for outcome in outcomes({"refreshes": wrong}))


def test_written_figures_can_be_read_back(tmp_path):
    about = {
        "date": "2026-11-24",
        "command": "make bench",
        "machine": "a machine",
        "load_before": 0.1,
        "load_after": 0.2,
        "versions": {"Python": "3.12.1"},
        "rounds": 7,
        "remark": "",
    }
    line = [(1, 1.0), (2, 2.0)]
    series = dict.fromkeys((*report.OF_GROWTH, "memory"), line)
    table = report.write(tmp_path, about, {"growth": series})
    assert "| memory growth over 2 callers | 2.00 MB |" in table
    assert json.loads((tmp_path / "results.json").read_text("utf-8"))["about"] == about
    assert (tmp_path / "growth.svg").read_text("utf-8").count("<polyline") == 6
