"""The local WeChat pushes a revocation, and the timer of the local cloud erases what the user stored."""

import alibabacloud_oss_v2 as oss
import pytest

from function.app import load_settings
from function.auth import owner_of
from ops.account.oss_client import client_at, operator_keys
from tests.end_to_end.conftest import running_cloud

EVENTS = "user_authorization_revoke,user_authorization_cancellation"


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    with running_cloud(tmp_path_factory.mktemp("objects")) as running:
        running.start(ERASE="true", ERASE_ON=EVENTS)
        yield running


@pytest.mark.parametrize("written", ["json", "xml"])
def test_a_pushed_revocation_erases_one_user(here, written):
    cloud, environ = here.cloud, here.cloud.environment()
    settings = load_settings(environ)
    client = client_at(settings.home, operator_keys(environ))
    users = [f"openid-{written}", f"another-{written}"]
    keys = [f"avatars/{owner_of(user, settings.owner_secret)}/a.png" for user in users]
    for key in keys:
        client.put_object(oss.PutObjectRequest(settings.bucket, key, body=b"x"))
    pushed = {"openid": users[0], "format": written, "times": 2}
    answer = here.ask(f"{cloud.wechat.origin}/-/revocation", pushed)
    assert answer.status_code == 200, answer.text
    cloud.idle().let_minutes_pass(2)
    assert [client.is_object_exist(settings.bucket, key) for key in keys] == [False, True]
    deliveries = here.session.get(f"{cloud.business.origin}/deliveries", timeout=60).json()["deliveries"]
    assert [each["times"] for each in deliveries if each["event"] == "revoked"][0] == 2
