"""The soak in short, and that it misses the look at how long a session lives."""

from datetime import timedelta

from function.sts import credentials
from quality.torture import soak


def problems():
    result = soak.run(1600, timedelta(seconds=2))
    assert result.secrets == []
    assert result.totals["requests in the soak"] == 1600
    # So few requests say nothing about memory.
    return [problem for problem in result.problems if "memory" not in problem]


def test_a_few_requests_lose_nothing():
    assert problems() == []


def test_a_form_that_outlives_its_credentials_is_detected(monkeypatch):
    monkeypatch.setattr(credentials, "covers", lambda *_: True)
    assert any(problem.startswith("a form until") for problem in problems())
