"""The backend of docs/tutorial.md lives three days beside the local cloud."""

import os
import shutil
import subprocess
import tomllib
from contextlib import ExitStack
from functools import partial
from itertools import count
from types import SimpleNamespace

import jwt
import pytest
import requests

from local.business.receipts import backend_token
from local.profiles import DEMO
from local.wechat.check_plan import PlannedCheck
from ops.deploy.new_files import Answers, profiles_text
from tests.docs.backends.run import COPIED, ask, start_cloud, until, upload

SECRET = "receipt-SecretCanary-0123456789abcdef"
PICTURE = (DEMO / "sunset.png").read_bytes()
ANSWERS = Answers("my-bucket", "cn-hangzhou", "wechat", "wx0123456789abcdef", "", ["check"])
users = count()
# The line of the backend's clock, and the one that a test moves.
CLOCK = "const now = () => Date.now() / 1000 // the clock"
MOVED_CLOCK = (
    "const real = Date.now; Date.now = () => real() + 1000 * readFileSync(process.env.CLOCK);"
    " const now = () => Date.now() / 1000"
)


def claims_of(receipt):
    return jwt.decode(receipt, options={"verify_signature": False})


def start(folder, function, port):
    for file in ("backend.js", "uploads.js"):
        shutil.copy(COPIED / file, folder)
    text = (folder / "backend.js").read_text("utf-8")
    assert text.count(CLOCK) == 1
    (folder / "backend.js").write_text(text.replace(CLOCK, MOVED_CLOCK), "utf-8")
    (folder / "clock").write_text("0", "utf-8")
    environ = {"FUNCTION": function, "SECRET": SECRET, "PORT": str(port), "EVERY": "0.1", "CLOCK": "clock"}
    return subprocess.Popen(["node", "backend.js"], cwd=folder, env={**os.environ, **environ})


def answers(session, origin):
    try:
        return session.get(f"{origin}/posts", timeout=60).ok
    except requests.ConnectionError:
        return False


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    """One local cloud and one backend for all tests; each has users of its own, and time only goes on."""
    folder = tmp_path_factory.mktemp("backend")
    profiles = tomllib.loads(profiles_text(ANSWERS, "en"))
    profiles["post"]["ai_label"] = True
    with ExitStack() as stack:
        cloud, session, port = start_cloud(stack, folder, "wechat", profiles, RECEIPT_SECRET=SECRET)
        origin = f"http://127.0.0.1:{port}"
        backend = stack.enter_context(start(folder, cloud.gateway.origin, port))
        stack.callback(backend.terminate)
        until(lambda: answers(session, origin))
        yield SimpleNamespace(cloud=cloud, origin=origin, session=session, clock=folder / "clock", ahead=0)


