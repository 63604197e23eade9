"""Held pictures through the whole local cloud: whatever WeChat does, only what passed is ever seen."""

import io
import time
from contextlib import ExitStack
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
import requests
from PIL import Image

from function.app import Function
from function.context import Dependencies
from function.oss.presign import OssRequest, authorize, request_url
from handler import serve
from local.cloud import BUCKET, FUNCTION_KEY, REGION, LocalCloud
from local.fc.gateway import FcGateway
from local.wechat.check_plan import PlannedCheck
from ops.account.bucket import DesiredBucket, FoundBucket
from ops.account.bucket_plan import bucket_steps
from ops.run.picture import draw_png
from tests.support.cases import cases_beside

cases = cases_beside(__file__)

PICTURE = draw_png(8, 8)
PATIENCE_SECONDS = 10
RATES = {"LOGIN_RATE": "1000/min", "CALLER_RATE": "1000/min"}


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    place = {}
    gateway = FcGateway(lambda event, context: serve(place["function"], event, context))
    with ExitStack() as stack:
        stack.callback(gateway.stop)
        folder = tmp_path_factory.mktemp("objects")
        cloud = stack.enter_context(LocalCloud(gateway, folder, extra_settings=RATES))
        place["function"] = Function(Dependencies(cloud.environment()))
        gateway.start()
        cloud.wechat.checks.delays, cloud.wechat.checks.patience = (0, 0), (5, 0.05)
        session = stack.enter_context(requests.Session())
        session.trust_env = False
        yield SimpleNamespace(cloud=cloud, session=session, function=gateway.origin)


@pytest.fixture
def here(running, monkeypatch):
    monkeypatch.setattr("local.business.service.ASKED_EVERY_SECONDS", 0)
    yield running
    for server in (running.cloud.oss, running.cloud.sts, running.cloud.wechat):
        server.faults.clear()
    running.cloud.wechat.checks.plan.clear()


@pytest.fixture
def post(here):
    def post(address, body, token=""):
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        origin = "" if address.startswith("http") else here.function
        return here.session.post(origin + address, json=body, headers=headers, timeout=20)

    return post


@pytest.fixture
def user(post):
    """A session of a user who has just logged in."""
    count = iter(range(1000))
    return lambda: post("/login", {"code": f"local-held-{time.monotonic_ns()}-{next(count)}"}).json()["token"]


@pytest.fixture
def held(here, post, user):
    """Upload a picture that is held: its key, its receipt, its owner's session."""

    def upload(name="sunset.png", profile="post", content=PICTURE, kind="image/png", also=()):
        token = user()
        wanted = {"profile": profile, "filename": name, "contentType": kind, "size": len(content)}
        form = post("/upload-params", wanted, token).json()
        assert form["formData"]["key"] == f"held/{form['key']}"
        files = [(field, (None, value)) for field, value in [*form["formData"].items(), *also]]
        answer = here.session.post(form["url"], files=[*files, ("file", (name, content, kind))], timeout=10)
        assert answer.status_code == 200, answer.text
        said = post("/confirm", {"ticket": form["ticket"]}).json()
        assert (said["state"], said["url"]) == ("held", None)
        return SimpleNamespace(key=form["key"], receipt=said["receipt"], token=token)

    return upload


@pytest.fixture
def commit(here, post):
    """What the function answers to the business."""
    return lambda upload: post(f"{here.cloud.business.origin}/commits", {"receipt": upload.receipt}).json()


@pytest.fixture
def state(post):
    return lambda upload: post("/status", {"receipt": upload.receipt}).json()["state"]


@pytest.fixture
def becomes(state):
    def wait(upload, *wanted):
        ends = time.monotonic() + PATIENCE_SECONDS
        while (now := state(upload)) not in wanted and time.monotonic() < ends:
            time.sleep(0.25)  # 60 times a minute may be asked
        return now

    return wait


@pytest.fixture
def settled(here):
    """Wait until WeChat has pushed what it pushes, and say how that was answered."""

    def wait(count=1):
        pushed = here.cloud.wechat.checks.pushed
        ends = time.monotonic() + PATIENCE_SECONDS
        while len(pushed) < count and time.monotonic() < ends:
            time.sleep(0.02)
        return [each.is_taken for each in pushed]

    here.cloud.wechat.checks.pushed.clear()
    return wait


def places(here, upload):
    """Where the bucket has the bytes: under the held name, under the published one."""
    objects = here.cloud.oss.objects
    return f"held/{upload.key}" in objects, upload.key in objects


def test_what_passes_is_published_and_what_is_risky_is_gone(here, held, commit, becomes):
    good, bad = held("sunset.png"), held("risky-beach.png")
    assert places(here, good) == places(here, bad) == (True, False)
    assert commit(good)["state"] in ("checking", "published")
    assert commit(bad)["state"] in ("checking", "rejected")
    assert becomes(good, "published") == "published" and becomes(bad, "rejected") == "rejected"
    assert places(here, good) == (False, True)
    assert places(here, bad) == (False, False)


