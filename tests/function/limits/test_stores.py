"""quota.memory and quota.redis_store: both count alike, whatever is asked of them."""

from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as effort
from hypothesis import strategies as st

from function.config.types import Rate
from function.errors import BadRequest, QuotaExceeded, TooManyRequests, UploadError
from function.limits.memory import MemoryStore
from function.limits.quota import QuotaItem, QuotaRequest
from function.limits.rate_limit import RateLimitItem
from function.limits.redis import RedisStore
from function.limits.redis_connection import Address
from tests.function.limits.asking import PATIENCE, asked, left, refusal

CHINA = timedelta(hours=8)
BUCKETS = (f"bucket-{number}" for number in count())


def redis_store(server, **options):
    return RedisStore(Address(server.url), CHINA, options.get("bucket", next(BUCKETS)), PATIENCE)


@pytest.fixture(params=["memory", "redis"])
def store(request):
    """A store in which nothing has been counted."""
    if request.param == "memory":
        return MemoryStore(CHINA)
    return redis_store(request.getfixturevalue("server"))


def test_counts_files_and_bytes_and_says_what_is_left(store, clock):
    assert left(store.count(asked("a"), clock())) == (2, 90)
    assert left(store.count(asked("b", 2, 85), clock())) == (0, 5)


def test_a_day_that_is_used_up_refuses_and_a_refusal_costs_nothing(store, clock):
    store.count(asked("a", 2, 95), clock())
    assert refusal(store, asked("b", 1, 6), clock()) == (1, 5)
    assert refusal(store, asked("c", 2, 1), clock()) == (1, 5)
    assert left(store.count(asked("d", 1, 5), clock())) == (0, 0)
    assert refusal(store, asked("e", 1, 1), clock()) == (0, 0)


def test_each_owner_and_each_profile_has_a_day_of_its_own(store, clock):
    store.count(asked("a", 3), clock())
    assert left(store.count(asked("b", owner="bob"), clock())) == (2, 90)
    assert left(store.count(asked("c", profile="q"), clock())) == (2, 90)


def test_several_profiles_are_counted_all_or_none(store, clock):
    store.count(asked("a", 3, profile="q"), clock())
    both = QuotaRequest("b", "ann", (), (QuotaItem("p", 3, 100, 1, 1), QuotaItem("q", 3, 100, 1, 1)))
    with pytest.raises(QuotaExceeded) as raised:
        store.count(both, clock())
    assert "[q]" in raised.value.message
    assert left(store.count(asked("c"), clock())) == (2, 90)


def test_the_rate_is_counted_in_the_same_step(store, clock):
    rate = [RateLimitItem("forms", Rate(2, 60), "ann")]
    store.count(asked("a", rates=rate), clock())
    store.count(asked("b", 2, rates=rate), clock())
    assert refusal(store, asked("c", rates=rate), clock()) == (0, 80)
    with pytest.raises(TooManyRequests):
        store.count(asked("d", rates=rate, profile="q"), clock())
    assert left(store.count(asked("e", profile="q"), clock())) == (2, 90)


def test_a_refused_day_costs_no_rate(store, clock):
    rate = [RateLimitItem("forms", Rate(1, 60), "ann")]
    store.count(asked("a", 3), clock())
    refusal(store, asked("b", rates=rate), clock())
    store.count(QuotaRequest("c", "ann", tuple(rate), ()), clock())


def test_more_at_once_than_a_rate_ever_admits_is_the_caller_s_mistake(store, clock):
    with pytest.raises(BadRequest):
        store.count(asked("a", rates=[RateLimitItem("forms", Rate(1, 60), "ann", 2)]), clock())
    assert left(store.count(asked("b"), clock())) == (2, 90)


def test_the_same_request_twice_counts_once(store, clock):
    rate = [RateLimitItem("forms", Rate(1, 60), "ann")]
    first = store.count(asked("a", 2, rates=rate), clock())
    assert store.count(asked("a", 2, rates=rate), clock()) == first
    assert left(store.count(asked("b"), clock())) == (0, 80)


def test_what_was_not_given_is_given_back_once_and_its_rate_stays_counted(store, clock):
    rate = [RateLimitItem("forms", Rate(1, 60), "ann")]
    store.count(asked("a", 2, 50, rates=rate), clock())
    store.count(asked("b", 1, 10), clock())
    for _ in range(2):
        store.give_back(asked("a", 2, 50), clock())
    assert left(store.count(asked("c", 1, 10), clock())) == (1, 80)
    with pytest.raises(TooManyRequests):
        store.count(asked("d", rates=rate), clock())


def test_what_was_never_counted_is_not_given_back(store, clock):
    store.count(asked("a"), clock())
    store.give_back(asked("b"), clock())
    assert left(store.count(asked("c"), clock())) == (1, 80)


def test_what_is_given_back_never_makes_less_than_nothing(store, clock):
    store.count(asked("a", 1, 10), clock())
    store.give_back(asked("a", 2, 20), clock())
    assert left(store.count(asked("b"), clock())) == (2, 90)


RATES = (("forms", Rate(5, 3600)), ("forms of networks", Rate(3, 3600)))
MOST = {"p": (4, 50), "q": (2, None), "s": (None, 30)}
AMOUNTS = st.tuples(st.integers(1, 3), st.integers(0, 30))
WANTED = st.tuples(
    st.sampled_from(["ann", "bob"]),
    st.lists(st.sampled_from(RATES), max_size=2, unique=True),
    st.dictionaries(st.sampled_from(sorted(MOST)), AMOUNTS, max_size=3),
)


@st.composite
def stories(draw):
    """Some requests, and what happens to them: taken, taken again, given back, in any order."""
    requests = [
        QuotaRequest(
            f"request-{number}",
            owner,
            tuple(RateLimitItem(*rate, owner) for rate in rates),
            tuple(QuotaItem(profile, *MOST[profile], *amounts) for profile, amounts in wanted.items()),
        )
        for number, (owner, rates, wanted) in enumerate(draw(st.lists(WANTED, min_size=1, max_size=12)))
    ]
    happens = st.tuples(st.sampled_from(["take", "take", "take", "give back"]), st.sampled_from(requests))
    return draw(st.lists(happens, max_size=30))


def outcome(store, what, request, now):
    """What a store says of it, but for the time of day."""
    if what == "give back":
        return store.give_back(request, now)
    try:
        return [day[:2] for day in store.count(request, now)]
    except QuotaExceeded as error:
        return error.message.partition("; it begins")[0], dict(error.details["quota"], resetsAt="")
    except UploadError as error:
        return error.code, error.message


@given(story=stories())
@effort(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_asked_both_say_the_same(server, story):
    memory, redis = MemoryStore(CHINA), redis_store(server)
    # Redis goes by its own clock; the memory's is the same here, or midnight would tell them apart.
    now = datetime.now(UTC)
    for what, request in story:
        assert outcome(memory, what, request, now) == outcome(redis, what, request, now)
