"""bench.quotas: what is measured is the work that it says."""

import pytest

from quality.bench import quotas, report
from tests.support.redis_server import NEEDED, is_installed


def test_quotas_are_not_measured_without_a_redis_server(monkeypatch):
    said = []
    monkeypatch.setattr(quotas, "is_installed", lambda: False)
    assert quotas.measure(1, said.append) == {}
    assert said == ["quotas: no redis-server, so nothing is measured"]


@pytest.mark.skipif(not is_installed(), reason=NEEDED)
def test_quota_figures_cover_every_store(monkeypatch):
    for name in ("REQUESTS_A_ROUND", "ROUND_TRIPS", "CONNECTIONS"):
        monkeypatch.setattr(quotas, name, 2)
    monkeypatch.setattr(quotas, "_import_ms", lambda: 5.0)
    found = quotas.measure(1, lambda _text: None)
    assert list(found["request_us"]) == [quotas.PLAIN, quotas.MEMORY, quotas.REDIS, quotas.RATES]
    assert all(value > 0 for values in found["request_us"].values() for value in values)
    text = report._table_of_quotas(found)
    assert "| `redis://` |" in text
    assert "a cold start 5 (5 to 5) ms" in text
