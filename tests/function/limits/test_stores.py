"""Both storages of quotas count alike."""

from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st

from function.config.types import Rate
from function.errors import QuotaExceeded, UploadError
from function.limits.memory import MemoryStore
from function.limits.quota import QuotaItem, QuotaRequest
from function.limits.rate_limit import RateLimitItem
from function.limits.redis import RedisStore
from function.limits.redis_connection import Address
from tests.function.limits.requests_to_stores import PATIENCE, follow, left, quota_request, refusal
from tests.support.cases import cases_beside

cases = cases_beside(__file__)
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


@cases("steps")
def test_both_stores_count(store, clock, steps):
    follow(store, clock, steps)


def test_several_profiles_are_counted_all_or_none(store, clock):
    store.count(quota_request("a", 3, profile="q"), clock())
    both = QuotaRequest("b", "ann", (), (QuotaItem("p", 3, 100, 1, 1), QuotaItem("q", 3, 100, 1, 1)))
    with pytest.raises(QuotaExceeded) as raised:
        store.count(both, clock())
    assert "[q]" in raised.value.message
    assert left(store.count(quota_request("c"), clock())) == (2, 90)


def test_a_request_refused_by_its_quota_does_not_count_against_the_rate(store, clock):
    rate = [RateLimitItem("forms", Rate(1, 60), "ann")]
    store.count(quota_request("a", 3), clock())
    refusal(store, quota_request("b", rates=rate), clock())
    store.count(QuotaRequest("c", "ann", tuple(rate), ()), clock())


RATES = (("forms", Rate(5, 3600)), ("forms of networks", Rate(3, 3600)))
MOST = {"p": (4, 50), "q": (2, None), "s": (None, 30)}
AMOUNTS = st.tuples(st.integers(1, 3), st.integers(0, 30))
WANTED = st.tuples(
    st.sampled_from(["ann", "bob"]),
    st.lists(st.sampled_from(RATES), max_size=2, unique=True),
    st.dictionaries(st.sampled_from(sorted(MOST)), AMOUNTS, max_size=3),
)


@st.composite
def sequences(draw):
    """Requests that are counted, repeated and given back in any order."""
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
    """Result of one step, without the time of day."""
    if what == "give back":
        return store.give_back(request, now)
    try:
        return [day[:2] for day in store.count(request, now)]
    except QuotaExceeded as error:
        return error.message.partition("; it resets")[0], dict(error.details["quota"], resetsAt="")
    except UploadError as error:
        return error.code, error.message


@given(steps=sequences())
@effort(max_examples=150)
@pytest.mark.not_for_coverage
def test_both_stores_agree_on_any_sequence_of_requests(server, steps):
    memory, redis = MemoryStore(CHINA), redis_store(server)
    # Redis uses its own clock; memory must use the same one, or midnight would make a difference.
    now = datetime.now(UTC)
    for what, request in steps:
        assert outcome(memory, what, request, now) == outcome(redis, what, request, now)
