"""Held files that Content Moderation checks, through the whole local cloud: the response has the verdict."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from types import SimpleNamespace

import jwt
import pytest

from function.oss.presign import OssRequest, authorize, request_url
from local.cloud import BUCKET, FUNCTION_KEY, REGION
from local.green.plan import PlannedAnswer
from local.profiles import DEMO
from local.wechat.check_plan import PlannedCheck
from tests.end_to_end.conftest import running_cloud, send
from tests.support.cases import cases_beside, text_beside

cases = cases_beside(__file__)

PICTURE = (DEMO / "sunset.png").read_bytes()
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


@pytest.fixture
def here(running, monkeypatch):
    monkeypatch.setattr("local.business.service.ASKED_EVERY_SECONDS", 0)
    yield running
    running.cloud.reset()


@pytest.fixture
def held(here):
    """Upload a file that is held: its key, its receipt, and what its confirmation said."""

    def upload(name="sunset.png", profile="post", content=PICTURE, kind="image/png"):
        wanted = {"profile": profile, "filename": name, "contentType": kind, "size": len(content)}
        form = here.ask("upload-params", wanted, here.log_in()).json()
        assert here.post(form, content, name, kind).status_code == 200
        said = here.ask("confirm", {"ticket": form["ticket"]}).json()
        return SimpleNamespace(key=form["key"], receipt=said["receipt"], said=said)

    return upload


@pytest.fixture
def commit(here):
    """What the function answers to the business."""
    return lambda upload: here.business("commits", upload).json()


def places(here, upload):
    """Where the bucket has the bytes: under the held name, under the published one."""
    objects = here.cloud.oss.objects
    return f"held/{upload.key}" in objects, upload.key in objects


def answers(here):
    """How many calls Content Moderation has answered, and how many were billed."""
    green = here.cloud.idle().green
    return len(green.calls), sum(green.billed.values())


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
    wanted = {"profile": "feed", "filename": "risky-a.png", "contentType": "image/png", "size": len(PICTURE)}
    form = here.ask("upload-params", wanted, at=address).json()
    assert here.post(form, PICTURE, "risky-a.png").status_code == 200
    assert here.ask("confirm", {"ticket": form["ticket"]}, at=address).json()["state"] == "rejected"


@cases("planned")
def test_an_odd_answer_leaves_the_picture_to_a_human(here, held, commit, planned):
    here.cloud.green.plan.add(PlannedAnswer(**planned))
    upload = held()
    assert commit(upload)["state"] == "review"
    assert places(here, upload) == (True, False)


@cases("planned", "fault")
def test_a_failure_keeps_the_picture_closed_until_a_later_call_succeeds(here, held, commit, planned, fault):
    if fault:
        here.cloud.green.faults.plan(fault)
    else:
        here.cloud.green.plan.add(PlannedAnswer(**planned))
    upload = held()
    assert commit(upload)["state"] == "checking"
    here.cloud.let_minutes_pass(3)
    assert (here.state(upload), places(here, upload)) == ("checking", (True, False))
    here.clear_faults()
    here.cloud.green.plan.clear()
    here.cloud.let_minutes_pass(4)
    assert (here.state(upload), places(here, upload)) == ("published", (False, True))


@pytest.mark.parametrize("by_gateway", [True, False])
def test_a_missing_right_keeps_the_picture_closed_until_it_is_granted(here, held, commit, by_gateway):
    green, upload = here.cloud.green, held()
    rules, key = green.rules, green._accounts.find(FUNCTION_KEY.access_key_id)
    may = {"Effect": "Allow", "Action": ["sts:AssumeRole", "oss:*"], "Resource": "*"}
    green.rules = replace(rules, moderation_rights_by_gateway=by_gateway)
    green._accounts.add(replace(key, policies=({"Version": "1", "Statement": [may]},)))
    try:
        assert commit(upload)["state"] == "checking"
        here.cloud.let_minutes_pass(2)
        assert here.state(upload) == "checking"
    finally:
        green.rules = rules
        green._accounts.add(key)
    here.cloud.let_minutes_pass(3)
    assert here.state(upload) == "published"


def store(here, upload, content):
    """Put something in the place of an upload, as a key of the account may."""
    upload_id = jwt.decode(upload.receipt, options={"verify_signature": False})["jti"]
    sent = {"content-type": "image/png", "x-oss-meta-upload-id": upload_id}
    request = OssRequest("PUT", BUCKET, REGION, f"held/{upload.key}", headers=sent)
    headers = authorize(request, FUNCTION_KEY, here.cloud.clock())
    stored = send("PUT", request_url(request, here.cloud.oss.origin), data=content, headers=headers)
    assert stored.status_code == 200, stored.text


@pytest.mark.parametrize("content", [PICTURE, PICTURE + b"x"], ids=["the same bytes", "other bytes"])
def test_a_picture_stored_again_meanwhile_is_not_published(here, held, commit, monkeypatch, content):
    """It is stored after Content Moderation looked, and before it answers; even its ETag is another."""
    upload, green = held(), here.cloud.green
    answered = green.said

    def said(*arguments):
        store(here, upload, content)
        return answered(*arguments)

    monkeypatch.setattr(green, "said", said)
    assert "state" not in commit(upload)
    monkeypatch.setattr(green, "said", answered)
    here.cloud.let_minutes_pass(3)
    assert places(here, upload) == (True, False)


def test_an_hour_of_a_rate_limit_costs_a_call_a_minute_and_nothing_else(here, held, commit):
    here.cloud.green.plan.add(PlannedAnswer(code=403))
    upload = held()
    calls, billed = answers(here)
    assert commit(upload)["state"] == "checking"
    here.cloud.let_minutes_pass(60)
    assert here.state(upload) == "checking"
    after = answers(here)
    assert 55 <= after[0] - calls <= 61 and after[1] == billed
    here.cloud.green.plan.clear()
    here.cloud.let_minutes_pass(11)
    assert here.state(upload) == "published"


def test_a_day_without_a_check_leaves_the_picture_to_a_human(here, held, commit):
    """An hour before its end, where it is held for a day only."""
    here.cloud.green.faults.plan("drop")
    short, long = held(profile="feed"), held()
    commit(long)
    here.cloud.clock.move(hours=23)
    here.cloud.let_minutes_pass(1)
    assert (here.state(short), here.state(long)) == ("review", "checking")
    here.cloud.clock.move(hours=1)
    here.cloud.let_minutes_pass(1)
    assert (here.state(short), here.state(long)) == ("gone", "review")
    assert (places(here, short), places(here, long)) == ((False, False), (True, False))
    here.cloud.clock.move(days=2)
    here.cloud.let_minutes_pass(1)
    told = here.session.get(f"{here.cloud.business.origin}/deliveries", timeout=60).json()["deliveries"]
    assert [each["event"] for each in told].count("expired") == 2


def test_two_commits_at_once_are_billed_once(here, held, commit):
    upload = held()
    billed = answers(here)[1]
    with ThreadPoolExecutor(2) as pool:
        states = {said["state"] for said in pool.map(commit, [upload, upload])}
    assert "published" in states and states <= {"published", "checking", "held"}
    assert (commit(upload)["state"], answers(here)[1]) == ("published", billed + 1)


def wechat_checks(here):
    return [call.path for call in here.cloud.idle().wechat.calls].count("/wxa/media_check_async")


def test_wechat_is_spared_what_aliyun_rejects(here, held, commit):
    before = wechat_checks(here)
    assert commit(held("risky-beach.png", "both"))["state"] == "rejected"
    assert wechat_checks(here) == before


@pytest.mark.parametrize(
    ("aliyun", "wechat", "state"),
    [
        ("pass", "pass", "published"),
        ("pass", "risky", "rejected"),
        ("pass", "review", "review"),
        ("review", "pass", "review"),
        ("review", "risky", "rejected"),
    ],
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
        ("risky-holiday.mp4", "long", "rejected"),
        ("risky-holiday.mp4", "too_long", "review"),
        ("holiday.mp4", "no_sound", "review"),
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
