"""torture: the faults of the Redis that quotas are counted in, and that one which is none would be seen."""

from contextlib import nullcontext

import pytest

from quality.torture import quota_faults
from tests.support.redis_server import NEEDED, is_installed


@pytest.fixture(autouse=True)
def redis_or_skip():
    if not is_installed():
        pytest.skip(NEEDED)


def test_a_failing_quota_store_follows_quota_when_down():
    result = quota_faults.run()
    assert result.problems == []
    assert result.secrets == []
    assert result.totals["faults tried"] == 28


def test_an_answer_that_is_no_failure_is_a_problem(monkeypatch):
    monkeypatch.setitem(quota_faults.FAULTS, "full", lambda *_: nullcontext())
    result = quota_faults.run(lambda cell: cell == quota_faults.Cell("full", "deny", quota_faults.NEW))
    assert any("[default] answered 200" in problem for problem in result.problems)
    assert any("denied stands in 0 log lines" in problem for problem in result.problems)
