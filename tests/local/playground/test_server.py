"""The page over HTTP: its files, its addresses, and the actions that it asks for on the cloud behind it."""

from types import SimpleNamespace

import pytest

from local.oss.lifecycle import LifecycleRule
from local.oss.server import OssServer
from local.playground.server import PlaygroundServer, actions_of
from tests.local.site import exchange, put_object
from tests.support.cases import cases_beside

cases = cases_beside(__file__)

FILES = {
    "page/index.html": "<h1>页</h1>",
    "page/assets/app.js": "1",
    "page/data.unknown": "\0",
    "page/.hidden": "secret",
    "client/index.js": "client",
    "secret.txt": "secret",
    "page-secret/a.txt": "secret",
}


@pytest.fixture
def done():
    return []


@pytest.fixture
def get(tmp_path, done, started):
    """One call of a playground, whose one action takes the kind ``drop``: status, headers and body."""
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, "utf-8")
    (tmp_path / "page" / "link.txt").symlink_to(tmp_path / "secret.txt")

    def act(wanted):
        if wanted["kind"] != "drop":
            raise ValueError(wanted)
        done.append(wanted)

    folders = tmp_path / "page", tmp_path / "client"
    about = (lambda: {"function": "http://f"}), "http://oss/{0}?{1}".format, {"/fault.json": act}
    running = started(PlaygroundServer(*folders, *about))

    def get(target, method="GET", body=None, headers=None):
        return exchange(running.origin, method, target, body, headers)

    get.origin = running.origin
    return get


@cases("target", "content_type", "body")
def test_serves_the_page_the_client_and_the_addresses(get, target, content_type, body):
    status, headers, seen = get(target)
    assert (status, headers["Content-Type"], seen) == (200, content_type, body)
    assert headers["Cache-Control"] == "no-store"
    # No other origin may read a signed URL.
    assert not [name for name in headers if name.startswith("Access-Control")]


@cases("target", "body", "headers", "status")
def test_invalid_requests_get_their_status_and_do_nothing(get, done, target, body, headers, status):
    assert get(target, "POST", body, headers)[0] == status
    assert done == []


@cases("target")
def test_finds_nothing_outside_its_two_folders(get, target):
    status, _, body = get(target)
    assert status == 404 and b"secret" not in body


# --- what the page may do to the cloud behind it


@pytest.fixture
def cloud(tmp_path, clock):
    """The services that the page can change, and the minutes that it had pass."""
    cloud = SimpleNamespace(
        oss=OssServer(None, "b", "cn-hangzhou", tmp_path, now=clock),
        archive=OssServer(None, "archive", "cn-shanghai", tmp_path / "archive", now=clock),
    )
    services = [*vars(cloud).values()]
    cloud.minutes = []
    yield cloud
    for service in services:
        service.stop()


@pytest.fixture
def act(cloud):
    actions = actions_of((cloud.oss, cloud.archive), cloud.minutes.append)
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


@cases("path", "wanted")
def test_an_invalid_action_is_refused_and_changes_nothing(act, cloud, path, wanted):
    with pytest.raises((ValueError, TypeError, KeyError, AttributeError)):
        act(path, wanted)
    assert cloud.minutes == []
    assert taken(cloud.oss) is taken(cloud.archive) is None


def test_minutes_pass_for_the_cloud_and_days_in_every_bucket(act, cloud, clock):
    for count in (1, 1440):
        act("/minutes.json", {"minutes": count})
    assert cloud.minutes == [1, 1440]
    for store in (cloud.oss, cloud.archive):
        store.bucket.lifecycle.replace([LifecycleRule("held", "held/", True, days=2)], clock())
        for key in ("held/a.png", "b.png"):
            put_object(store.objects, key, clock())
    for days, left in ((1, {"held/a.png", "b.png"}), (2, {"b.png"})):
        act("/days.json", {"days": days})
        assert set(cloud.oss.objects) == set(cloud.archive.objects) == left
