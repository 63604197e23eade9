"""Six callers at one function: each uploads as itself, and nothing of one reaches another."""

from contextlib import ExitStack
from datetime import timedelta

import pytest

from function.auth import owner_of
from function.auth.business_token import AUDIENCE, ERASURE
from function.auth.signed_tokens import issue_token
from local.callers import SAMPLES, app_of
from local.profiles import sample_profiles
from tests.end_to_end.conftest import SUNSET, Running

IDS = {
    "main": "",
    "second": "wechat:wx0000000000local1",
    "pay": "alipay:2021000000000001",
    "tt": "douyin:tt0000000000local0",
    "site": "jwt:https://site.example",
    "app": "jwt:https://app.example",
}


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    with ExitStack() as stack:
        running = Running(stack, tmp_path_factory.mktemp("objects"), "several")
        running.usual = running.start()
        yield running


def code_of(here, name, subject):
    entry = SAMPLES[name]
    return here.cloud.platforms[entry["kind"]].issue_code(subject, app_of(entry))


def token_of(here, name, subject="somebody"):
    """A token of this user at one of the callers."""
    if SAMPLES[name]["kind"] == "jwt":
        return here.cloud.business_token(subject, caller=name)
    wanted = {"code": code_of(here, name, subject), "app": app_of(SAMPLES[name])}
    return here.ask("login", wanted).json()["token"]


def stored(here, token, profile):
    """Upload and confirm a picture: what the function says of it."""
    form = here.ask("upload-params", {"profile": profile, "filename": "a.png"}, token).json()
    assert here.post(form, SUNSET).status_code == 200
    return here.ask("confirm", {"ticket": form["ticket"]}, token).json()


def backend(here, audience=AUDIENCE):
    """A token of the business for this audience."""
    claims, now = {"aud": audience}, here.cloud.clock()
    secrets = [here.cloud.token_secret]
    return issue_token(claims, audience=audience, secrets=secrets, now=now, life=timedelta(minutes=5))


def owner_in(confirmed):
    return confirmed["key"].split("/")[1]


@pytest.mark.parametrize("name", SAMPLES)
def test_each_caller_uploads_to_folders_of_its_own(here, name):
    confirmed = stored(here, token_of(here, name), "avatar")
    assert owner_in(confirmed) == owner_of("somebody", here.cloud.token_secret, IDS[name])


@pytest.mark.parametrize("name", ["main", "second"])
def test_wechat_checks_pictures_of_each_app_with_its_own_token_and_push(here, name):
    receipt = stored(here, token_of(here, name, f"user-of-{name}"), "post")["receipt"]
    committed = here.ask(f"{here.cloud.business.origin}/commits", {"receipt": receipt})
    assert committed.status_code == 200
    here.cloud.idle()
    assert here.ask("status", {"receipt": receipt}).json()["state"] == "published"
    checks = [call.app_id for call in here.cloud.wechat.calls if call.path.endswith("media_check_async")]
    assert checks == [app_of(SAMPLES[name])]
    assert [pushed.is_taken for pushed in here.cloud.wechat.checks.pushed] == [True]


def test_a_caller_is_added_to_a_running_deployment_and_removed_again(here):
    """By the steps of the page: its sessions end, and what it has left is still an operator's."""
    cloud = here.cloud

    def deploy(callers):
        profiles = sample_profiles("several")
        cloud.deploy(cloud.prepare("several", profiles, {"ERASE": "true"}, callers, is_demo=True))
        here.deploy()

    others = {name: entry for name, entry in SAMPLES.items() if name != "tt"}
    login = {"code": "local-x", "app": app_of(SAMPLES["tt"])}
    try:
        deploy(others)
        assert here.ask("login", login).status_code == 401
        deploy(SAMPLES)
        token = token_of(here, "tt", "leaver")
        left = stored(here, token, "avatar")
        held = stored(here, token, "note")
        deploy(others)
        assert here.ask("upload-params", {"profile": "avatar", "filename": "a.png"}, token).status_code == 401
        asked = {"token": token}
        assert here.ask("introspect", asked, backend(here)).json() == {"active": False}
        assert here.ask(f"{cloud.business.origin}/commits", {"receipt": held["receipt"]}).status_code == 200
        assert cloud.oss.bucket.objects.get(held["key"])
        wanted = {"sub": "leaver", "caller": IDS["tt"]}
        assert here.ask("erase", wanted, backend(here, ERASURE)).json()["deleted"] == 2
        assert not cloud.oss.bucket.objects.get(left["key"])
    finally:
        deploy(SAMPLES)
