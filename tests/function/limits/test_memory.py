"""Quotas in memory: exact under threads, bounded."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest

from function.errors import QuotaExceeded
from function.limits.memory import MAX_REMEMBERED, MemoryStore
from function.limits.quota import Remaining
from tests.function.limits.requests_to_stores import follow, left, quota_request, refusal
from tests.support.cases import cases_beside

cases = cases_beside(__file__)

CHINA = timedelta(hours=8)


@pytest.fixture
def store():
    return MemoryStore(CHINA)


@cases("steps")
def test_an_instance_counts(store, clock, steps):
    follow(store, clock, steps)


def test_a_late_request_with_yesterday_s_clock_counts_for_today(store):
    midnight = datetime(2026, 11, 24, 16, tzinfo=UTC)
    store.count(quota_request("a", 2), midnight)
    (day,) = store.count(quota_request("b"), midnight - timedelta(seconds=1))
    assert day == Remaining(0, 80, midnight + timedelta(days=1))


def test_above_16384_owners_the_oldest_is_evicted(store, clock):
    for number in range(16_384):
        store.count(quota_request(f"r{number}", 3, owner=f"owner-{number}"), clock())
    assert refusal(store, quota_request("a", owner="owner-0"), clock()) == (0, 90)
    store.count(quota_request("b", owner="one more"), clock())
    assert refusal(store, quota_request("c", owner="owner-1"), clock()) == (0, 90)
    assert left(store.count(quota_request("d", owner="owner-0"), clock())) == (2, 90)


def test_memory_is_bounded_with_any_number_of_owners(store, clock):
    for number in range(MAX_REMEMBERED + 1):
        store.count(quota_request(f"r{number}", owner=f"owner-{number}"), clock())
    assert len(store._used) == len(store._counted) == MAX_REMEMBERED


def test_threads_together_get_exactly_the_quota(store, clock):
    start = threading.Barrier(8)

    def ask(thread):
        start.wait()
        admitted = 0
        for number in range(50):
            with suppress(QuotaExceeded):
                store.count(quota_request(f"{thread}-{number}", 1, 1, most=(100, None)), clock())
                admitted += 1
        return admitted

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(ask, range(8))) == 100
