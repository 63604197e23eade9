"""fresh_process: a process is timed until its line, and says why it has none."""

import sys

import pytest

from quality.bench.fresh_process import ContestantFailed, time_first_line

PATH_ONLY = {"PATH": "/usr/bin:/bin"}


def test_a_process_is_timed_until_its_line_and_then_ended():
    program = "print('{}', flush=True); import time; time.sleep(60)"
    found = time_first_line([sys.executable, "-I", "-S", "-c", program], PATH_ONLY)
    assert found.line == "{}\n"
    assert 0 < found.cpu_ms < 5000
    assert 0 < found.wall_ms < 30_000
    assert 1 < found.peak_mb < 100


def test_a_process_that_fails_is_reported_with_its_own_words():
    with pytest.raises(ContestantFailed, match="no-such-peer"):
        time_first_line([sys.executable, "-I", "-S", "-c", "raise SystemExit('no-such-peer')"], PATH_ONLY)
