"""Held files that Content Moderation checks, through the whole local cloud: the response has the verdict."""

from pathlib import Path

import pytest

from local.green.plan import PlannedAnswer
from tests.end_to_end.conftest import SUNSET, places, running_cloud

VIDEO = b"\0\0\0\x18ftypmp42" + bytes(64)


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    profiles = Path(__file__).with_suffix(".toml")
    with running_cloud(tmp_path_factory.mktemp("objects")) as running:
        running.usual = running.start(PROFILES_FILE=str(profiles))
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


def test_callers_without_wechat_are_served_as_well(here):
    """The settings of WeChat are absent, and no push is configured."""
    without = {name: "" for name in here.cloud.environment() if name.startswith("WECHAT_")}
    profiles = str(Path(__file__).with_suffix(".toml"))
    address = here.start("anonymous", **without, CALLER_AUTH="anonymous", PROFILES_FILE=profiles)
    wanted = {"profile": "feed", "filename": "risky-a.png", "contentType": "image/png", "size": len(SUNSET)}
    form = here.ask("upload-params", wanted, at=address).json()
    assert here.post(form, SUNSET, "risky-a.png").status_code == 200
    assert here.ask("confirm", {"ticket": form["ticket"]}, at=address).json()["state"] == "rejected"


@pytest.mark.parametrize(
    ("shape", "state"), [("usual", "published"), ("risky_sound", "rejected"), ("no_frames", "review")]
)
def test_a_video_is_decided_by_the_timer(here, held, commit, shape, state):
    here.cloud.green.plan.add(PlannedAnswer(shape=shape))
    upload = held("holiday.mp4", "clip", VIDEO, "video/mp4")
    assert commit(upload)["state"] == "checking"
    here.cloud.let_minutes_pass(3)
    assert here.state(upload) == state
    assert places(here, upload) == (state == "review", state == "published")
