"""The cache of credentials against a reference so simple that its rightness can be seen."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from function.errors import StsRejected, StsUnavailable
from function.sts.credentials import AccessKeys, CredentialsCache, StsCredentials

START = datetime(2026, 11, 24, 14, 0, tzinfo=UTC)
OWN = AccessKeys("STS.own", "s", None)
LONGEST = timedelta(seconds=360)
SECONDS = st.integers(0, 1500).map(lambda seconds: timedelta(seconds=seconds))


@dataclass
class Reference:
    """What the cache should do, in words: one set, when it should be replaced, and when it must be."""

    ends: datetime | None = None
    try_again: datetime = START

    def outcome(self, now, good_until, sts_gives):
        """``held``, ``fetched`` or ``error``; ``sts_gives`` is the life of a new set, or ``None``."""
        covers = self.ends is not None and self.ends >= good_until
        if covers and now < self.try_again:
            return "held"
        if sts_gives is not None and now + sts_gives >= good_until:
            self.ends = now + sts_gives
            # The last quarter, or a minute before the longest form is not covered; never the first quarter.
            early = min(sts_gives * 3 / 4, sts_gives - LONGEST - timedelta(minutes=1))
            self.try_again = now + max(early, sts_gives / 4)
            return "fetched"
        if covers:
            self.try_again = now + timedelta(seconds=30)
            return "held"
        return "error"


class CacheAndReference(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.now = START
        self.sts_gives = timedelta(seconds=900)
        self.error = StsUnavailable("x")
        self.calls = 0
        self.reference = Reference()
        self.cache = CredentialsCache(self.assume_role, LONGEST)

    def assume_role(self, own, now, *, attempts):
        assert own is OWN
        assert now == self.now
        self.calls += 1
        assert attempts == (1 if self.was_covered else 2), (
            "who still has a good set must not wait for a second attempt"
        )
        if self.sts_gives is None:
            raise self.error
        return StsCredentials(f"STS.{self.calls}", "s", "t", now + self.sts_gives)

    @rule(life=st.sampled_from([900, 901, 1000, 3600]).map(lambda seconds: timedelta(seconds=seconds)))
    def sts_is_well(self, life):
        self.sts_gives = life

    @rule(error=st.sampled_from([StsUnavailable("x"), StsRejected("x")]))
    def sts_fails(self, error):
        self.sts_gives, self.error = None, error

    @rule(life=st.integers(-10, 400).map(lambda seconds: timedelta(seconds=seconds)))
    def sts_gives_too_little(self, life):
        self.sts_gives = life

    @rule(passed=SECONDS)
    def time_passes(self, passed):
        self.now += passed

    @rule(back=st.integers(1, 600).map(lambda seconds: timedelta(seconds=seconds)))
    def the_clock_is_set_back(self, back):
        self.now -= back

    @rule()
    def the_window_opens(self):
        self.now = max(self.now, self.reference.try_again)

    @precondition(lambda self: self.reference.ends is not None)
    @rule(off=st.integers(-1, 1))
    def the_last_moment_comes(self, off):
        self.now = self.reference.ends - LONGEST + timedelta(seconds=off)

    @rule(form=st.sampled_from([60, 120, 359, 360]).map(lambda seconds: timedelta(seconds=seconds)))
    def someone_asks(self, form):
        self.good_until = self.now + form
        calls = self.calls
        self.was_covered = self.reference.ends is not None and self.reference.ends >= self.good_until
        wanted = self.reference.outcome(self.now, self.good_until, self.sts_gives)
        try:
            credentials, refreshed = self.cache.get(lambda: OWN, now=self.now, good_until=self.good_until)
        except (StsUnavailable, StsRejected):
            assert wanted == "error"
            return
        assert wanted == ("fetched" if refreshed else "held")
        assert credentials.expires_at == self.reference.ends
        assert credentials.expires_at >= self.good_until, "a form would outlive its credentials"
        assert self.calls - calls <= 1

    @invariant()
    def nothing_is_left_in_flight(self):
        assert self.cache._flight is None


TestCacheAndReference = CacheAndReference.TestCase
TestCacheAndReference.settings = settings(
    max_examples=60, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
)
