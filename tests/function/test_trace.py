"""Reading of traceparent headers."""

from function.request_log import readable_traceparent
from tests.support.cases import cases_beside

cases = cases_beside(__file__)

GOOD = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@cases("given")
def test_a_valid_traceparent_is_returned_unchanged(given):
    assert readable_traceparent(given) == given


def test_additions_of_later_traceparent_versions_are_dropped():
    assert readable_traceparent("01" + GOOD[2:] + "-more.of-it") == "01" + GOOD[2:]


@cases("given")
def test_an_invalid_traceparent_is_ignored(given):
    assert readable_traceparent(given) is None
