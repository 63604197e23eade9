"""What signs for one bucket, tried on another: refused by the local cloud, and told where it is not."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from function.app import load_settings
from function.credentials import AccessKeys
from local.buckets import ACTIONS, ARCHIVE, HOME, LISTS
from local.cloud import FUNCTION_KEY
from ops.doctor.cross_bucket import check_strangers, strangers
from ops.doctor.findings import State
from ops.doctor.forms import forms_signed_here
from ops.doctor.identity import check_sts
from ops.doctor.places import each_place
from ops.doctor.uploads import Uploads
from tests.ops.words import in_english

KEYS = AccessKeys(FUNCTION_KEY.access_key_id, FUNCTION_KEY.access_key_secret, None)
WIDE = {"Version": "1", "Statement": [{"Effect": "Allow", "Action": [*ACTIONS, *LISTS], "Resource": ["*"]}]}


@pytest.fixture
def sessions(here):
    """The settings, the places, the instant, and the keys behind the forms of each."""
    settings, now = load_settings(here.both), datetime.now(UTC)
    places = each_place(settings)
    found = {there.home: check_sts(there, KEYS, now)[0] for there in places}
    return settings, places, now, found


@pytest.fixture
def course(sessions):
    """What was uploaded into the second bucket."""
    _, places, now, found = sessions
    there = places[1]
    course = Uploads(there, forms_signed_here(there, found[there.home], now), now)
    course.check_profile(there.profiles["contract"])
    yield course
    course.remove(KEYS)


def test_each_bucket_has_a_session_that_writes_and_one_that_reads(sessions):
    _, places, now, found = sessions
    home, archive = strangers(places, found, KEYS, now)
    assert (home.bucket, archive.bucket) == (HOME.bucket, ARCHIVE.bucket)
    assert home.uploads == found[places[0].home] != home.objects


def test_a_bucket_with_an_unusable_role_has_no_stranger(sessions):
    _, places, now, found = sessions
    del found[places[1].home]
    assert [one.bucket for one in strangers(places, found, KEYS, now)] == [HOME.bucket]


@pytest.mark.parametrize("reads", [False, True], ids=["no profile reads", "STS refuses"])
def test_without_a_session_that_reads_the_one_that_writes_is_tried(sessions, here, reads):
    _, places, now, found = sessions
    home = places[0] if reads else places[0]._replace(session_policies={})
    if reads:
        here.cloud.sts.faults.plan("rejected")
    [stranger] = strangers([home], found, KEYS, now)
    assert stranger.objects == stranger.uploads


def test_the_keys_of_another_bucket_are_refused(sessions, course):
    _, places, now, found = sessions
    [finding] = check_strangers(course, strangers(places, found, KEYS, now))
    assert (finding.check.en, finding.state) == ("Keys of local-bucket", State.GOOD)


def test_those_of_the_same_bucket_are_no_strangers(sessions, course):
    _, places, now, found = sessions
    assert [*check_strangers(course, strangers(places[1:], found, KEYS, now))] == []


def test_a_session_that_writes_to_another_bucket_is_found_and_cleaned_up(sessions, course):
    _, places, now, found = sessions
    [stranger] = strangers(places[:1], found, KEYS, now)
    stranger = stranger._replace(uploads=found[places[1].home])
    [finding] = check_strangers(course, [stranger])
    assert (finding.check.en, finding.state) == ("Keys of local-bucket", State.BAD)
    assert "contracts/doctor/" in finding.said.en and "was taken" in finding.said.en
    assert "bucket policy" in " ".join(in_english([finding.remedy]))
    assert len(course.keys_left) == 2
    assert course.remove(KEYS).state is State.GOOD


def test_a_session_that_reads_elsewhere_too_is_found(sessions, course):
    _, places, now, found = sessions
    here_and_there = strangers(places, found, KEYS, now)
    stranger = here_and_there[0]._replace(objects=here_and_there[1].objects)
    [finding] = check_strangers(course, [stranger])
    assert (finding.check.en, finding.state) == ("Keys of local-bucket", State.BAD)
    assert finding.said.en.startswith("GET: HTTP 200")


def test_a_role_that_may_more_does_not_widen_its_sessions(here):
    """The session's own document holds, whatever the role may do."""
    roles, before = here.cloud.sts.roles, dict(here.cloud.sts.roles)
    roles.update({arn: replace(role, policy=WIDE) for arn, role in before.items()})
    try:
        findings = here.examine(environ=here.both)
    finally:
        roles.update(before)
    assert {one.state for one in findings} == {State.GOOD}
    assert len(findings.of("Keys behind forms, Keys of")) == 2
