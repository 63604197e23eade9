"""Held files that Content Moderation checks, through the whole local cloud: the response has the verdict."""

from dataclasses import replace

import pytest

from local.cloud import FUNCTION_KEY
from local.green.plan import PlannedAnswer
from local.wechat.check_plan import PlannedCheck
from tests.end_to_end.conftest import SUNSET, places, running_cloud
from tests.support.cases import text_beside

VIDEO = b"\0\0\0\x18ftypmp42" + bytes(64)
# Without the profiles that need WeChat.
ALONE = text_beside(__file__).partition("[both]")[0]


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    folder = tmp_path_factory.mktemp("aliyun")
    for name, text in {"all": text_beside(__file__), "alone": ALONE}.items():
        (folder / f"{name}.toml").write_text(text)
    with running_cloud(folder / "objects") as running:
        running.folder = folder
        running.usual = running.start(PROFILES_FILE=str(folder / "all.toml"))
        running.cloud.green.silence = 0.0
        yield running


VERDICTS = {
    "sunset.png": ("published", (False, True)),
    "risky-beach.png": ("rejected", (False, False)),
    "review-beach.png": ("review", (True, False)),
}


@pytest.mark.parametrize(("name", "ends"), VERDICTS.items(), ids=VERDICTS)
def test_a_commit_returns_the_verdict(here, held, commit, name, ends):
    upload = held(name)
    assert (upload.said["state"], places(here, upload)) == ("held", (True, False))
    state, stored = ends
    assert commit(upload)["state"] == state
    assert places(here, upload) == stored
    assert here.state(upload) == state


@pytest.mark.parametrize(("name", "ends"), VERDICTS.items(), ids=VERDICTS)
def test_a_confirmation_returns_the_verdict(here, held, name, ends):
    upload = held(name, "feed")
    assert upload.said["state"] == ends[0]
    assert bool(upload.said["url"]) is (ends[0] == "published")
    assert places(here, upload) == ends[1]


def test_callers_without_wechat_are_served_as_well(here):
    """The settings of WeChat are absent, and no push is configured."""
    without = {name: "" for name in here.cloud.environment() if name.startswith("WECHAT_")}
    file = str(here.folder / "alone.toml")
    address = here.start("anonymous", **without, CALLER_AUTH="anonymous", PROFILES_FILE=file)
    wanted = {"profile": "feed", "filename": "risky-a.png", "contentType": "image/png", "size": len(SUNSET)}
    form = here.ask("upload-params", wanted, at=address).json()
    assert here.post(form, SUNSET, "risky-a.png").status_code == 200
    assert here.ask("confirm", {"ticket": form["ticket"]}, at=address).json()["state"] == "rejected"


def test_a_missing_right_keeps_the_picture_closed_until_it_is_granted(here, held, commit):
    green, upload = here.cloud.green, held()
    key = green._accounts.find(FUNCTION_KEY.access_key_id)
    may = {"Effect": "Allow", "Action": ["sts:AssumeRole", "oss:*"], "Resource": "*"}
    green._accounts.add(replace(key, policies=({"Version": "1", "Statement": [may]},)))
    try:
        assert commit(upload)["state"] == "checking"
        here.cloud.let_minutes_pass(2)
        assert here.state(upload) == "checking"
    finally:
        green._accounts.add(key)
    here.cloud.let_minutes_pass(3)
    assert here.state(upload) == "published"


@pytest.mark.parametrize(
    ("aliyun", "wechat", "state"),
    [("pass", "pass", "published"), ("pass", "risky", "rejected"), ("review", "pass", "review")],
)
def test_both_checkers_must_pass(here, held, commit, aliyun, wechat, state):
    here.cloud.green.plan.add(PlannedAnswer(verdict=aliyun))
    here.cloud.wechat.checks.plan.add(PlannedCheck(verdict=wechat))
    upload = held(profile="both")
    assert commit(upload)["state"] in ("checking", state)
    assert here.becomes(upload, "published", "rejected", "review") == state
    assert places(here, upload) == (state == "review", state == "published")


@pytest.mark.parametrize(
    ("name", "shape", "state"),
    [
        ("holiday.mp4", "usual", "published"),
        ("risky-holiday.mp4", "usual", "rejected"),
        ("holiday.mp4", "risky_sound", "rejected"),
        ("holiday.mp4", "no_frames", "review"),
    ],
)
def test_a_video_is_decided_by_the_timer(here, held, commit, name, shape, state):
    here.cloud.green.plan.add(PlannedAnswer(shape=shape))
    upload = held(name, "clip", VIDEO, "video/mp4")
    assert commit(upload)["state"] == "checking"
    here.cloud.let_minutes_pass(3)
    assert here.state(upload) == state
    assert places(here, upload) == (state == "review", state == "published")
