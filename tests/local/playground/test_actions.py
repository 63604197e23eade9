"""What the page may do to the cloud behind it."""

from pathlib import Path
from types import SimpleNamespace

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
def cloud(tmp_path, clock):
    """The services that the page can change, and the minutes that it had pass."""
    cloud = SimpleNamespace(
        oss=OssServer(None, "b", "cn-hangzhou", tmp_path, now=clock),
        archive=OssServer(None, "archive", "cn-shanghai", tmp_path / "archive", now=clock),
        wechat=WechatServer("wx", "s", now=clock),
        green=GreenServer(None, now=clock),
    )
    services = [*vars(cloud).values()]
    cloud.minutes = []
    yield cloud
    for service in services:
        service.stop()


@pytest.fixture
def act(cloud):
    actions = actions_of((cloud.oss, cloud.archive), cloud.wechat, cloud.green, cloud.minutes.append)
    return lambda path, wanted: actions[path](wanted)


def taken(store, call="PostObject"):
    fault = store.faults.take(call)
    return fault and fault.kind


def test_a_fault_of_the_page_affects_one_form_of_the_first_or_the_named_bucket(act, cloud):
    for named, struck, spared in (
        ({}, cloud.oss, cloud.archive),
        ({"bucket": "archive"}, cloud.archive, cloud.oss),
        ({"bucket": "b"}, cloud.oss, cloud.archive),
    ):
        act("/fault.json", {"kind": "expired_form", **named})
        assert (taken(spared), taken(struck, "PutObject")) == (None, None)
        assert [taken(struck), taken(struck)] == ["expired_form", None]


def test_a_planned_check_replaces_the_last_and_an_empty_one_resets(act, cloud):
    act("/mood.json", {"verdict": "review"})
    act("/mood.json", {"verdict": "risky"})
    assert [cloud.wechat.checks.plan.take().verdict for _ in range(3)] == ["risky"] * 3
    act("/mood.json", {})
    assert cloud.wechat.checks.plan.take().verdict == "by_name"


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
def test_a_planned_check_is_for_content_moderation_too(act, cloud, wanted, verdict, code):
    act("/mood.json", {"verdict": "review"})
    act("/mood.json", wanted)
    planned = cloud.green.plan.take("ImageModeration")
    assert (planned.verdict, planned.code, len(cloud.green.plan.planned())) == (verdict, code, 1)


@cases("path", "wanted")
def test_an_invalid_action_is_refused_and_changes_nothing(act, cloud, path, wanted):
    with pytest.raises((ValueError, TypeError, KeyError, AttributeError)):
        act(path, wanted)
    assert cloud.wechat.checks.plan.planned() == cloud.minutes == []
    assert taken(cloud.oss) is taken(cloud.archive) is None


def test_minutes_pass_for_the_cloud_and_days_in_every_bucket(act, cloud, clock):
    for count in (1, 1440):
        act("/minutes.json", {"minutes": count})
    assert cloud.minutes == [1, 1440]
    for store in (cloud.oss, cloud.archive):
        store.bucket.lifecycle.replace([LifecycleRule("held", "held/", True, days=2)], clock())
        for key in ("held/a.png", "b.png"):
            with store.objects.new_file() as file:
                stored = StoredObject(key, 0, "E", "image/png", clock(), store.objects.path_of(key))
            store.objects.store(Path(file.name), stored, forbid_overwrite=False)
    for days, left in ((1, {"held/a.png", "b.png"}), (2, {"b.png"})):
        act("/days.json", {"days": days})
        assert set(cloud.oss.objects) == set(cloud.archive.objects) == left


def test_the_page_gets_hold_bucket_title_and_types_of_a_profile():
    plain = {"key": "p/{filename}", "max_size": 1}
    more = {"content_types": [], "hold": ["commit"], "bucket": "local-archive", "title": "晒单"}
    first, second = told_profiles({"a": plain, "b": {**plain, **more}})
    names = ("hold", "bucket", "title", "contentTypes")
    assert [second[name] for name in names] == [["commit"], "local-archive", "晒单", []]
    assert [first[name] for name in names[1:]] == ["local-bucket", "", ["*/*"]]
