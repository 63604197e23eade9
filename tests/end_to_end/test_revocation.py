"""The local WeChat pushes a revocation, and the timer of the local cloud erases what the user stored."""

from contextlib import ExitStack

import alibabacloud_oss_v2 as oss
import pytest
import requests

from function.app import Function, load_settings
from function.auth import owner_of
from function.context import Dependencies
from handler import serve
from local.cloud import LocalCloud
from local.fc.gateway import FcGateway
from ops.account.oss_client import client_at, operator_keys

EVENTS = "user_authorization_revoke,user_authorization_cancellation"


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    place, settings = {}, {"ERASE": "true", "ERASE_ON": EVENTS}
    with ExitStack() as stack:
        gateway = FcGateway(lambda event, context: serve(place["function"], event, context))
        stack.callback(gateway.stop)
        folder = tmp_path_factory.mktemp("objects")
        cloud = stack.enter_context(LocalCloud(gateway, folder, "wechat", extra_settings=settings))
        place["function"] = Function(Dependencies(cloud.environment(), now=cloud.clock))
        gateway.start()
        yield cloud


@pytest.fixture
def cloud(running):
    yield running
    running.reset()


@pytest.mark.parametrize("written", ["json", "xml"])
def test_a_pushed_revocation_erases_one_user(cloud, written):
    environ = cloud.environment()
    settings = load_settings(environ)
    client = client_at(settings.home, operator_keys(environ))
    users = [f"openid-{written}", f"another-{written}"]
    keys = [f"avatars/{owner_of(user, settings.owner_secret)}/a.png" for user in users]
    for key in keys:
        client.put_object(oss.PutObjectRequest(settings.bucket, key, body=b"x"))
    pushed = {"openid": users[0], "format": written, "times": 2}
    answer = requests.post(f"{cloud.wechat.origin}/-/revocation", json=pushed, timeout=60)
    assert answer.status_code == 200, answer.text
    cloud.idle().let_minutes_pass(2)
    assert [client.is_object_exist(settings.bucket, key) for key in keys] == [False, True]
    deliveries = requests.get(f"{cloud.business.origin}/deliveries", timeout=60).json()["deliveries"]
    assert [each["times"] for each in deliveries if each["event"] == "revoked"][0] == 2
