"""Objects that outlive a request, and what a request knows."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from function.context import REQUEST_SECONDS, Dependencies, Instance, RequestContext
from function.http.client import ExchangeFailed
from function.http.gateway import Request
from function.request_log import LogLine
from function.routes import ROUTES
from function.sts.credentials import CredentialsResult

NOW = datetime(2026, 11, 24, 14, 0, 0, 900, tzinfo=UTC)


def new_instance(around=None):
    settings = SimpleNamespace(quota_url=None)
    return Instance(Dependencies({}, now=lambda: NOW, **(around or {})), settings, {}, lambda _context: None)


def test_two_threads_at_once_get_the_same_object():
    instance, made = new_instance(), []

    def make():
        time.sleep(0.1)  # in which the other gets as far
        made.append(object())
        return made[-1]

    with ThreadPoolExecutor(2) as threads:
        kept = list(threads.map(lambda _: instance.keep(object, make), range(2)))
    assert kept == made * 2
    assert instance.keep(object, make) is made[0]


def test_the_log_line_says_whether_any_session_was_refreshed():
    class Cache:
        are_new = False

        def get(self, own_keys, *, now, good_until, seconds_left):
            assert 0 < seconds_left() <= REQUEST_SECONDS
            return CredentialsResult(good_until - now, self.are_new)

    instance, cache = new_instance(), Cache()
    instance.credentials = {"session": cache}
    context = RequestContext(Request("GET", "/", {}, "", {}, b"", ""), instance, LogLine("r"))
    assert context.now == NOW.replace(microsecond=0)
    assert context.line.sts_refreshed is None
    ends = [context.now + timedelta(minutes=minutes) for minutes in (1, 9, 5)]
    for cache.are_new, noted in ((False, False), (True, True), (False, True)):
        assert context.credentials("session", ends) > timedelta(minutes=9)
        assert context.line.sts_refreshed is noted


@pytest.mark.parametrize(
    ("elapsed", "granted"), [(0.0, 3.0), (1.5, 3.0), (2.0, 2.5), (4.4, 0.1), (4.5, None), (9, None)]
)
def test_a_call_to_another_service_gets_what_is_left_of_the_deadline(elapsed, granted):
    sent = []
    around = {
        "monotonic": iter([100.0, 100.0 + elapsed]).__next__,
        "send": lambda *given, **options: sent.append((given, options)),
    }
    context = RequestContext(None, new_instance(around), LogLine("r"), 4.5)
    if granted is None:
        with pytest.raises(ExchangeFailed) as raised:
            context.send("GET", "https://a.example", budget_seconds=3.0)
        assert (raised.value.kind, sent) == ("no time left", [])
        return
    context.send("GET", "https://a.example", budget_seconds=3.0, body=b"b")
    ((given, options),) = sent
    assert (given, options["body"]) == (("GET", "https://a.example"), b"b")
    assert options["budget_seconds"] == pytest.approx(granted)


def test_a_callback_must_be_answered_in_less_than_the_five_seconds_of_oss():
    assert {name for name, route in ROUTES.items() if route.seconds != REQUEST_SECONDS} == {"callback"}
    assert (ROUTES["callback"].seconds, REQUEST_SECONDS) == (4.5, 28.0)
