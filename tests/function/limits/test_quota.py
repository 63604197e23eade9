"""Quotas: the items of a request and what is left of a day."""

from contextlib import nullcontext
from datetime import UTC, datetime, timedelta

import pytest

from function.config.profiles import read_profiles
from function.errors import BadRequest
from function.limits.quota import QuotaItem, Remaining, exceeded, quota_items

RESET = datetime(2026, 11, 24, 16, 0, 0, tzinfo=UTC)


def profile(name="p", **quotas):
    lines = "".join(f"{option} = {value}\n" for option, value in quotas.items())
    text = f'[{name}]\nkey = "a/{{owner}}/{{id}}"\nmax_size = 10\ncontent_types = ["*/*"]\n{lines}'
    profiles, problems = read_profiles(text, default_signature="v4")
    assert not problems
    return profiles[name]


def test_files_are_added_up_by_profile_where_it_has_a_quota():
    first, second = profile("a", files_per_day=3, bytes_per_day=30), profile("b", files_per_day=1)
    forms = [(first, 10), (profile("free"), 10), (second, 7), (first, 1)]
    assert quota_items(forms) == (QuotaItem("a", 3, 30, 2, 11), QuotaItem("b", 1, None, 1, 7))
    assert quota_items([(profile("free"), 10)]) == quota_items([]) == ()


@pytest.mark.parametrize(("quotas", "sizes", "fits"), [
    ({"files_per_day": 2}, [10, 10], True),
    ({"files_per_day": 2}, [1, 1, 1], False),
    ({"bytes_per_day": 11}, [10, 1], True),
    ({"bytes_per_day": 11}, [10, 2], False)
])  # fmt: skip
def test_more_than_any_day_holds_is_a_bad_request(quotas, sizes, fits):
    one = profile(**quotas)
    with nullcontext() if fits else pytest.raises(BadRequest):
        assert len(quota_items([(one, size) for size in sizes])) == 1


@pytest.mark.parametrize(("seconds_left", "wait"), [(7200, 7200), (1, 1), (1.001, 2), (0, 1)])
def test_a_refusal_has_the_rest_and_the_time_to_wait(seconds_left, wait):
    rest = Remaining(0, None, RESET)
    error = exceeded(QuotaItem("p", 5, None, 1, 1), rest, RESET - timedelta(seconds=seconds_left))
    assert (error.status, error.code, error.retry_after) == (429, "quota_exceeded", wait)
    assert error.details == {"quota": rest.as_json()}
