"""Rate limits in memory: bounded, and exact under threads."""

import threading
import tracemalloc
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st

from function.config.types import Rate
from function.errors import TooManyRequests
from function.limits.rate_limit import MAX_REMEMBERED, RateLimiter, RateLimitItem

MANY_CALLERS = 100_000
MEMORY_BYTES = 2_000_000


class Limit:
    """One limit of a limiter."""

    def __init__(self, rate):
        self.limits, self.rate = RateLimiter(), rate

    def hit(self, caller, count, now):
        self.limits.hit([RateLimitItem("forms", self.rate, caller, count)], now)


def refusal(limit, caller, count, now):
    with pytest.raises(TooManyRequests) as raised:
        limit.hit(caller, count, now)
    return raised.value


def test_requests_above_the_rate_are_refused_with_the_time_to_wait(clock):
    limit = Limit(Rate(3, 60))
    for _ in range(3):
        limit.hit("a", 1, clock.tick(seconds=10))
    assert refusal(limit, "a", 1, clock()).retry_after == 40


@pytest.mark.parametrize(("waited", "retry_after"), [(0, 60), (0.5, 60), (1, 59), (59, 1), (59.999, 1)])
def test_retry_after_is_whole_seconds_and_at_least_one(clock, waited, retry_after):
    limit = Limit(Rate(1, 60))
    limit.hit("a", 1, clock())
    assert refusal(limit, "a", 1, clock.tick(seconds=waited)).retry_after == retry_after


def test_a_request_after_retry_after_is_admitted(clock):
    limit = Limit(Rate(1, 60))
    limit.hit("a", 1, clock.tick(seconds=0.25))
    wait = refusal(limit, "a", 1, clock.tick(seconds=12.5)).retry_after
    limit.hit("a", 1, clock.tick(seconds=wait))


def test_a_flood_of_one_key_does_not_affect_another(clock):
    limit = Limit(Rate(2, 60))
    limit.hit("flooder", 2, clock())
    for _ in range(1000):
        refusal(limit, "flooder", 1, clock())
    limit.hit("quiet", 2, clock())


def test_several_files_count_all_or_none(clock):
    limit = Limit(Rate(5, 60))
    limit.hit("a", 3, clock())
    refusal(limit, "a", 3, clock())
    limit.hit("a", 2, clock())
    refusal(limit, "a", 1, clock())


def test_a_clock_set_back_starts_a_new_window(clock):
    limit = Limit(Rate(1, 60))
    limit.hit("a", 1, clock())
    limit.hit("a", 1, clock.tick(hours=-3))
    refusal(limit, "a", 1, clock())


def test_a_late_request_with_an_earlier_clock_reading_does_not_reset_the_count(clock):
    limit = Limit(Rate(2, 60))
    earlier = clock()
    limit.hit("a", 1, clock.tick(seconds=1))
    limit.hit("a", 1, earlier)
    refusal(limit, "a", 1, earlier)
    refusal(limit, "a", 1, clock.tick(seconds=59))
    limit.hit("a", 1, clock.tick(seconds=1))


def test_more_than_ten_seconds_late_counts_as_a_clock_set_back(clock):
    limit = Limit(Rate(1, 60))
    limit.hit("a", 1, clock())
    refusal(limit, "a", 1, clock() - timedelta(seconds=10))
    limit.hit("a", 1, clock() - timedelta(seconds=10, milliseconds=1))


def test_refusals_do_not_shorten_a_window(clock):
    limit = Limit(Rate(1, 60))
    limit.hit("a", 1, clock())
    for second in range(1, 60):
        refusal(limit, "a", 1, clock() + timedelta(seconds=second))


def test_the_oldest_windows_are_forgotten_first(clock):
    limit = Limit(Rate(1, 3600))
    for number in range(MAX_REMEMBERED):
        limit.hit(str(number), 1, clock.tick(milliseconds=1))
    refusal(limit, "0", 1, clock())
    limit.hit("one too many", 1, clock())
    limit.hit("0", 1, clock())
    refusal(limit, "2", 1, clock())


def test_4096_keys_are_remembered_and_a_new_window_is_the_newest(clock):
    limit = Limit(Rate(1, 60))
    for number in range(4096):
        limit.hit(str(number), 1, clock())
    for number in range(4096):
        refusal(limit, str(number), 1, clock())
    limit.hit("0", 1, clock.tick(seconds=60))
    limit.hit("one too many", 1, clock())
    refusal(limit, "0", 1, clock())


def test_a_repeated_request_does_not_renew_its_window(clock):
    limit = Limit(Rate(2, 3600))
    for number in range(4096):
        limit.hit(str(number), 1, clock())
    limit.hit("0", 1, clock.tick(seconds=1))
    refusal(limit, "0", 1, clock())
    limit.hit("one too many", 1, clock())
    limit.hit("0", 2, clock())


def test_memory_is_bounded_with_any_number_of_keys(clock):
    limit = Limit(Rate(60, 60))
    now = clock()
    for number in range(MANY_CALLERS):
        limit.hit(f"{number:026d}", 1, now)
    # Measured over a last flood, which replaces every window: tracing is slow.
    tracemalloc.start()
    try:
        for number in range(MAX_REMEMBERED + 1):
            limit.hit(f"-{number:025d}", 1, now)
        held, _peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < MEMORY_BYTES


def test_threads_together_get_exactly_the_rate(clock):
    limit = Limit(Rate(500, 60))
    now = clock()
    admitted = []
    start = threading.Barrier(8)

    def flood():
        start.wait()
        for _ in range(200):
            try:
                limit.hit("a", 1, now)
            except TooManyRequests:
                continue
            admitted.append(1)

    threads = [threading.Thread(target=flood) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(admitted) == 500


@effort(max_examples=50, deadline=None)
@given(
    steps=st.lists(
        st.tuples(
            st.sampled_from("ab"),
            st.integers(1, 4),
            st.floats(0, 30, allow_nan=False),
        ),
        max_size=40,
    )
)
def test_a_minute_never_holds_more_than_twice_the_rate(steps):
    """Two adjoining windows may each hold a burst, never more."""
    from datetime import UTC, datetime

    limit = Limit(Rate(5, 60))
    now = datetime(2026, 11, 24, tzinfo=UTC)
    taken: dict[str, list[tuple[datetime, int]]] = {"a": [], "b": []}
    for caller, count, pause in steps:
        now += timedelta(seconds=pause)
        try:
            limit.hit(caller, count, now)
        except TooManyRequests as error:
            assert 1 <= error.retry_after <= 60
            continue
        taken[caller].append((now, count))
        lately = sum(count for when, count in taken[caller] if now - when < timedelta(seconds=60))
        assert lately <= 10


def test_a_refusal_under_one_limit_counts_nothing_under_the_others(clock):
    limits, forms, files = RateLimiter(), Rate(5, 60), Rate(2, 60)
    limits.hit([RateLimitItem("files", files, "a", 2)], clock())
    for _ in range(10):
        with pytest.raises(TooManyRequests):
            limits.hit(
                [RateLimitItem("forms", forms, "a", 2), RateLimitItem("files", files, "a", 1)], clock()
            )
    limits.hit([RateLimitItem("forms", forms, "a", 5)], clock())


def test_two_limits_count_the_same_key_separately(clock):
    limits, rate = RateLimiter(), Rate(1, 60)
    limits.hit([RateLimitItem("forms", rate, "a"), RateLimitItem("logins", rate, "a")], clock())
    for name in ("forms", "logins"):
        with pytest.raises(TooManyRequests):
            limits.hit([RateLimitItem(name, rate, "a")], clock())
