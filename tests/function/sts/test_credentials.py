"""sts.credentials: early when possible, late when necessary, once at a time."""

import threading
from datetime import timedelta

import pytest

from function.errors import StsRejected, StsUnavailable
from function.http.client import ExchangeFailed
from function.sts import credentials as cache_module
from function.sts.credentials import AccessKeys, CredentialsCache, StsCredentials

OWN = AccessKeys("STS.own", "s", "t")
FORM = timedelta(seconds=360)


class Sts:
    """STS as the cache sees it: counts calls, answers or fails as told."""

    def __init__(self, clock, life=timedelta(hours=1)):
        self.clock = clock
        self.life = life
        self.error = None
        self.asked = []

    def __call__(self, own, now, *, attempts):
        assert own is OWN
        self.asked.append((now, attempts))
        if self.error:
            raise self.error
        return StsCredentials(f"STS.{len(self.asked)}", "s", "t", now + self.life)


@pytest.fixture
def sts(clock):
    return Sts(clock)


@pytest.fixture
def cache(sts):
    return CredentialsCache(sts)


def fetch(cache, clock, seconds_left=None):
    return cache.get(lambda: OWN, now=clock(), good_until=clock() + FORM, seconds_left=seconds_left)


@pytest.fixture
def get(cache, clock):
    def ask():
        credentials, refreshed = fetch(cache, clock)
        return credentials.access_key_id, refreshed

    return ask


@pytest.mark.parametrize("error", [StsUnavailable(reason="busy"), StsRejected("x", reason="busy")])
def test_keeps_usable_credentials_when_an_early_refresh_fails(get, sts, clock, error, caplog):
    get()
    clock.tick(minutes=46)
    sts.error = error
    assert get() == ("STS.1", False)
    assert len(sts.asked) == 2
    (record,) = caplog.records
    assert record.name == "oss_direct_upload"
    assert record.getMessage().endswith("until 2026-11-24T15:00:00+00:00: busy")


def test_an_early_refresh_is_tried_once_and_not_by_every_request(get, sts, clock):
    get()
    clock.tick(minutes=46)
    sts.error = StsUnavailable(reason="x")
    for _ in range(100):
        get()
    assert [attempts for _, attempts in sts.asked] == [2, 1]
    sts.error = None
    clock.tick(seconds=31)
    assert get() == ("STS.3", True)


def test_fresh_credentials_too_short_do_not_replace_a_good_set(get, sts, clock):
    get()
    clock.tick(minutes=46)
    sts.life = timedelta(seconds=5)
    assert get() == ("STS.1", False)
    sts.error = StsUnavailable(reason="x")
    assert get() == ("STS.1", False)


@pytest.mark.parametrize(("session", "longest_form", "first_try"), [
    (3600, 360, 2700), (3600, 660, 2700), (3600, 960, 2580), (900, 360, 480), (900, 60, 675), (900, 899, 225)
])  # fmt: skip
def test_the_longest_form_gets_early_tries_too(clock, session, longest_form, first_try):
    """Seconds from a fetch to the first early refresh: the last quarter, or sooner where that is too late."""
    sts = Sts(clock, timedelta(seconds=session))
    cache = CredentialsCache(sts, timedelta(seconds=longest_form))
    start = clock()

    def ask_at(second):
        clock.instant = start + timedelta(seconds=second)
        cache.get(lambda: OWN, now=clock(), good_until=clock() + timedelta(seconds=1))
        return len(sts.asked)

    assert [ask_at(0), ask_at(first_try - 1), ask_at(first_try)] == [1, 1, 2]


class SlowSts(Sts):
    """Answers only when the test lets it."""

    def __init__(self, clock):
        super().__init__(clock)
        self.entered = threading.Event()
        self.let_go = threading.Event()

    def __call__(self, own, now, *, attempts):
        self.entered.set()
        assert self.let_go.wait(60)
        return super().__call__(own, now, attempts=attempts)


def run_threads(count, work):
    results = []

    def one():
        try:
            results.append(work())
        except StsUnavailable as error:
            results.append(error)

    threads = [threading.Thread(target=one) for _ in range(count)]
    for thread in threads:
        thread.start()
    return threads, results


def join(threads):
    for thread in threads:
        thread.join(10)
        assert not thread.is_alive()


@pytest.mark.not_for_coverage
def test_1000_concurrent_requests_on_a_cold_instance_make_one_call(clock):
    sts = SlowSts(clock)
    cache = CredentialsCache(sts)
    threads, results = run_threads(1000, lambda: fetch(cache, clock))
    assert sts.entered.wait(60)
    sts.let_go.set()
    join(threads)
    assert len(sts.asked) == 1
    assert {credentials.access_key_id for credentials, _ in results} == {"STS.1"}
    assert len(results) == 1000
    assert sum(refreshed for _, refreshed in results) == 1


def test_readers_never_wait_while_the_held_set_is_good(clock):
    sts = SlowSts(clock)
    sts.let_go.set()
    cache = CredentialsCache(sts)
    fetch(cache, clock)
    sts.entered.clear()
    sts.let_go.clear()
    clock.tick(minutes=46)
    threads, results = run_threads(1, lambda: fetch(cache, clock))
    assert sts.entered.wait(60)
    # The refresh is under way and hangs; this thread still gets the cached set at once.
    cached, refreshed = fetch(cache, clock)
    assert (cached.access_key_id, refreshed) == ("STS.1", False)
    sts.let_go.set()
    join(threads)
    assert results[0][0].access_key_id == "STS.2"


HOUR = timedelta(hours=1)


def credentials(name, expires_at):
    return StsCredentials(name, "s", "t", expires_at)


def ask(cache, now):
    found, refreshed = cache.get(lambda: OWN, now=now, good_until=now + FORM)
    return found.access_key_id, refreshed


