"""quota.memory: the counts of one instance, exact under threads, bounded in memory."""

import threading
import tracemalloc
from datetime import UTC, datetime, timedelta

import pytest

from function.errors import BadRequest, QuotaExceeded, TooManyRequests
from function.kinds import Rate
from function.limits import Claim
from function.quota.asked import Asked, Daily, Day
from function.quota.memory import MAX_REMEMBERED, MemoryStore

CHINA = timedelta(hours=8)


@pytest.fixture
def store():
    return MemoryStore(CHINA)


def asked(request_id="r", files=1, bytes_=10, owner="ann", rates=(), most=(3, 100), profile="p"):
    return Asked(request_id, owner, tuple(rates), (Daily(profile, *most, files, bytes_),))


def left(days):
    ((files, bytes_, _),) = days
    return files, bytes_


def refusal(store, wanted, now):
    with pytest.raises(QuotaExceeded) as raised:
        store.take(wanted, now)
    quota = raised.value.details["quota"]
    return quota["filesLeft"], quota["bytesLeft"]


def test_counts_files_and_bytes_and_says_what_is_left(store, clock):
    assert store.take(asked("a"), clock()) == [Day(2, 90, datetime(2026, 11, 24, 16, tzinfo=UTC))]
    assert left(store.take(asked("b", 2, 85), clock())) == (0, 5)


def test_a_day_that_is_used_up_refuses_and_a_refusal_costs_nothing(store, clock):
    store.take(asked("a", 2, 95), clock())
    assert refusal(store, asked("b", 1, 6), clock()) == (1, 5)
    assert refusal(store, asked("c", 2, 1), clock()) == (1, 5)
    assert left(store.take(asked("d", 1, 5), clock())) == (0, 0)
    assert refusal(store, asked("e", 1, 1), clock()) == (0, 0)


def test_each_owner_and_each_profile_has_a_day_of_its_own(store, clock):
    store.take(asked("a", 3), clock())
    assert left(store.take(asked("b", owner="bob"), clock())) == (2, 90)
    assert left(store.take(asked("c", profile="q"), clock())) == (2, 90)


def test_several_profiles_are_counted_all_or_none(store, clock):
    store.take(asked("a", 3, profile="q"), clock())
    both = Asked("b", "ann", (), (Daily("p", 3, 100, 1, 1), Daily("q", 3, 100, 1, 1)))
    with pytest.raises(QuotaExceeded) as raised:
        store.take(both, clock())
    assert "[q]" in raised.value.message
    assert left(store.take(asked("c"), clock())) == (2, 90)


def test_the_rate_is_counted_in_the_same_step(store, clock):
    rate = [Claim("forms", Rate(2, 60), "ann")]
    store.take(asked("a", rates=rate), clock())
    store.take(asked("b", 2, rates=rate), clock())
    # The day refuses, and the rate has two left of nothing: what is refused costs neither.
    assert refusal(store, asked("c", rates=rate), clock()) == (0, 80)
    with pytest.raises(TooManyRequests):
        store.take(asked("d", rates=rate, owner="bob"), clock())
    assert left(store.take(asked("e", owner="bob"), clock())) == (2, 90)


def test_a_refused_day_costs_no_rate(store, clock):
    rate = [Claim("forms", Rate(1, 60), "ann")]
    store.take(asked("a", 3), clock())
    refusal(store, asked("b", rates=rate), clock())
    store.take(Asked("c", "ann", tuple(rate), ()), clock())


def test_more_at_once_than_a_rate_ever_admits_is_the_caller_s_mistake(store, clock):
    with pytest.raises(BadRequest):
        store.take(asked("a", rates=[Claim("forms", Rate(1, 60), "ann", 2)]), clock())
    assert left(store.take(asked("b"), clock())) == (2, 90)


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
    (day,) = store.take(asked("a", 3), clock())
    assert day.resets_at.isoformat() == resets_at
    until = day.resets_at - clock()
    clock.tick(seconds=until.total_seconds() - 1)
    assert refusal(store, asked("b"), clock()) == (0, 90)
    (day,) = store.take(asked("c"), clock.tick(seconds=1))
    assert day == Day(2, 90, datetime.fromisoformat(resets_at) + timedelta(days=1))


