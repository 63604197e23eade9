"""The bench of held objects measures what it says, in short."""

from quality.bench import holding


def test_commits_and_verdicts_are_counted_and_timed():
    found = holding.measure(20, 20, lambda _text: None)
    commits, verdicts = found["commits"], found["verdicts"]
    assert (commits["objects"], commits["calls"]) == (20, 8)
    assert 0 < commits["own_ms"] < commits["ms"]
    assert (verdicts["count"], verdicts["calls"]) == (20, 11)
    assert 0 < verdicts["own_ms"]["median"] < verdicts["ms"]["median"]