class Overtaken(CredentialsCache):
    """A cache where another thread comes first between the look at the cached set and the boarding."""

    def __init__(self, assume_role, landed):
        super().__init__(assume_role)
        self.landed = landed

    def _join(self):
        self._cached = cache_module._Cached(*self.landed)
        return super()._join()


def test_a_set_that_landed_meanwhile_is_used_and_not_fetched_again(clock):
    now = clock()
    for life in (timedelta(minutes=6), HOUR):
        cache = Overtaken(pytest.fail, (credentials("other", now + life), now + life))
        assert ask(cache, now) == ("other", False)


class Passenger(CredentialsCache):
    """A cache where someone else's flight is under way, and lands as told."""

    def __init__(self, landed=None, error=None):
        super().__init__(pytest.fail)
        self.landed, self.error = landed, error

    def _join(self):
        flight = cache_module.SingleFlight()
        flight.run(self._outcome)
        return flight, False

    def _outcome(self):
        if self.error:
            raise self.error
        return cache_module.CredentialsResult(self.landed, True)


def test_the_result_of_another_flight_must_cover_this_form_too(clock):
    now = clock()
    short = credentials("short", now + timedelta(minutes=5))
    with pytest.raises(StsUnavailable) as raised:
        ask(Passenger(short), now)
    assert raised.value.reason == "the STS credentials expire before the form"


def test_the_failure_of_a_flight_is_shared(clock):
    error = StsRejected("x", reason="denied")
    with pytest.raises(StsRejected) as raised:
        ask(Passenger(error=error), clock())
    assert raised.value is not error, "a raised exception collects the traceback of its thread"


class Replaced(CredentialsCache):
    """A cache whose early refresh fails just after another thread has stored a newer set."""

    def __init__(self, cached, newer):
        super().__init__(pytest.fail)
        self._cached, self.newer = cached, newer

    def _refresh(self, own_keys, now, good_until):
        self._cached = self.newer
        raise StsUnavailable("x")


def test_a_failure_does_not_put_off_a_newer_set(clock):
    now = clock()
    newer = cache_module._Cached(credentials("new", now + HOUR), now + HOUR)
    cache = Replaced(cache_module._Cached(credentials("old", now + HOUR), now), newer)
    assert ask(cache, now) == ("old", False)
    assert cache._cached is newer


# --- a request that cannot wait ---


@pytest.fixture
def slow(cache, sts):
    """STS that answers when it is let go."""
    go = threading.Event()
    answer = cache.assume_role
    cache.assume_role = lambda *given, **options: go.wait(60) and answer(*given, **options)
    yield go
    go.set()


def test_a_request_waits_for_sts_until_its_deadline_and_later_ones_get_the_result(cache, clock, sts, slow):
    for left in (0.01, 0.0, -1.0):
        with pytest.raises(StsUnavailable) as raised:
            fetch(cache, clock, lambda left=left: left)
        assert "in time" in raised.value.reason
    slow.set()
    assert fetch(cache, clock).credentials.access_key_id == "STS.1"
    assert len(sts.asked) == 1


def test_a_request_that_joins_a_fetch_waits_for_it_until_its_deadline(cache, clock, sts, slow):
    with pytest.raises(StsUnavailable):
        fetch(cache, clock, lambda: 0.0)
    joined = fetch(cache, clock, lambda: slow.set() or 60.0)
    assert (joined.credentials.access_key_id, joined.are_new, len(sts.asked)) == ("STS.1", False, 1)


def test_a_fetch_that_fails_in_time_is_reported_as_it_failed(cache, clock, sts):
    sts.error = StsRejected("no", reason="NoPermission")
    with pytest.raises(StsRejected):
        fetch(cache, clock, lambda: 60.0)
    sts.error = KeyError("a mistake")
    with pytest.raises(KeyError):
        fetch(cache, clock, lambda: 60.0)
    sts.error = None
    assert fetch(cache, clock, lambda: 60.0).are_new


def test_without_a_thread_the_request_fetches_by_itself(cache, clock, no_threads):
    with no_threads():
        found = fetch(cache, clock, lambda: 60.0)
    assert found.are_new


def test_a_fetch_that_broke_off_is_not_begun_again(cache, clock, sts):
    sts.error = ExchangeFailed("broken off")
    with pytest.raises(StsUnavailable):
        fetch(cache, clock, lambda: 60.0)
    assert len(sts.asked) == 1


def test_a_request_without_time_leaves_a_fetch_that_begins_late_to_its_thread(cache, clock, sts, monkeypatch):
    begun = []
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", lambda thread: begun.append(thread))
        with pytest.raises(StsUnavailable):
            fetch(cache, clock, lambda: 0.0)
    assert sts.asked == []
    begun[0].run()
    assert not fetch(cache, clock, lambda: 0.0).are_new
    assert len(sts.asked) == 1


def test_fails_once_the_held_set_does_not_cover_a_form(get, sts, clock):
    get()
    sts.error = StsUnavailable(reason="x")
    clock.tick(minutes=54)
    assert get()[0] == "STS.1"
    clock.tick(seconds=1)
    with pytest.raises(StsUnavailable):
        get()
    assert [attempts for _, attempts in sts.asked] == [2, 1, 2]


@pytest.mark.parametrize(("minutes", "calls"), [
    (0, 1), (10, 1), (44, 1), (44.9, 1), (45, 2), (50, 2), (54, 2), (59, 2), (60, 2), (600, 2)
])  # fmt: skip
def test_calls_to_sts_by_minutes_since_the_first(get, sts, clock, minutes, calls):
    get()
    clock.tick(minutes=minutes)
    get()
    assert len(sts.asked) == calls
