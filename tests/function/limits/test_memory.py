"""Quotas in memory: exact under threads, bounded."""

import threading
import tracemalloc
from datetime import UTC, datetime, timedelta

import pytest

from function.errors import QuotaExceeded
from function.limits.memory import MAX_REMEMBERED, MemoryStore
from function.limits.quota import Remaining
from tests.function.limits.requests_to_stores import left, quota_request, refusal

CHINA = timedelta(hours=8)


@pytest.fixture
def store():
    return MemoryStore(CHINA)


@pytest.mark.parametrize(
    ("offset", "resets_at"),
    [
        (8, "2026-11-24T16:00:00+00:00"),
        (0, "2026-11-25T00:00:00+00:00"),
        (5.5, "2026-11-24T18:30:00+00:00"),
        (-12, "2026-11-25T12:00:00+00:00"),
        (14, "2026-11-25T10:00:00+00:00"),
    ],
)
def test_a_day_ends_at_midnight_of_the_offset(clock, offset, resets_at):
    """It is 14:00 UTC."""
    store = MemoryStore(timedelta(hours=offset))
    (day,) = store.count(quota_request("a", 3), clock())
    assert day.resets_at.isoformat() == resets_at
    until = day.resets_at - clock()
    clock.tick(seconds=until.total_seconds() - 1)
    assert refusal(store, quota_request("b"), clock()) == (0, 90)
    (day,) = store.count(quota_request("c"), clock.tick(seconds=1))
    assert day == Remaining(2, 90, datetime.fromisoformat(resets_at) + timedelta(days=1))


def test_a_late_request_with_yesterday_s_clock_counts_for_today(store, clock):
    midnight = datetime(2026, 11, 24, 16, tzinfo=UTC)
    store.count(quota_request("a", 2), midnight)
    (day,) = store.count(quota_request("b"), midnight - timedelta(seconds=1))
    assert day == Remaining(0, 80, midnight + timedelta(days=1))


def test_a_clock_set_back_by_days_starts_a_new_day(store, clock):
    store.count(quota_request("a", 3), clock())
    assert left(store.count(quota_request("b"), clock.tick(days=-2))) == (2, 90)


def test_yesterday_s_files_are_not_given_back_today(store):
    midnight = datetime(2026, 11, 24, 16, tzinfo=UTC)
    store.count(quota_request("a", 2), midnight - timedelta(seconds=1))
    store.count(quota_request("b", 1), midnight)
    store.give_back(quota_request("a", 2), midnight)
    assert left(store.count(quota_request("c"), midnight)) == (1, 80)


def test_a_request_can_be_given_back_for_a_minute(store, clock):
    store.count(quota_request("a"), clock())
    store.count(quota_request("b"), clock.tick(seconds=60))
    store.give_back(quota_request("a"), clock())
    assert left(store.count(quota_request("c"), clock.tick(seconds=1))) == (1, 80)
    store.count(quota_request("d", profile="q"), clock.tick(seconds=62))
    store.give_back(quota_request("c"), clock())
    assert left(store.count(quota_request("e"), clock())) == (0, 70)


def test_a_request_older_than_a_minute_is_forgotten(store, clock):
    store.count(quota_request("a"), clock())
    store.count(quota_request("b"), clock.tick(seconds=60.5))
    store.give_back(quota_request("a"), clock())
    assert left(store.count(quota_request("c"), clock())) == (0, 70)


def test_above_16384_owners_the_first_one_is_forgotten(store, clock):
    for number in range(16_384):
        store.count(quota_request(f"r{number}", 3, owner=f"owner-{number}"), clock())
    assert refusal(store, quota_request("a", owner="owner-0"), clock()) == (0, 90)
    store.count(quota_request("b", owner="one more"), clock())
    assert refusal(store, quota_request("c", owner="owner-1"), clock()) == (0, 90)
    assert left(store.count(quota_request("d", owner="owner-0"), clock())) == (2, 90)


def test_memory_is_bounded_with_any_number_of_owners(store, clock):
    def fill(count):
        for number in range(count):
            store.count(quota_request(f"r{number}", owner=f"owner-{number}"), clock.tick(seconds=0.001))

    fill(MAX_REMEMBERED)
    tracemalloc.start()
    fill(MAX_REMEMBERED * 2)
    grown = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert grown < 16_000_000
    assert len(store._used) == len(store._counted) == MAX_REMEMBERED


def test_threads_together_get_exactly_the_quota(store, clock):
    admitted = []
    start = threading.Barrier(8)

    def ask(thread):
        start.wait()
        for number in range(50):
            try:
                store.count(quota_request(f"{thread}-{number}", 1, 1, most=(100, None)), clock())
            except QuotaExceeded:
                continue
            admitted.append(thread)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(admitted) == 100
