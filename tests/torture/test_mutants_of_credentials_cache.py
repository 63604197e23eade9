"""What a wrong version of credentials_cache.py would get away with otherwise: races, bounds, the log."""

from datetime import timedelta

import pytest

from function import credentials as cache_module
from function.credentials import AccessKeys, CredentialsCache, StsCredentials
from function.errors import StsRejected, StsUnavailable

OWN = AccessKeys("own", "secret", "token")
HOUR = timedelta(hours=1)


def credentials(name, expires_at):
    return StsCredentials(name, "s", "t", expires_at)


def ask(cache, now, form=timedelta(minutes=6)):
    found, refreshed = cache.get(lambda: OWN, now=now, good_until=now + form)
    return found.access_key_id, refreshed


def refuse(*_arguments, **_options):
    raise StsUnavailable("x", reason="STS is busy")


class Overtaken(CredentialsCache):
    """A cache where another thread comes first between the look at the held set and the boarding."""

    def __init__(self, assume_role, landed):
        super().__init__(assume_role)
        self.landed = landed

    def _board(self):
        self._held = cache_module._Held(*self.landed)
        return super()._board()


def test_a_set_that_landed_meanwhile_is_used_and_not_fetched_again(clock):
    now = clock()
    for life in (timedelta(minutes=6), HOUR):
        cache = Overtaken(pytest.fail, (credentials("other", now + life), now + life))
        assert ask(cache, now) == ("other", False)


def test_a_set_that_landed_meanwhile_but_is_too_short_is_fetched_again(clock):
    now = clock()
    cache = Overtaken(
        lambda own, now, *, attempts: credentials("new", now + HOUR),
        (credentials("other", now + timedelta(minutes=5)), now + HOUR),
    )
    assert ask(cache, now) == ("new", True)


class Passenger(CredentialsCache):
    """A cache where someone else's flight is under way, and lands as told."""

    def __init__(self, held, landed=None, error=None):
        super().__init__(pytest.fail)
        self._held = held
        self.landed, self.error = landed, error

    def _board(self):
        flight = cache_module._Flight()
        flight.credentials, flight.error, flight.fetched = self.landed, self.error, True
        flight.landed.set()
        return flight, False


def test_who_holds_too_little_waits_for_the_flight_of_another(clock):
    now = clock()
    held = cache_module._Held(credentials("old", now + timedelta(minutes=1)), now)
    assert ask(Passenger(held, credentials("new", now + HOUR)), now) == ("new", False)
    assert ask(Passenger(None, credentials("new", now + timedelta(minutes=6))), now) == ("new", False)


def test_what_another_s_flight_brought_must_cover_this_form_too(clock):
    now = clock()
    short = credentials("short", now + timedelta(minutes=5))
    with pytest.raises(StsUnavailable) as raised:
        ask(Passenger(None, short), now)
    assert raised.value.reason == "STS issued credentials that end before a form would"


def test_another_s_failure_is_this_caller_s_failure(clock):
    error = StsRejected("x", reason="denied")
    with pytest.raises(StsRejected) as raised:
        ask(Passenger(None, error=error), clock())
    assert raised.value is not error, "a raised exception collects the traceback of its thread"


class Landing(CredentialsCache):
    """A cache whose own flight ends as told."""

    def __init__(self, held, end):
        super().__init__(pytest.fail)
        self._held = held
        self.end = end

    def _fly(self, flight, own_keys, now, good_until):
        self.end(self, flight)
        flight.landed.set()


def test_a_failure_does_not_put_off_the_set_that_came_meanwhile(clock):
    now = clock()
    newer = cache_module._Held(credentials("new", now + HOUR), now + HOUR)

    def end(cache, flight):
        cache._held = newer
        flight.error = StsUnavailable("x")

    cache = Landing(cache_module._Held(credentials("old", now + HOUR), now), end)
    assert ask(cache, now) == ("old", False)
    assert cache._held is newer


def test_the_log_says_why_an_early_refresh_failed(clock, caplog):
    now = clock()
    cache = CredentialsCache(refuse)
    cache._held = cache_module._Held(credentials("old", now + HOUR), now)
    ask(cache, now)
    (record,) = caplog.records
    assert record.name == "oss_direct_upload"
    assert record.getMessage().endswith("stays in use until 2026-11-24T15:00:00+00:00: STS is busy")


def test_the_log_has_no_reason_where_a_flight_only_brought_too_little(clock, caplog):
    now = clock()

    def end(cache, flight):
        flight.credentials = credentials("short", now)

    ask(Landing(cache_module._Held(credentials("old", now + HOUR), now), end), now)
    assert caplog.records[0].getMessage().endswith("+00:00: ")


def test_a_set_that_ends_with_the_form_is_long_enough(clock):
    now = clock()
    life = timedelta(minutes=6)
    assert ask(CredentialsCache(lambda own, now, *, attempts: credentials("x", now + life)), now) == (
        "x",
        True,
    )