def test_what_wechat_does_not_list_is_shown_to_it_as_what_it_does(here, held, commit, becomes):
    picture = io.BytesIO()
    Image.open(io.BytesIO(PICTURE)).save(picture, "WEBP")
    upload = held("sunset.webp", content=picture.getvalue(), kind="image/webp")
    commit(upload)
    assert becomes(upload, "published", "review") == "published"


def test_what_is_no_picture_is_never_published(here, held, commit, becomes):
    upload = held(content=b"<html>no picture</html>")
    commit(upload)
    assert becomes(upload, "published", "review") == "review"
    assert places(here, upload) == (True, False)


def test_what_phones_unpack_is_never_published_by_wechat_alone(here, held, commit, becomes):
    upload = held(also=[("Content-Encoding", "br")])
    assert commit(upload)["state"] == "review"
    assert places(here, upload) == (True, False)


NEVER_SEEN = {
    "review": PlannedCheck("review"),
    "unreadable": PlannedCheck("unreadable"),
    "no permission": PlannedCheck("no_permission"),
    "a detail that says risky": PlannedCheck("contradictory"),
    "the shape of version 1": PlannedCheck("pass", shape="v1"),
    "risky with labels as text": PlannedCheck("risky", shape="text_label"),
    "risky twice": PlannedCheck("risky", timing="twice"),
    "risky before the answer": PlannedCheck("risky", timing="early"),
}


@pytest.mark.parametrize("planned", NEVER_SEEN.values(), ids=NEVER_SEEN)
def test_what_did_not_pass_is_never_published(here, held, commit, becomes, settled, planned):
    upload = held()
    here.cloud.wechat.checks.plan.add(planned)
    commit(upload)
    assert all(settled())
    wanted = "rejected" if planned.verdict == "risky" else "review"
    assert becomes(upload, wanted) == wanted
    assert places(here, upload) == (wanted == "review", False)


PASSES = {
    "labels as text and no errcode": PlannedCheck("pass", shape="text_label"),
    "twice": PlannedCheck("pass", timing="twice"),
    "before the answer": PlannedCheck("pass", timing="early"),
}


@pytest.mark.parametrize("planned", PASSES.values(), ids=PASSES)
def test_a_pass_publishes_in_any_shape_and_order(here, held, commit, becomes, settled, planned):
    upload = held()
    here.cloud.wechat.checks.plan.add(planned)
    commit(upload)
    assert all(settled())
    assert becomes(upload, "published") == "published"
    assert places(here, upload) == (False, True)


@pytest.mark.parametrize("push", ["plain", "wrong_appid", "bad_signature"])
def test_a_push_that_anybody_might_have_sent_is_not_believed(here, held, commit, state, settled, push):
    upload = held()
    here.cloud.wechat.checks.plan.add(PlannedCheck("pass", push=push))
    commit(upload)
    assert settled() == [False]
    assert state(upload) == "checking"
    assert places(here, upload) == (True, False)


def test_a_verdict_of_an_unknown_check_changes_nothing(here, held, commit, state, settled):
    upload = held()
    here.cloud.wechat.checks.plan.add(PlannedCheck("risky", push="unknown_trace"))
    commit(upload)
    assert settled() == [True]
    assert state(upload) == "checking"
    assert places(here, upload) == (True, False)


def test_silence_never_publishes_and_a_late_verdict_still_counts(here, held, commit, state, becomes):
    silent, late = held("silent-night.png"), held()
    commit(silent)
    here.cloud.wechat.checks.plan.add(PlannedCheck("pass", timing="late"))
    commit(late)
    assert state(silent) == state(late) == "checking"
    ends = time.monotonic() + PATIENCE_SECONDS
    while not here.cloud.wechat.checks.delivery.release() and time.monotonic() < ends:
        time.sleep(0.02)
    assert becomes(late, "published") == "published"
    assert state(silent) == "checking"


@pytest.mark.parametrize("kind", ["not_seen_lately", "bad_openid", "foreign_openid", "repeated_too_often"])
def test_what_wechat_will_not_look_at_waits_for_a_human(here, held, commit, state, post, kind):
    upload = held()
    here.cloud.wechat.faults.plan(kind, times=1, on=["media_check_async"])
    assert commit(upload)["state"] == "review"
    decision = {"receipt": upload.receipt, "decision": "publish"}
    answer = post(f"{here.cloud.business.origin}/decisions", decision).json()
    assert (answer["state"], places(here, upload)) == ("published", (False, True))


@cases("kind", "call")
def test_an_outage_of_wechat_strands_nothing(here, held, commit, state, becomes, kind, call):
    upload = held()
    here.cloud.wechat.tokens.replace()
    here.cloud.wechat.faults.plan(kind, on=[call])
    assert commit(upload).get("state") in ("held", "checking", None)
    here.cloud.wechat.faults.clear()
    assert places(here, upload) == (True, False)
    commit(upload)
    assert becomes(upload, "published") == "published"


