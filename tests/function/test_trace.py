"""Reading of traceparent headers."""

import pytest

from function.request_log import readable_traceparent

GOOD = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@pytest.mark.parametrize(
    "given",
    [GOOD, GOOD[:-2] + "00", "fe" + GOOD[2:], "00-" + "0" * 31 + "1-" + "0" * 15 + "1-ff"],
)
def test_a_valid_traceparent_is_returned_unchanged(given):
    assert readable_traceparent(given) == given


def test_additions_of_later_traceparent_versions_are_dropped():
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
def test_an_invalid_traceparent_is_ignored(given):
    assert readable_traceparent(given) is None