def test_a_request_that_comes_late_with_yesterday_s_clock_forgets_nothing(store, clock):
    midnight = datetime(2026, 11, 24, 16, tzinfo=UTC)
    store.take(asked("a", 2), midnight)
    (day,) = store.take(asked("b"), midnight - timedelta(seconds=1))
    assert day == Day(0, 80, midnight + timedelta(days=1))


def test_a_clock_set_back_by_days_locks_nobody_out(store, clock):
    store.take(asked("a", 3), clock())
    assert left(store.take(asked("b"), clock.tick(days=-2))) == (2, 90)


def test_the_same_request_twice_counts_once(store, clock):
    rate = [Claim("forms", Rate(1, 60), "ann")]
    first = store.take(asked("a", 2, rates=rate), clock())
    assert store.take(asked("a", 2, rates=rate), clock()) == first
    assert left(store.take(asked("b"), clock())) == (0, 80)


def test_what_was_not_given_is_given_back_once_and_its_rate_stays_counted(store, clock):
    rate = [Claim("forms", Rate(1, 60), "ann")]
    store.take(asked("a", 2, 50, rates=rate), clock())
    store.take(asked("b", 1, 10), clock())
    for _ in range(2):
        store.give_back(asked("a", 2, 50), clock())
    assert left(store.take(asked("c", 1, 10), clock())) == (1, 80)
    with pytest.raises(TooManyRequests):
        store.take(asked("d", rates=rate), clock())


def test_what_was_never_counted_is_not_given_back(store, clock):
    store.take(asked("a"), clock())
    store.give_back(asked("b"), clock())
    assert left(store.take(asked("c"), clock())) == (1, 80)


def test_what_yesterday_counted_is_not_given_back_today(store):
    midnight = datetime(2026, 11, 24, 16, tzinfo=UTC)
    store.take(asked("a", 2), midnight - timedelta(seconds=1))
    store.take(asked("b", 1), midnight)
    store.give_back(asked("a", 2), midnight)
    assert left(store.take(asked("c"), midnight)) == (1, 80)


def test_what_is_given_back_never_makes_less_than_nothing(store, clock):
    store.take(asked("a", 1, 10), clock())
    store.give_back(asked("a", 2, 20), clock())
    assert left(store.take(asked("b"), clock())) == (2, 90)


def test_a_request_is_remembered_for_a_minute(store, clock):
    store.take(asked("a"), clock())
    store.take(asked("b"), clock.tick(seconds=60))
    store.give_back(asked("a"), clock())
    assert left(store.take(asked("c"), clock.tick(seconds=1))) == (1, 80)
    store.take(asked("d", profile="q"), clock.tick(seconds=62))
    store.give_back(asked("c"), clock())
    assert left(store.take(asked("e"), clock())) == (0, 70)


def test_memory_stays_flat_however_many_owners_there_are(store, clock):
    def fill(count):
        for number in range(count):
            store.take(asked(f"r{number}", owner=f"owner-{number}"), clock.tick(seconds=0.001))

    fill(MAX_REMEMBERED)
    tracemalloc.start()
    fill(MAX_REMEMBERED * 2)
    grown = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert grown < 16_000_000
    assert len(store._used) == len(store._taken) == MAX_REMEMBERED


def test_threads_at_one_limit_get_exactly_that_many(store, clock):
    admitted = []
    start = threading.Barrier(8)

    def ask(thread):
        start.wait()
        for number in range(50):
            try:
                store.take(asked(f"{thread}-{number}", 1, 1, most=(100, None)), clock())
            except QuotaExceeded:
                continue
            admitted.append(thread)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(admitted) == 100
