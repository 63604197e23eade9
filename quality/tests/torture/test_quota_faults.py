"""torture: the faults of the store that quotas are counted in, a few of each kind."""

import os

import pytest

from quality.torture import quota_faults
from tests.support.redis_server import NEEDED, is_installed

# TLS that is not spoken is asked for in a way that Python deprecates.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:ssl", "ignore:ssl:DeprecationWarning")
QUICK = ("refused", "drop", "truncated", "wrong_type", "oom", "wrong_certificate", "killed")


def test_a_failing_quota_store_follows_quota_when_down(redis_or_skip):
    result = quota_faults.run(lambda cell: cell.fault in QUICK)
    assert result.problems == []
    assert result.secrets == []
    assert result.totals["faults tried"] == 22


def test_a_fault_that_is_taken_for_an_answer_is_found():
    """One that is none: this matrix would see it."""
    cell = quota_faults.Cell("text", "deny")
    quota_faults.FAULTS["text"], well = (
        quota_faults._says(quota_faults._numbers(0, 0, 0, 1_795_528_800, 20_781, 1, 100)),
        quota_faults.FAULTS["text"],
    )
    try:
        result = quota_faults.run(lambda each: each == cell)
    finally:
        quota_faults.FAULTS["text"] = well
    assert any("[default] answered 200" in problem for problem in result.problems)
    assert any("denied stands in 0 log lines" in problem for problem in result.problems)


@pytest.fixture
def redis_or_skip():
    if not is_installed():
        say = pytest.fail if os.environ.get("CI") else pytest.skip
        say(NEEDED)
