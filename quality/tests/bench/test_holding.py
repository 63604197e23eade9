"""The bench of held objects measures what it says, in short."""

from quality.bench import holding


def test_commits_and_verdicts_are_counted_and_timed(monkeypatch):
    monkeypatch.setattr(holding, "LATENCY_SECONDS", 0.05)
    found = holding.measure(20, 20, 3, lambda _text: None)
    commits, verdicts, checks = found["commits"], found["verdicts"], found["checks"]
    assert (commits["objects"], commits["calls"]) == (20, 8)
    assert 0 < commits["own_ms"] < commits["ms"]
    assert (verdicts["count"], verdicts["calls"]) == (20, 11)
    # One of them to Content Moderation.
    assert (len(checks["ms"]), checks["calls"]) == (3, 22)
    assert min(checks["ms"]) >= 50
    assert 0 < verdicts["own_ms"]["median"] < verdicts["ms"]["median"]
