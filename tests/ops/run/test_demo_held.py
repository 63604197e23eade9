"""The demo's last steps against the whole local cloud, and what ends them."""

import io
from collections import deque
from contextlib import ExitStack
from types import SimpleNamespace

import pytest

from function.app import Function
from function.context import Dependencies
from handler import serve
from local.cloud import LocalCloud
from local.fc.gateway import FcGateway
from local.wechat.check_plan import PlannedCheck
from ops.run import demo_held
from ops.run.demo import play
from ops.run.demo_answers import DemoFailed
from ops.run.demo_held import hold_pictures
from ops.run.demo_steps import Client
from ops.terminal.screen import Screen
from tests.support.cases import cases_beside

cases = cases_beside(__file__)


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    place = {}
    gateway = FcGateway(lambda event, context: serve(place["function"], event, context))
    with ExitStack() as stack:
        stack.callback(gateway.stop)
        folder = tmp_path_factory.mktemp("objects")
        cloud = stack.enter_context(LocalCloud(gateway, folder, extra_settings={"LOGIN_RATE": "1000/min"}))
        place["function"] = Function(Dependencies(cloud.environment()))
        gateway.start()
        yield cloud


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
def demo(cloud):
    """Play the held steps alone; what was printed."""

    def demo(language="en"):
        stream = io.StringIO()
        try:
            play(cloud, Screen(stream, {}), language, acts=(log_in, hold_pictures))
        finally:
            demo.text = stream.getvalue()
        return demo.text

    return demo


def log_in(client: Client, picture: bytes) -> None:
    client.log_in()


@cases("language", "sentences")
def test_one_is_published_one_rejected_and_one_taken_back(demo, cloud, language, sentences):
    text = demo(language)
    for sentence in sentences:
        assert sentence in text
    assert text.count("→ 404") == 6
    added = [key for key in cloud.idle().oss.objects if not key.startswith("held/.")]
    assert len(added) == 1 and added[0].startswith("posts/")


def test_no_receipt_and_no_ticket_is_printed_whole(demo):
    assert "characters)" in demo()
    assert not [word for word in demo.text.split() if word.strip('"[]},').count(".") == 2 and len(word) > 200]


@cases("planned", "sentence")
def test_another_verdict_than_the_step_s_ends_the_demo(demo, cloud, planned, sentence):
    cloud.wechat.checks.plan.add(PlannedCheck(**planned))
    with pytest.raises(DemoFailed, match=sentence):
        demo()
    assert "Done in" not in demo.text


@cases("kind", "call", "sentence")
def test_a_step_that_oss_refuses_ends_the_demo(demo, cloud, kind, call, sentence):
    cloud.oss.faults.plan(kind, on=[call])
    with pytest.raises(DemoFailed, match=sentence):
        demo()


def test_bytes_that_are_still_there_end_the_demo(demo, cloud, monkeypatch):
    url = cloud.signed_url
    monkeypatch.setattr(cloud, "signed_url", lambda key: url(key.replace("held/", "")))
    with pytest.raises(DemoFailed, match="held/posts/.*200"):
        demo()


def test_an_upload_that_is_not_held_ends_the_demo(demo, monkeypatch):
    monkeypatch.setattr(demo_held, "PROFILE", "avatar")
    with pytest.raises(DemoFailed, match="held"):
        demo()


def test_how_fast_wechat_is_was_only_borrowed(demo, cloud):
    usual = cloud.wechat.checks.delays
    cloud.wechat.checks.plan.add(PlannedCheck("risky"))
    with pytest.raises(DemoFailed):
        demo()
    assert cloud.wechat.checks.delays == usual
