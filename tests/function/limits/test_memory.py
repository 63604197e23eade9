"""quota.memory: the counts of one instance, exact under threads, bounded in memory."""

import threading
import tracemalloc
from datetime import UTC, datetime, timedelta

import pytest

from function.errors import QuotaExceeded
from function.limits.memory import MAX_REMEMBERED, MemoryStore
from function.limits.quota import Remaining
from tests.function.limits.asking import asked, left, refusal

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
    (day,) = store.count(asked("a", 3), clock())
    assert day.resets_at.isoformat() == resets_at
    until = day.resets_at - clock()
    clock.tick(seconds=until.total_seconds() - 1)
    assert refusal(store, asked("b"), clock()) == (0, 90)
    (day,) = store.count(asked("c"), clock.tick(seconds=1))
    assert day == Remaining(2, 90, datetime.fromisoformat(resets_at) + timedelta(days=1))


def test_a_request_that_comes_late_with_yesterday_s_clock_forgets_nothing(store, clock):
    midnight = datetime(2026, 11, 24, 16, tzinfo=UTC)
    store.count(asked("a", 2), midnight)
    (day,) = store.count(asked("b"), midnight - timedelta(seconds=1))
    assert day == Remaining(0, 80, midnight + timedelta(days=1))


def test_a_clock_set_back_by_days_locks_nobody_out(store, clock):
    store.count(asked("a", 3), clock())
    assert left(store.count(asked("b"), clock.tick(days=-2))) == (2, 90)


def test_what_yesterday_counted_is_not_given_back_today(store):
    midnight = datetime(2026, 11, 24, 16, tzinfo=UTC)
    store.count(asked("a", 2), midnight - timedelta(seconds=1))
    store.count(asked("b", 1), midnight)
    store.give_back(asked("a", 2), midnight)
    assert left(store.count(asked("c"), midnight)) == (1, 80)


def test_a_request_is_remembered_for_a_minute(store, clock):
    store.count(asked("a"), clock())
    store.count(asked("b"), clock.tick(seconds=60))
    store.give_back(asked("a"), clock())
    assert left(store.count(asked("c"), clock.tick(seconds=1))) == (1, 80)
    store.count(asked("d", profile="q"), clock.tick(seconds=62))
    store.give_back(asked("c"), clock())
    assert left(store.count(asked("e"), clock())) == (0, 70)


def test_a_request_of_more_than_a_minute_ago_is_not_remembered(store, clock):
    store.count(asked("a"), clock())
    store.count(asked("b"), clock.tick(seconds=60.5))
    store.give_back(asked("a"), clock())
    assert left(store.count(asked("c"), clock())) == (0, 70)


def test_of_more_owners_than_are_remembered_who_came_first_is_forgotten(store, clock):
    for number in range(16_384):
        store.count(asked(f"r{number}", 3, owner=f"owner-{number}"), clock())
    assert refusal(store, asked("a", owner="owner-0"), clock()) == (0, 90)
    store.count(asked("b", owner="one more"), clock())
    assert refusal(store, asked("c", owner="owner-1"), clock()) == (0, 90)
    assert left(store.count(asked("d", owner="owner-0"), clock())) == (2, 90)


def test_memory_stays_flat_however_many_owners_there_are(store, clock):
    def fill(count):
        for number in range(count):
            store.count(asked(f"r{number}", owner=f"owner-{number}"), clock.tick(seconds=0.001))

    fill(MAX_REMEMBERED)
    tracemalloc.start()
    fill(MAX_REMEMBERED * 2)
    grown = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert grown < 16_000_000
    assert len(store._used) == len(store._counted) == MAX_REMEMBERED


def test_threads_at_one_limit_get_exactly_that_many(store, clock):
    admitted = []
    start = threading.Barrier(8)

    def ask(thread):
        start.wait()
        for number in range(50):
            try:
                store.count(asked(f"{thread}-{number}", 1, 1, most=(100, None)), clock())
            except QuotaExceeded:
                continue
            admitted.append(thread)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(admitted) == 100
