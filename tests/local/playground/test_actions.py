"""What the page may do to the cloud behind it."""

from pathlib import Path

import pytest

from local.green.server import GreenServer
from local.oss.lifecycle import LifecycleRule
from local.oss.server import OssServer
from local.oss.versions import StoredObject
from local.playground.actions import actions_of
from local.playground.profiles import told_profiles
from local.wechat.server import WechatServer
from tests.support.cases import cases_beside

cases = cases_beside(__file__)


@pytest.fixture
def oss(tmp_path, clock):
    server = OssServer(None, "b", "cn-hangzhou", tmp_path, now=clock)
    yield server
    server.stop()


@pytest.fixture
def archive(tmp_path, clock):
    server = OssServer(None, "archive", "cn-shanghai", tmp_path / "archive", now=clock)
    yield server
    server.stop()


@pytest.fixture
def wechat(clock):
    server = WechatServer("wx", "s", now=clock)
    yield server
    server.stop()


@pytest.fixture
def minutes():
    return []


@pytest.fixture
def green(clock):
    server = GreenServer(None, now=clock)
    yield server
    server.stop()


@pytest.fixture
def actions(oss, archive, wechat, green, minutes):
    return actions_of((oss, archive), wechat, green, minutes.append)


def test_a_fault_of_the_page_affects_one_form(actions, oss):
    actions["/fault.json"]({"kind": "expired_form"})
    assert oss.faults.take("PutObject") is None
    assert oss.faults.take("PostObject").kind == "expired_form"
    assert oss.faults.take("PostObject") is None


def test_a_fault_applies_to_the_named_bucket_only(actions, oss, archive):
    actions["/fault.json"]({"kind": "expired_form", "bucket": "archive"})
    assert oss.faults.take("PostObject") is None
    assert archive.faults.take("PostObject").kind == "expired_form"
    actions["/fault.json"]({"kind": "expired_form", "bucket": "b"})
    assert archive.faults.take("PostObject") is None
    assert oss.faults.take("PostObject").kind == "expired_form"


def test_a_planned_check_replaces_the_last_and_an_empty_one_resets(actions, wechat):
    actions["/mood.json"]({"verdict": "review"})
    actions["/mood.json"]({"verdict": "risky"})
    assert [wechat.checks.plan.take().verdict for _ in range(3)] == ["risky"] * 3
    actions["/mood.json"]({})
    assert wechat.checks.plan.take().verdict == "by_name"


@pytest.mark.parametrize(
    ("wanted", "verdict", "code"),
    [
        ({}, "by_name", 0),
        ({"verdict": "risky"}, "risky", 0),
        ({"verdict": "unreadable"}, "by_name", 404),
        ({"timing": "never"}, "silent", 0),
        ({"push": "bad_signature"}, "by_name", 0),
    ],
)
def test_a_planned_check_is_for_content_moderation_too(actions, green, wanted, verdict, code):
    actions["/mood.json"]({"verdict": "review"})
    actions["/mood.json"](wanted)
    planned = green.plan.take("ImageModeration")
    assert (planned.verdict, planned.code, len(green.plan.planned())) == (verdict, code, 1)


@cases("path", "wanted")
def test_an_invalid_action_is_refused_and_changes_nothing(
    actions, oss, archive, wechat, minutes, path, wanted
):
    with pytest.raises((ValueError, TypeError, KeyError, AttributeError)):
        actions[path](wanted)
    assert wechat.checks.plan.planned() == minutes == []
    assert oss.faults.take("PostObject") is archive.faults.take("PostObject") is None


@pytest.mark.parametrize("count", [1, 1440])
def test_minutes_pass_for_the_cloud(actions, minutes, count):
    actions["/minutes.json"]({"minutes": count})
    assert minutes == [count]


def test_days_pass_in_every_bucket(actions, oss, archive, clock):
    for store in (oss, archive):
        store.bucket.lifecycle.replace([LifecycleRule("held", "held/", True, days=2)], clock())
        for key in ("held/a.png", "b.png"):
            file = store.objects.new_file()
            file.close()
            stored = StoredObject(key, 0, "E", "image/png", clock(), store.objects.path_of(key))
            store.objects.store(Path(file.name), stored, forbid_overwrite=False)
    actions["/days.json"]({"days": 1})
    assert set(oss.objects) == set(archive.objects) == {"held/a.png", "b.png"}
    actions["/days.json"]({"days": 2})
    assert set(oss.objects) == set(archive.objects) == {"b.png"}


def test_the_page_gets_the_hold_steps_and_bucket_of_a_profile():
    profiles = {"post": {"key": "p/{id}", "max_size": 1, "content_types": [], "hold": ["commit"]}}
    [told] = told_profiles(profiles)
    assert (told["hold"], told["bucket"]) == (["commit"], "local-bucket")
    [told] = told_profiles({"post": {**profiles["post"], "bucket": "local-archive"}})
    assert told["bucket"] == "local-archive"


def test_the_page_gets_the_title_of_a_profile_and_any_type_where_it_names_none():
    page = {"key": "p/{filename}", "max_size": 1}
    told = told_profiles({"a": {**page, "title": "晒单"}, "b": page})
    assert [(each["title"], each["contentTypes"]) for each in told] == [("晒单", ["*/*"]), ("", ["*/*"])]