def test_a_push_that_could_not_be_carried_out_comes_again(here, held, commit, becomes, settled):
    upload = held()
    here.cloud.wechat.checks.plan.add(PlannedCheck("pass", delay=0.2))
    commit(upload)
    here.cloud.oss.faults.plan("status_503", times=3, on=["CopyObject", "PutObject"])
    assert settled() == [True]
    assert becomes(upload, "published") == "published"


def test_a_token_that_another_client_replaced_is_asked_for_anew(here, held, commit, becomes):
    first, second = held(), held()
    commit(first)
    here.cloud.wechat.tokens.replace()
    commit(second)
    assert becomes(second, "published") == "published"


def test_its_owner_discards_what_is_held_and_not_what_is_published(here, held, commit, becomes, post, user):
    unsent, sent = held(), held()
    assert post("/discard", {"receipt": unsent.receipt}, user()).status_code == 403
    assert post("/discard", {"receipt": unsent.receipt}, unsent.token).json()["state"] == "gone"
    assert places(here, unsent) == (False, False)
    commit(sent)
    assert becomes(sent, "published") == "published"
    assert (
        post("/discard", {"receipt": sent.receipt}, sent.token).json()["error"]["code"] == "already_published"
    )
    answer = post(f"{here.cloud.business.origin}/discards", {"receipt": sent.receipt}).json()
    assert (answer["state"], places(here, sent)) == ("gone", (False, False))


def test_a_note_is_kept_by_its_owner(here, held, post, user, state):
    note = held(profile="note")
    assert post("/commit", {"receipt": note.receipt}, user()).status_code == 403
    assert places(here, note) == (True, False)
    assert post("/commit", {"receipt": note.receipt}, note.token).json()["state"] == "published"
    assert places(here, note) == (False, True)


def test_what_nobody_commits_expires_by_the_rule_on_what_is_held(here, held, commit, becomes, state, post):
    forgotten, kept = held(), held()
    commit(kept)
    assert becomes(kept, "published") == "published"
    here.cloud.oss.bucket.let_days_pass(1)
    assert (places(here, forgotten), places(here, kept)) == ((False, False), (False, True))
    assert (state(forgotten), state(kept)) == ("gone", "published")
    assert commit(forgotten)["error"]["code"] == "not_uploaded"


def test_the_rule_that_setup_writes_is_the_local_bucket_s_own_and_expires_what_is_held(here, held):
    bucket = here.cloud.oss.bucket
    own = bucket.lifecycle.rules
    wanted = DesiredBucket(BUCKET, REGION, create=True, held_days=1)
    steps, _ = bucket_steps(wanted, FoundBucket(f"oss-{REGION}", "private", "", True))
    (document,) = [step.parameters["body"] for step in steps if step.action == "PutBucketLifecycle"]
    bucket.lifecycle.replace((), bucket.now())
    forgotten = held()
    bucket.let_days_pass(2)
    assert places(here, forgotten) == (True, False)
    asked = OssRequest(
        "PUT", BUCKET, REGION, "", query={"lifecycle": ""}, headers={"content-type": "text/xml"}
    )
    headers = authorize(asked, FUNCTION_KEY, datetime.now(UTC))
    address = request_url(asked, here.cloud.oss.origin)
    assert here.session.put(address, data=document, headers=headers, timeout=10).status_code == 200
    assert set(bucket.lifecycle.rules) == set(own)
    bucket.let_days_pass(1)
    assert places(here, forgotten) == (False, False)


def test_a_post_shows_what_became_of_its_pictures(here, held, post):
    good, bad = held("a.png"), held("risky-b.png")
    business = here.cloud.business.origin
    refused = post(f"{business}/posts", {"text": "two", "receipts": [good.receipt, bad.receipt]})
    assert refused.status_code == 403  # of two users
    for upload in (good, bad):
        assert (
            post(f"{business}/posts", {"text": upload.key, "receipts": [upload.receipt]}).status_code == 200
        )
    ends = time.monotonic() + PATIENCE_SECONDS
    states, url = [], None
    # Told that it is published, the business asks for the address the next time that somebody looks.
    while (states != ["rejected", "published"] or not url) and time.monotonic() < ends:
        told = here.session.get(f"{business}/posts", timeout=10).json()["posts"][:2]
        states = [each["pictures"][0]["state"] for each in told]
        url = told[1]["pictures"][0]["url"]
        time.sleep(0.25)
    assert states == ["rejected", "published"]
    assert told[0]["pictures"][0]["label"] == 20006
    assert url.endswith(good.key)


def test_wechat_s_console_verifies_the_address_of_the_push(here):
    answer = here.session.post(f"{here.cloud.wechat.origin}/-/push", timeout=10)
    assert answer.json() == {"url": f"{here.function}/wechat-events", "verified": True}
