"""The content check of doctor, against the local checkers with each planned outcome."""

import re
import wave
from datetime import UTC, datetime
from io import BytesIO

import pytest
from PIL import Image

from function.app import load_settings
from local.buckets import ARCHIVE
from local.green.plan import PlannedAnswer
from local.wechat.check_plan import PlannedCheck
from ops.doctor.content_check import check_content
from ops.doctor.findings import State
from ops.doctor.proof.samples import picture, sound
from tests.ops.doctor.conftest import KEYS, Findings, deployment
from tests.support.cases import cases_beside, profile_toml

cases = cases_beside(__file__)

PROFILES = profile_toml("post", "posts", max_size="10MiB", confirm=True, hold=["check"], check_scene=2)
PICTURE, SOUND, NOTHING = (f"Content check of {each}" for each in ("a picture", "a sound", "nothing"))
GREEN = "Content Moderation"
OPENID = "oDoctor-0123456789-abcdefghi"
LONG = {"STS_SESSION_SECONDS": "7200"}
# Those of one more bucket.
PLACE = f'bucket = "local-archive"\nregion = "cn-shanghai"\nhost = "{{host}}"\nrole = "{ARCHIVE.role_arn}"\n'


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch):
    monkeypatch.setattr("ops.doctor.proof.wechat.PAUSE_SECONDS", 0.02)


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    """Two buckets, in each of which something is checked."""

    def profiles(cloud):
        return PROFILES + PROFILES.replace("post", "scan") + PLACE.format(host=cloud.archive.origin)

    with deployment(tmp_path_factory.mktemp("checked"), profiles, **LONG) as deployed:
        deployed.cloud.green.delay = 0.0
        yield deployed


@pytest.fixture
def checked(running):
    """The same, with a user whom WeChat has just seen and verdicts that come at once."""
    seen_now(running)
    yield running
    running.cloud.reset()


def seen_now(running):
    wechat = running.cloud.wechat
    login = {name: running.environ[f"WECHAT_{name.upper()}"] for name in ("appid", "secret")}
    login |= {"js_code": wechat.issue_code(OPENID), "grant_type": "authorization_code"}
    wechat.code2session("GET", login)
    wechat.checks.plan.add(PlannedCheck(delay=0))


@pytest.fixture
def visit(checked, profiles):
    """Ask about the profile of these words, in the first bucket alone."""

    def ask(text=PROFILES, openid=OPENID, keys=KEYS, **changes):
        settings = load_settings({**checked.environ, **profiles(text), **changes})
        return Findings(check_content(settings, openid, keys, datetime.now(UTC)))

    return ask


def by_aliyun(profiles=PROFILES):
    return profiles + 'check_by = ["aliyun"]\n'


def asked(running):
    """Return how many checks were asked for of WeChat and of Content Moderation."""
    cloud = running.cloud.idle()
    paths = [call.path for call in cloud.wechat.calls]
    return paths.count("/wxa/media_check_async"), len(cloud.green.calls)


def left(running):
    """Return what is there; a verdict of another bucket's check ends by the bucket's rule."""
    return [key for store in running.cloud.idle().stores for key in store.objects if "held/.prove/" in key]


def states(findings):
    return [(one.check.en.partition(" (")[0], one.state.name) for one in findings]


def test_a_sound_is_tried_where_a_profile_takes_one(visit, checked):
    heard = PROFILES.replace('["image/*"]', '["image/*", "audio/mpeg"]')
    plan(checked, *({"verdict": each, "times": 1} for each in ("by_name", "unreadable")), {})
    found = visit(heard)
    assert states(found) == [(PICTURE, "GOOD"), (SOUND, "BAD"), (NOTHING, "GOOD")]
    assert "PUBLIC_URL" in found.the_bad_one(SOUND).remedy.en


def plan(running, *checks):
    running.cloud.wechat.checks.plan.clear()
    for check in checks:
        running.cloud.wechat.checks.plan.add(PlannedCheck(**{"delay": 0, **check}))


@pytest.mark.parametrize("with_code", [False, True])
def test_each_bucket_is_tried_with_the_user_of_the_openid_or_the_login_code(checked, with_code):
    who = {"code": checked.cloud.wechat.issue_code()} if with_code else {"openid": OPENID}
    before, _ = asked(checked)
    found = checked.examine(content_check=True, uploads=False, **who).of("Content check")
    assert [(one.where.en.split(",")[0], one.check.en, one.state) for one in found] == [
        (bucket, check, State.GOOD)
        for bucket in ("local-bucket", "local-archive")
        for check in (PICTURE, NOTHING)
    ]
    assert (asked(checked)[0], left(checked)) == (before + 4, [])


def test_a_bad_code_or_token_names_no_user_and_the_rest_goes_on(checked):
    found = checked.examine(code="bad-code", content_check=True)
    assert found.the_bad_one("Login")
    for one in (found, checked.examine(token="x.y.z", content_check=True, uploads=False)):
        assert all("--openid" in each.remedy.en for each in one.of("Content check", State.BAD))
        assert one.of("Deployed function", State.GOOD)