@pytest.fixture
def here(running):
    cloud = running.cloud
    function = running.session, cloud.gateway.origin

    def send(method, path, body=None, token=""):
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        url = f"{running.origin}/posts{path}"
        return running.session.request(method, url, json=body, headers=headers, timeout=60)

    def log_in():
        return ask(*function, "login", {"code": f"local-user{next(users)}"})["token"]

    def try_to_post(token, receipts):
        return send("POST", "", {"text": "", "receipts": receipts}, token)

    def post(token, receipts):
        answer = try_to_post(token, receipts)
        assert answer.status_code == 200, answer.text
        return claims_of(receipts[0])["jti"]

    def posts():
        return {post["id"]: post for post in send("GET", "").json()["posts"]}

    def states(id):
        return [picture["state"] for picture in posts()[id]["pictures"]]

    def wait(hours=0, *, of_backend=None, ticks=True):
        """Let hours pass for the cloud, with a tick after a few, and for the backend, whose clock may err."""
        for step in [4] * (hours // 4) or [1] * hours:
            cloud.clock.move(hours=step)
            running.ahead += step * 3600
            running.clock.write_text(str(running.ahead), "utf-8")
            if ticks:
                cloud.timer.tick()
        running.clock.write_text(str(running.ahead if of_backend is None else of_backend), "utf-8")
        # A check that is looked at now leaves its verdict to be told later.
        until(lambda: not (cloud.wechat.checks.delivery.release() or cloud.running))

    yield SimpleNamespace(
        cloud=cloud, log_in=log_in, try_to_post=try_to_post, post=post, posts=posts, states=states, wait=wait,
        ask=partial(ask, *function), ahead=lambda: running.ahead,
        upload=lambda token, *name, **more: upload(*function, token, PICTURE, *name, **more),
        becomes=lambda id, *expected: until(lambda: states(id) == [*expected]),
        delete=lambda id, token: send("DELETE", f"/{id}", token=token),
        backend_token=lambda: backend_token(SECRET, cloud.clock()),
    )  # fmt: skip
    running.clock.write_text(str(running.ahead), "utf-8")
    cloud.reset()


def test_a_post_is_shown_three_days_later_with_what_a_human_published(here):
    token = here.log_in()
    receipts = [here.upload(token, name) for name in ("sunset.png", "review-beach.png", "risky-beach.png")]
    id = here.post(token, receipts)
    # Sent again, it is the same post.
    assert here.post(token, receipts) == id and [*here.posts()].count(id) == 1
    # No hour has passed: only the webhook brings these.
    here.becomes(id, "published", "review", "rejected")
    here.wait(48)
    assert here.states(id) == ["published", "review", "rejected"]
    here.ask("commit", {"receipt": receipts[1], "decision": "publish"}, here.backend_token())
    here.becomes(id, "published", "published", "rejected")
    here.wait(24)
    assert here.states(id) == ["published", "published", "rejected"]


def test_a_list_has_the_label_that_a_user_declared_and_the_one_that_a_reviewer_set(here):
    token = here.log_in()
    receipts = [
        here.upload(token, aiDeclared=True),
        here.upload(token, "review-beach.png"),
        here.upload(token),
    ]
    id = here.post(token, receipts)
    here.becomes(id, "published", "review", "published")
    decision = {"receipt": receipts[1], "decision": "publish", "aiLabel": 3}
    here.ask("commit", decision, here.backend_token())
    here.becomes(id, "published", "published", "published")
    labels = [picture.get("aiLabel") for picture in here.posts()[id]["pictures"]]
    assert [label and (label["label"], label["source"]) for label in labels] == [
        (2, "declared"),
        (3, "reviewed"),
        None,
    ]


def test_a_commit_that_ended_in_an_error_is_repeated(here, log_lines):
    token = here.log_in()
    receipt = here.upload(token)
    here.cloud.oss.faults.plan("status_503")
    id = here.post(token, [receipt])
    until(lambda: ["oss_unavailable"] in [line.get("state") for line in log_lines()])
    assert here.states(id) == [""]
    here.cloud.oss.faults.clear()
    here.wait(1, ticks=False)
    here.becomes(id, "published")


def test_a_state_is_known_an_hour_after_its_webhook_was_lost(here):
    token = here.log_in()
    here.cloud.wechat.checks.plan.add(PlannedCheck("pass", delay=600, times=1))
    id = here.post(token, [here.upload(token)])
    here.becomes(id, "checking")
    # The backend takes no delivery of another time.
    here.wait(of_backend=-3600)
    assert here.states(id) == ["checking"]
    here.wait(1, ticks=False)
    here.becomes(id, "published")


def test_a_post_with_a_published_and_a_held_picture_is_deleted_by_its_author_alone(here, log_lines):
    token, other = here.log_in(), here.log_in()
    id = here.post(token, [here.upload(token), here.upload(token, "review-beach.png")])
    here.becomes(id, "published", "review")
    keys = [picture["key"] for picture in here.posts()[id]["pictures"]]
    places = {keys[0], f"held/{keys[1]}"}
    assert places <= {*here.cloud.oss.objects}
    assert here.delete(id, "x").status_code == 401
    assert here.delete(id, other).status_code == 200
    assert here.states(id) == ["published", "review"]
    here.cloud.oss.faults.plan("status_503", on=["DeleteObject"])
    assert here.delete(id, token).status_code == 200
    assert id not in here.posts()
    until(lambda: any("oss_unavailable" in (line.get("state") or []) for line in log_lines()))
    here.cloud.oss.faults.clear()
    until(lambda: not places & {*here.cloud.oss.objects})


def test_only_who_uploaded_the_pictures_may_post_them(here):
    token, other = here.log_in(), here.log_in()
    receipt = here.upload(token)
    for session in ("", "x", receipt):
        assert here.try_to_post(session, [receipt]).status_code == 401
    refused = here.try_to_post(other, [receipt])
    assert refused.status_code == 403 and refused.json()["error"]["message"]
    for receipts in ([f"{receipt[:-1]}-"], [receipt, "a.b.c"]):
        assert here.try_to_post(token, receipts).status_code == 400
    assert here.try_to_post(token, []).status_code in (400, 403)
    here.wait(2)
    assert here.try_to_post(token, [receipt]).status_code == 401
    assert claims_of(receipt)["jti"] not in here.posts()
