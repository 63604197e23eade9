"""Rate limits in memory: bounded, and never more than they say."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st

from function.config.types import Rate
from function.errors import TooManyRequests
from function.limits.rate_limit import RateLimiter, RateLimitItem
from tests.support.cases import cases_beside

cases = cases_beside(__file__)


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


@cases("rate", "steps")
def test_a_window_counts(clock, rate, steps):
    """A step is seconds to wait, key, amount, and seconds of ``Retry-After`` or null."""
    limit = Limit(Rate(*rate))
    for wait, key, amount, retry_after in steps:
        now = clock.tick(seconds=wait)
        if retry_after is None:
            limit.hit(key, amount, now)
        else:
            assert refusal(limit, key, amount, now).retry_after == retry_after


def test_4096_keys_are_stored_and_a_new_window_is_the_newest(clock):
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


@effort(max_examples=50)
@given(steps=st.lists(st.tuples(st.sampled_from("ab"), st.integers(1, 4), st.floats(0, 30)), max_size=40))
def test_a_minute_never_holds_more_than_twice_the_rate(steps):
    """Two adjoining windows may each hold a burst, never more."""
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
