"""trace: what of a traceparent header is taken."""

import pytest

from function.request_log import readable_traceparent

GOOD = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@pytest.mark.parametrize(
    "given",
    [GOOD, GOOD[:-2] + "00", "fe" + GOOD[2:], "00-" + "0" * 31 + "1-" + "0" * 15 + "1-ff"],
)
def test_a_traceparent_is_taken_as_it_is(given):
    assert readable_traceparent(given) == given


def test_what_a_later_version_has_behind_the_flags_is_left_out():
    assert readable_traceparent("01" + GOOD[2:] + "-more.of-it") == "01" + GOOD[2:]


@pytest.mark.parametrize(
    "given",
    [
        "",
        GOOD.upper(),
        GOOD[:-1],
        GOOD + "0",
        GOOD + "-more",
        GOOD + "\n",
        "ff" + GOOD[2:],
        "01" + GOOD[2:] + "-a b",
        "01" + GOOD[2:] + ".a",
        GOOD.replace("4bf92f3577b34da6a3ce929d0e0e4736", "0" * 32),
        GOOD.replace("00f067aa0ba902b7", "0" * 16),
        GOOD.replace("-", "_"),
        '{"a":1}',
    ],
)
def test_what_is_none_is_not(given):
    assert readable_traceparent(given) is None
