"""capacity: the phones that a deployment carries, by what Function Compute grants."""

import re

import pytest

from ops.doctor.capacity import BURST, PLAIN, check_capacity, phones
from ops.doctor.findings import State


@pytest.mark.parametrize(
    ("kind", "limit", "region", "expected"),
    [
        (PLAIN, 100, "cn-hangzhou", (90, 9_000)),
        (BURST, 100, "cn-hangzhou", (1_800, 27_000)),
        (BURST, 300, "cn-shenzhen", (5_400, 81_000)),
        # Where 100 may start at once, no more are there for those who come at one instant.
        (PLAIN, 300, "cn-hongkong", (100, 10_000)),
        (PLAIN, 100, "ap-southeast-1", (90, 9_000)),
    ],
)
def test_nine_tenths_of_the_account_s_instances_carry_phones(kind, limit, region, expected):
    assert phones(kind, limit, region) == expected


def test_doctor_says_both_limits_unless_it_knows_the_account_s(here):
    both, known = check_capacity("cn-hangzhou"), check_capacity("cn-hangzhou", (300,))
    for language in ("en", "zh"):
        numbers = both.said.say(language).replace("，", " ").replace("；", " ")
        assert re.findall(r"\d[\d,]*(?=\b|$)", numbers.replace("BURST=1", "")) == [
            *("100", "90", "9,000", "100", "1,800", "27,000"),
            *("300", "270", "27,000", "300", "5,400", "81,000"),
        ]
    assert "9,000" not in known.said.en and "81,000" in known.said.en
    (finding,) = here.examine(uploads=False).of("Deployed function", State.GOOD)
    assert "Phones at one instant" in finding.check.en and both.said.en in finding.said.en
