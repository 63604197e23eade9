"""Objects that outlive a request, and what a request knows."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

import handler
from function import context
from function.config.types import Rate
from function.context import REQUEST_SECONDS, Dependencies, Instance, RequestContext
from function.http.client import ExchangeFailed
from function.http.gateway import Request
from function.limits.rate_limit import RateLimiter, RateLimitItem
from function.request_log import LogLine
from function.routes import ROUTES
from function.sts.credentials import CredentialsResult

# Before a test puts another in its place.
THERE = context.HOOKS_FILE
NOW = datetime(2026, 11, 24, 14, 0, 0, 900, tzinfo=UTC)


def new_instance(around=None, **settings):
    settings = SimpleNamespace(**{"quota_url": None, **settings})
    return Instance(Dependencies({}, now=lambda: NOW, **(around or {})), settings, {}, lambda _context: None)


def test_a_call_of_hooks_has_50_ms():
    assert Dependencies({}).hooks_seconds == 0.05


def test_keep_creates_one_object_of_a_kind():
    instance = new_instance()
    first, second = (instance.keep(list, lambda: ["the one"]) for _ in range(2))
    assert first is second
    assert instance.keep(dict, dict) == {}
    assert instance.keep(list, lambda: ["another"], "another") == ["another"]


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


def test_dependencies_hide_the_environment():
    assert repr(Dependencies({"TOKEN_SECRET": "canary"})) == "Dependencies(…)"


def test_hooks_are_found_beside_the_handler(monkeypatch, tmp_path):
    assert Path(handler.__file__).with_name("hooks.py") == THERE
    monkeypatch.setattr("function.context.HOOKS_FILE", tmp_path / "hooks.py")
    assert new_instance().hooks_file is None
    (tmp_path / "hooks.py").touch()
    assert new_instance().hooks_file == tmp_path / "hooks.py"


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


@pytest.mark.parametrize(("owner", "key"), [("ann", "ann"), ("public", "203.0.113.7")])
def test_callers_count_by_owner_or_by_client_ip_where_they_share_one(owner, key):
    instance = new_instance(client_address_header="x-client-ip")
    request = Request("GET", "/", {}, "", {"x-client-ip": "203.0.113.7"}, b"", "10.0.0.1")
    context = RequestContext(request, instance, LogLine("r"))
    items = context.rate_limit_items("forms", Rate(5, 60), owner, 3)
    assert items == (RateLimitItem("forms", Rate(5, 60), key, 3),)
    assert context.rate_limit_items("forms", Rate(5, 60), owner)[0].amount == 1


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


def test_no_other_budget_pays_for_the_webhook_and_the_checks():
    context = RequestContext(None, new_instance({"monotonic": lambda: 100.0}), LogLine("r"))
    assert (context.webhook_seconds, context.checker_seconds) == (0.0, 0.0)
    context.webhook_seconds, context.checker_seconds = 3.0, 4.0
    assert context.monotonic() == 93.0


def test_an_instance_without_quotas_limits_rates_alone():
    assert type(new_instance().limiter) is RateLimiter


def test_a_callback_must_be_answered_in_less_than_the_five_seconds_of_oss():
    assert {name for name, route in ROUTES.items() if route.seconds != REQUEST_SECONDS} == {"callback"}
    assert (ROUTES["callback"].seconds, REQUEST_SECONDS) == (4.5, 28.0)
