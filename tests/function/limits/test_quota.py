"""Quotas: the items of a request and what is left of a day."""

from datetime import UTC, datetime

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


@pytest.mark.parametrize(
    ("quotas", "sizes", "fits"),
    [
        ({"files_per_day": 2}, [10, 10], True),
        ({"files_per_day": 2}, [1, 1, 1], False),
        ({"bytes_per_day": 11}, [10, 1], True),
        ({"bytes_per_day": 11}, [10, 2], False),
    ],
)
def test_more_than_any_day_holds_is_a_bad_request(quotas, sizes, fits):
    one = profile(**quotas)
    forms = [(one, size) for size in sizes]
    if fits:
        assert len(quota_items(forms)) == 1
        return
    with pytest.raises(BadRequest) as raised:
        quota_items(forms)
    assert raised.value.code == "bad_request"


@pytest.mark.parametrize(
    ("used", "fits"), [((0, 0), True), ((3, 20), True), ((4, 20), False), ((3, 21), False), ((4, 21), False)]
)
def test_an_item_fits_a_day_by_files_and_by_bytes(used, fits):
    assert QuotaItem("p", 5, 30, 2, 10).fits(*used) is fits


def test_an_unlimited_number_fits_anything():
    assert QuotaItem("p", None, 30, 2, 10).fits(10**9, 0)
    assert QuotaItem("p", 5, None, 2, 10).fits(0, 10**15)


def test_the_rest_is_never_negative_and_none_where_unlimited():
    assert QuotaItem("p", 5, None, 1, 1).left(2, 99, RESET) == Remaining(3, None, RESET)
    assert QuotaItem("p", None, 30, 1, 1).left(2, 20, RESET) == Remaining(None, 10, RESET)
    assert QuotaItem("p", 5, 30, 1, 1).left(9, 99, RESET) == Remaining(0, 0, RESET)


def test_the_rest_as_json_says_when_the_day_ends():
    resets_at = "2026-11-24T16:00:00Z"
    assert Remaining(3, None, RESET).as_json() == {"filesLeft": 3, "bytesLeft": None, "resetsAt": resets_at}
    assert Remaining(None, 0, RESET).as_json() == {"filesLeft": None, "bytesLeft": 0, "resetsAt": resets_at}


@pytest.mark.parametrize(
    ("now", "wait"),
    [
        (RESET.replace(hour=14), 7200),
        (RESET.replace(hour=15, minute=59, second=59), 1),
        (RESET.replace(hour=15, minute=59, second=58, microsecond=999_000), 2),
        (RESET, 1),
    ],
)
def test_a_refusal_has_the_rest_and_the_time_to_wait(now, wait):
    error = exceeded(QuotaItem("p", 5, None, 1, 1), Remaining(0, None, RESET), now)
    assert (error.status, error.code, error.retry_after) == (429, "quota_exceeded", wait)
    quota = {"filesLeft": 0, "bytesLeft": None, "resetsAt": "2026-11-24T16:00:00Z"}
    assert error.details == {"quota": quota}
