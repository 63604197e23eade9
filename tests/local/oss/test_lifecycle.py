"""Lifecycle rules: what they delete, and when."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from local.oss.attributes import Attributes
from local.oss.lifecycle import Lifecycle, LifecycleRule
from local.oss.objects import Objects
from local.oss.uploads import Uploads
from local.oss.versions import StoredObject

EVENING = datetime(2026, 11, 24, 23, tzinfo=UTC)
DAY = timedelta(days=1)
ATTRIBUTES = Attributes("video/mp4", None, "Standard", forbid_overwrite=False)
RULE = LifecycleRule("held", "held/", True, days=1, abort_days=2)


@pytest.fixture
def objects(tmp_path):
    return Objects(tmp_path)


@pytest.fixture
def store(objects):
    def at(key, modified):
        file = objects.new_file()
        file.close()
        stored = StoredObject(key, 0, "E", "a/b", modified, objects.path_of(key))
        objects.store(Path(file.name), stored, False)
        return stored

    return at


def lifecycle_of(*rules, now=EVENING):
    lifecycle = Lifecycle()
    lifecycle.replace(rules, now)
    return lifecycle


def test_objects_below_the_prefix_expire_at_the_first_midnight_after_their_days(objects, store):
    lifecycle, uploads = lifecycle_of(RULE), Uploads()
    store("held/a", EVENING)
    store("other/a", EVENING)
    midnights = [EVENING.replace(hour=0) + days * DAY for days in (1, 2)]
    for now in (EVENING, midnights[0], midnights[1] - timedelta(seconds=1)):
        lifecycle.catch_up(objects, uploads, now)
        assert set(objects) == {"held/a", "other/a"}
    lifecycle.catch_up(objects, uploads, midnights[1])
    assert set(objects) == {"other/a"}


def test_uploads_below_the_prefix_are_aborted(objects):
    lifecycle, uploads = lifecycle_of(RULE), Uploads()
    for key in ("held/a", "other/a"):
        uploads.begin(key, ATTRIBUTES, EVENING, is_sequential=False)
    lifecycle.run(objects, uploads, EVENING + 2 * DAY - timedelta(seconds=1))
    assert len(list(uploads)) == 2
    lifecycle.run(objects, uploads, EVENING + 2 * DAY)
    assert [upload.key for upload in uploads] == ["other/a"]


def test_a_run_is_done_once_and_a_new_rule_waits_for_the_next(objects, store):
    lifecycle, uploads = lifecycle_of(now=EVENING), Uploads()
    store("held/old", EVENING - 30 * DAY)
    lifecycle.replace([RULE], EVENING)
    lifecycle.catch_up(objects, uploads, EVENING + timedelta(minutes=59))
    assert set(objects) == {"held/old"}
    lifecycle.catch_up(objects, uploads, EVENING + timedelta(hours=1))
    assert set(objects) == set()
    store("held/older", EVENING - 30 * DAY)
    lifecycle.catch_up(objects, uploads, EVENING + timedelta(hours=2))
    assert set(objects) == {"held/older"}


@pytest.mark.parametrize("rule", [LifecycleRule("r", "", False, 1, 1), LifecycleRule("r", "held/", True)])
def test_a_rule_that_is_off_or_has_no_action_does_nothing(rule, objects, store):
    uploads = Uploads()
    store("held/a", EVENING)
    uploads.begin("held/b", ATTRIBUTES, EVENING, is_sequential=False)
    lifecycle = lifecycle_of(rule)
    lifecycle.run(objects, uploads, EVENING + 99 * DAY)
    assert (len(objects), len(list(uploads))) == (1, 1)
    assert lifecycle.expiration_of(objects["held/a"]) is None


def test_an_object_tells_when_it_will_be_deleted(objects, store):
    lifecycle = lifecycle_of(LifecycleRule("parts", "", True, abort_days=1), RULE)
    assert lifecycle.expiration_of(store("other/a", EVENING)) is None
    told = 'expiry-date="Thu, 26 Nov 2026 00:00:00 GMT", rule-id="held"'
    assert lifecycle.expiration_of(store("held/a", EVENING)) == told
    midnight = store("held/b", EVENING.replace(hour=0) + DAY)
    assert lifecycle.expiration_of(midnight) == told


def test_another_object_at_the_name_is_spared(objects, store):
    old = store("held/a", EVENING)
    store("held/a", EVENING + DAY)
    objects.delete("held/a", only=old)
    assert "held/a" in objects
