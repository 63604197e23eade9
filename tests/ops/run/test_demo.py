"""The demo against the whole local cloud, and what ends it."""

import io
from collections import deque
from contextlib import ExitStack
from types import SimpleNamespace

import pytest

from local.wechat.check_plan import PlannedCheck
from ops.run import demo, demo_held
from ops.run.demo_client import DemoFailed
from ops.terminal.screen import Screen
from tests.ops.client.conftest import start_cloud


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    with ExitStack() as stack:
        folder = tmp_path_factory.mktemp("objects")
        yield start_cloud(stack, folder, "wechat", {"LOGIN_RATE": "1000/min"})


@pytest.fixture
def cloud(running, monkeypatch):
    """In a time of its own: WeChat does what it has to do while the demo sleeps."""
    tasks, slept = deque(), [0.0]

    def sleep(seconds):
        slept.append(seconds)
        while tasks:
            tasks.popleft()()

    monkeypatch.setattr(running.wechat.checks.delivery, "put", lambda _due, task: tasks.append(task))
    monkeypatch.setattr(demo_held, "time", SimpleNamespace(monotonic=lambda: sum(slept), sleep=sleep))
    monkeypatch.setattr(demo_held, "PATIENCE_SECONDS", 2.0)
    yield running
    running.reset()


@pytest.fixture
def play(cloud):
    """Play the demo; what was printed."""

    def play():
        stream = io.StringIO()
        try:
            demo.play(cloud, Screen(stream, {}), "en")
        finally:
            play.text = stream.getvalue()
        return play.text

    return play


def test_ten_steps_are_played_and_their_objects_are_where_they_say(play, cloud):
    text = play()
    for sentence in ("sub   ", "image/jpeg, ", "published after"):
        assert sentence in text
    statuses = [line.split()[1] for line in text.splitlines() if line.startswith("    → ")]
    assert [statuses.count(status) for status in ("403", "404")] == [3, 6]
    added = [key.partition("/")[0] for key in cloud.idle().oss.objects if not key.startswith("held/.")]
    assert sorted(added) == ["avatars", "posts"]


def test_no_secret_is_printed_whole(play):
    assert "characters)" in play()
    assert not [word for word in play.text.split() if word.strip('"[]},').count(".") == 2 and len(word) > 200]
    assert "oss-signature=" not in play.text and "&" not in play.text


@pytest.mark.parametrize(
    ("planned", "sentence"),
    [
        ({"verdict": "risky"}, "it is published.*rejected"),
        ({"verdict": "pass"}, "it is rejected.*published"),
        ({"timing": "never"}, "it is published.*checking"),
    ],
)
def test_another_verdict_than_the_step_s_ends_the_demo(play, cloud, planned, sentence):
    cloud.wechat.checks.plan.add(PlannedCheck(**planned))
    with pytest.raises(DemoFailed, match=sentence):
        play()
    assert "Done in" not in play.text


def test_a_lost_connection_ends_the_demo_with_a_sentence(play, cloud):
    cloud.oss.faults.plan("drop", on=["PostObject"])
    with pytest.raises(DemoFailed, match="not answered"):
        play()


def test_bytes_that_are_still_there_end_the_demo(play, cloud, monkeypatch):
    url = cloud.signed_url
    monkeypatch.setattr(cloud, "signed_url", lambda key: url(key.replace("held/", "")))
    with pytest.raises(DemoFailed, match="held/posts/.*200"):
        play()


def test_an_upload_that_is_not_held_ends_the_demo(play, monkeypatch):
    monkeypatch.setattr(demo_held, "PROFILE", "avatar")
    with pytest.raises(DemoFailed, match="held"):
        play()