@cases("verdict", "expected")
def test_each_verdict_is_judged(visit, checked, verdict, expected):
    plan(checked, {"verdict": verdict})
    found = visit()
    assert " ".join(one.state.name for one in found) == expected
    assert all(one.remedy for one in found if one.state is not State.GOOD)


@cases("planned")
def test_a_check_without_a_verdict_is_bad_with_a_remedy(visit, checked, monkeypatch, planned):
    monkeypatch.setattr("ops.doctor.proof.wechat.WAIT", WAIT_LITTLE)
    plan(checked, planned)
    (found,) = visit()
    assert "no verdict" in found.said.en and "安全模式" in found.remedy.en


WAIT_LITTLE = datetime.resolution * 500_000


@cases("fault", "call", "said", "remedy")
def test_a_wechat_refusal_is_explained(visit, checked, fault, call, said, remedy):
    checked.cloud.wechat.faults.plan(fault, on=[call])
    finding = visit().the_bad_one("Content check")
    assert finding.said.en.startswith(said) and remedy in finding.remedy.en
    assert left(checked) == []


@pytest.mark.parametrize(
    ("service", "fault", "on", "remedy"),
    [
        ("sts", "rejected", [], "setup"),
        ("oss", "expired_url", ["PutObject"], "manage.py setup"),
        ("oss", "drop", ["PutObject"], "OSS_HOST"),
    ],
)
def test_a_failed_preparation_costs_no_check(visit, checked, service, fault, on, remedy):
    before = asked(checked)
    getattr(checked.cloud, service).faults.plan(fault, on=on)
    assert remedy in visit().the_bad_one("Content check").remedy.en
    assert asked(checked) == before


def test_a_leftover_object_is_named(visit, checked):
    checked.cloud.oss.faults.plan("status_500", on=["DeleteObject"])
    found = visit()[-1]
    assert (found.check.en, found.state) == ("Content check, left behind", State.UNSURE)
    assert "held/.prove/" in found.said.en


def test_missing_prerequisites_are_named_before_a_check_is_spent(visit, checked):
    before = asked(checked)
    assert "--openid" in visit(openid="").the_bad_one(PICTURE).remedy.en
    unchecked = re.sub("(confirm|hold|check).*\n", "", PROFILES)
    videos = by_aliyun(PROFILES.replace("image/*", "video/mp4"))
    for arguments in ({"keys": None}, {"text": unchecked}, {"text": videos}):
        assert [one.state for one in visit(**arguments)] == [State.SKIPPED]
    assert asked(checked) == before


def test_each_service_of_content_moderation_gets_one_billed_picture(visit, checked):
    feed = by_aliyun(PROFILES.replace("post", "feed")) + 'check_service = "postImageCheck"\n'
    billed = checked.cloud.idle().green.billed["ImageModeration"]
    found = visit(by_aliyun() + feed + feed.replace("feed", "wall"))
    assert states(found) == [(GREEN, "GOOD"), (GREEN, "GOOD"), (f"{GREEN} of nothing", "GOOD")]
    host = checked.cloud.green.origin.removeprefix("http://")
    services = ("baselineCheck", "postImageCheck")
    assert [f"{each}, {host}" in one.check.en for each, one in zip(services, found, strict=False)] == [
        True
    ] * 2
    assert (checked.cloud.idle().green.billed["ImageModeration"], left(checked)) == (billed + 2, [])


@cases("planned", "remedy")
def test_a_code_of_content_moderation_has_its_remedy(visit, checked, planned, remedy):
    checked.cloud.green.plan.add(PlannedAnswer(**planned, times=1))
    finding = visit(by_aliyun())[0]
    assert finding.state is State.BAD and remedy in finding.remedy.en


@cases("fault", "remedy")
def test_a_refusal_of_the_gateway_has_its_remedy(visit, checked, fault, remedy):
    checked.cloud.green.faults.plan(fault)
    assert remedy in visit(by_aliyun()).the_bad_one(GREEN).remedy.en


def test_a_pass_of_nothing_by_content_moderation_is_bad(visit, monkeypatch):
    monkeypatch.setattr("local.green.service.look_at_picture", lambda *_: None)
    assert "commit" in visit(by_aliyun()).the_bad_one(f"{GREEN} of nothing").remedy.en


def test_the_address_of_the_push_is_tried_as_the_console_does(checked, serving):
    (good,) = checked.examine(uploads=False).of("Message push")
    assert "/wechat-events" in good.said.en
    other = checked.examine(uploads=False, WECHAT_PUSH_TOKEN="AnotherToken").the_bad_one("Message push")
    assert "make deploy" in other.remedy.en
    for url in (serving(200, "<html>"), "http://127.0.0.1:9"):
        assert checked.examine(uploads=False, url=url).the_bad_one("Message push")


def test_the_samples_are_a_valid_png_and_a_wav_of_a_second():
    with Image.open(BytesIO(picture())) as image:
        image.load()
        assert (image.format, image.size, image.getextrema()) == ("PNG", (128, 128), (0, 254))
    with wave.open(BytesIO(sound())) as recording:
        assert (recording.getframerate(), recording.getnframes(), recording.getnchannels()) == (8000, 8000, 1)
        assert len({*recording.readframes(8000)}) > 30
