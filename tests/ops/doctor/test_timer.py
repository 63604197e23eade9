"""The timer, as its records show it: what is late, and a record that a tick removes."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from function.app import Function, load_settings
from function.context import Dependencies
from function.oss import due
from function.oss.client import budget
from function.sts.session_policy import OBJECTS
from local.cloud import BUCKET
from ops.doctor.findings import State
from ops.doctor.identity import assume
from ops.doctor.timer import LATE, PAUSE_SECONDS, WAIT_SECONDS, check_timer, client_of, may_be_due
from tests.ops.doctor.conftest import KEYS
from tests.support.cases import profile_toml

HELD = profile_toml(
    "post", "posts", "{owner}/{id}", max_size=9, content_types=["image/png"], confirm=True, hold=["commit"]
)


class Timer:
    """A deployment that holds objects, its due records, and a doctor who looks at them."""

    def __init__(self, here, environ):
        environ = {**here.environ, **environ}
        self.settings, self.now = load_settings(environ), datetime.now(UTC).replace(second=30)
        self.function = Function(Dependencies(environ))
        self.objects = here.cloud.oss.bucket.objects
        self.oss = client_of(self.settings, assume(self.settings, OBJECTS, KEYS, self.now), self.now)
        self.slept = []

    def write(self, kind, ago):
        return due.write(self.oss, kind, "", "0123456789abcdef", self.now - ago, {}, self.now)

    @property
    def records(self):
        return [key for key, _ in self.objects.items() if key.startswith("held/.due/")]

    def ticks_after(self, seconds):
        def sleep(pause):
            self.slept.append(pause)
            if sum(self.slept) >= seconds:
                for name in self.records:
                    self.objects.delete(name)

        return sleep

    def found(self, sleep=None, settings=None):
        settings = settings or self.settings
        return [check_timer(settings, KEYS, self.now, sleep)] if may_be_due(settings) else []


@pytest.fixture
def timer(here, profiles, monkeypatch):
    timer = Timer(here, {**profiles(HELD), "CALLBACK_URL": ""})
    # A pause takes its seconds of a budget.
    monkeypatch.setattr("ops.doctor.timer.budget", lambda: budget(lambda: sum(timer.slept)))
    yield timer
    for name in timer.records:
        timer.objects.delete(name)


def test_a_known_record_that_is_late_is_a_warning(timer):
    timer.write("decision", timedelta(minutes=61))
    timer.write("webhook", timedelta(minutes=30))
    (finding,) = timer.found()
    assert finding.state is State.UNSURE and "2 " in finding.said.en and "60" in finding.said.en
    # Nothing is waited for then.
    assert timer.found(timer.ticks_after(0))[0].state is State.UNSURE and timer.slept == []


def test_records_that_are_due_now_or_later_or_unknown_are_not_late(timer):
    timer.write("decision", LATE - timedelta(minutes=2))
    timer.write("check", -timedelta(minutes=5))
    timer.write("newer", timedelta(days=1))
    (finding,) = timer.found()
    assert finding.state is State.GOOD


def test_a_tick_is_waited_for_and_shows_itself_by_what_it_removes(timer):
    (finding,) = timer.found(timer.ticks_after(60))
    assert (finding.state, sum(timer.slept), timer.records) == (State.GOOD, 60, [])


def test_without_a_tick_the_record_is_taken_back_and_that_is_bad(timer):
    (finding,) = timer.found(timer.ticks_after(WAIT_SECONDS + PAUSE_SECONDS))
    assert (finding.state, sum(timer.slept), timer.records) == (State.BAD, WAIT_SECONDS, [])
    assert "make deploy" in finding.remedy.en


def test_where_nothing_can_be_due_nothing_is_looked_for(timer, here):
    read = {"Effect": "Allow", "Action": ["oss:GetObject"], "Resource": [f"acs:oss:*:*:{BUCKET}/posts/*"]}
    for policies in ({}, {timer.settings.home.session(OBJECTS): json.dumps({"Statement": [read]})}):
        assert timer.found(settings=timer.settings._replace(session_policies=policies)) == []


def test_a_role_that_may_not_list_is_mended_by_setup(timer, here):
    document = json.loads(timer.settings.session_policies[timer.settings.home.session(OBJECTS)])
    document["Statement"] = [each for each in document["Statement"] if "Condition" not in each]
    policies = {timer.settings.home.session(OBJECTS): json.dumps(document)}
    (finding,) = timer.found(settings=timer.settings._replace(session_policies=policies))
    assert finding.state is State.UNSURE and "manage.py setup" in finding.remedy.en
    policies = {timer.settings.home.session(OBJECTS): f"{BUCKET}/held/.due/* and no document"}
    (finding,) = timer.found(settings=timer.settings._replace(session_policies=policies))
    assert finding.state is State.BAD


def test_a_failure_of_another_kind_is_not_mended_by_setup(timer, here):
    here.cloud.oss.faults.plan("status_500", times=9, on=["ListObjectsV2"])
    (finding,) = timer.found()
    here.cloud.oss.faults.clear()
    assert finding.state is State.UNSURE and "manage.py setup" not in finding.remedy.en
