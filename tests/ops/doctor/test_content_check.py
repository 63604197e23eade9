"""The content check of doctor, against the local WeChat with each planned outcome."""

import time
import wave
from datetime import UTC, datetime
from io import BytesIO

import pytest
from PIL import Image

from function.app import load_settings
from function.sts.credentials import AccessKeys
from local.buckets import ARCHIVE
from local.wechat.check_plan import PlannedCheck
from ops.doctor.content_check import ContentCheck, check_content
from ops.doctor.findings import State
from ops.doctor.samples import picture, sound
from tests.ops.doctor.conftest import Findings, deployment
from tests.support.cases import cases_beside, text_beside

cases = cases_beside(__file__)

PROFILES = text_beside(__file__)
PICTURE, NOTHING = "Content check of a picture", "Content check of nothing"
SOUND = "Content check of a sound"
OPENID = "oDoctor-0123456789-abcdefghi"


THERE = text_beside(__file__, ".there.toml")
LONG = {"STS_SESSION_SECONDS": "7200"}


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch):
    monkeypatch.setattr("ops.doctor.content_check.PAUSE_SECONDS", 0.02)


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    with deployment(tmp_path_factory.mktemp("checked"), lambda _cloud: PROFILES, **LONG) as deployed:
        yield deployed


@pytest.fixture(scope="module")
def running_two(tmp_path_factory):
    """Two buckets, in each of which something is checked."""

    def profiles(cloud):
        return PROFILES + THERE.format(host=cloud.archive.origin, role=ARCHIVE.role_arn)

    with deployment(tmp_path_factory.mktemp("two"), profiles, **LONG) as deployed:
        yield deployed


@pytest.fixture(scope="module")
def running_heard(tmp_path_factory):
    """A deployment that takes sounds as well."""
    profiles = PROFILES.replace('["image/*"]', '["image/*", "audio/mpeg"]')
    with deployment(tmp_path_factory.mktemp("heard"), lambda _cloud: profiles, **LONG) as deployed:
        yield deployed


@pytest.fixture
def two(running_two):
    yield running_two
    running_two.cloud.reset()


@pytest.fixture
def heard(running_heard):
    yield running_heard
    running_heard.cloud.reset()


@pytest.fixture
def checked(running):
    """The same, with a user whom WeChat has just seen and verdicts that come at once."""
    seen_now(running)
    yield running
    running.cloud.reset()


def seen_now(running):
    wechat = running.cloud.wechat
    wechat.code2session("GET", _login(running, wechat.issue_code(OPENID)))
    wechat.checks.plan.add(PlannedCheck(delay=0))


def _login(running, code):
    return {
        "appid": running.environ["WECHAT_APPID"],
        "secret": running.environ["WECHAT_SECRET"],
        "js_code": code,
        "grant_type": "authorization_code",
    }


def plan(running, *checks):
    running.cloud.wechat.checks.plan.clear()
    for check in checks:
        running.cloud.wechat.checks.plan.add(check)


def visit(running, openid=OPENID, minute=60, **changes):
    """The check by itself; ``minute`` is how many seconds of waiting a minute takes."""
    environ = {**running.environ, **changes}
    settings = load_settings(environ)
    keys = AccessKeys(
        environ["ALIBABA_CLOUD_ACCESS_KEY_ID"], environ["ALIBABA_CLOUD_ACCESS_KEY_SECRET"], None
    )
    check = ContentCheck(
        settings,
        settings.callers[0],
        openid,
        keys,
        datetime.now(UTC).replace(microsecond=0),
        monotonic=lambda: time.monotonic() * 60 / minute,
        sleep=lambda _seconds: time.sleep(0.02),
    )
    return Findings(check.findings())


def asked(running):
    return [call.path for call in running.cloud.idle().wechat.calls].count("/wxa/media_check_async")


def objects(running):
    running.cloud.idle()
    return [path for path in running.folder.rglob("*") if path.is_file() and b"prove" in str(path).encode()]


def test_verdicts_that_arrive_are_good_and_nothing_is_left(checked):
    before = asked(checked)
    found = visit(checked)
    assert [(one.check.en, one.state) for one in found] == [(PICTURE, State.GOOD), (NOTHING, State.GOOD)]
    assert ["-1008" in one.said.en for one in found] == [False, True]
    assert (asked(checked), objects(checked)) == (before + 2, [])


@pytest.mark.parametrize(
    ("verdicts", "states"),
    [
        (("unreadable", "by_name"), [State.BAD, State.GOOD]),
        (("by_name", "unreadable"), [State.GOOD, State.BAD]),
    ],
)
def test_the_findings_say_which_of_picture_and_sound_passed(heard, verdicts, states):
    seen_now(heard)
    plan(heard, *(PlannedCheck(verdict, delay=0, times=1) for verdict in verdicts), PlannedCheck(delay=0))
    found = visit(heard)
    assert [one.state for one in found] == [*states, State.GOOD]
    (bad,) = (one for one in found if one.state is State.BAD)
    assert ("-1008" in bad.said.en, "PUBLIC_URL" in bad.remedy.en) == (True, True)


def test_the_content_check_is_tried_in_each_bucket_and_leaves_nothing(two):
    seen_now(two)
    found = two.examine(openid=OPENID, content_check=True)
    checks = found.of("Content check")
    assert [(one.where.en.split(",")[0], one.check.en, one.state) for one in checks] == [
        (bucket, check, State.GOOD)
        for bucket in ("local-bucket", "local-archive")
        for check in (PICTURE, NOTHING)
    ]
    assert asked(two) == 4
    assert [key for store in two.cloud.idle().stores for key in store.objects if "held/" in key] == []


def test_the_content_check_uses_the_user_of_the_login_code(checked):
    code = checked.cloud.wechat.issue_code()
    found = checked.examine(code=code, content_check=True)
    assert [one.state for one in found.of("Content check")] == [State.GOOD] * 2
    assert found.of("", State.BAD) == []


@cases("verdict", "states")
def test_each_verdict_is_judged(checked, verdict, states):
    plan(checked, PlannedCheck(verdict=verdict, delay=0))
    found = visit(checked)
    assert [one.state for one in found] == [State[name] for name in states.split()]
    assert all(one.remedy for one in found if one.state is not State.GOOD)


@cases("planned")
def test_a_check_without_a_verdict_is_bad_with_a_remedy(checked, planned):
    plan(checked, PlannedCheck(**planned))
    found = visit(checked, minute=0.5)
    assert [one.state for one in found] == [State.BAD] * 2
    assert "60 s" in found[0].said.en and "安全模式" in found[0].remedy.en


@cases("fault", "call", "said", "remedy")
def test_a_wechat_refusal_is_explained(checked, fault, call, said, remedy):
    checked.cloud.wechat.faults.plan(fault, on=[call])
    finding = visit(checked).the_bad_one("Content check")
    assert finding.said.en.startswith(said)
    assert remedy in finding.remedy.en
    assert objects(checked) == []


@pytest.mark.parametrize(("status", "check"), [(403, PICTURE), (200, NOTHING)])
def test_an_unreadable_object_costs_no_check(checked, serving, status, check):
    before = asked(checked)
    finding = visit(checked, READ_ORIGIN=serving(status, "x")).the_bad_one(check)
    assert f"HTTP {status}" in finding.said.en
    assert asked(checked) == before


def test_a_role_that_may_keep_no_records_is_mended_by_setup(checked):
    checked.cloud.oss.faults.plan("expired_url", on=["PutObject"])
    assert "manage.py setup" in visit(checked).the_bad_one("Content check").remedy.en


def test_without_the_role_no_check_is_spent(checked):
    before = asked(checked)
    checked.cloud.sts.faults.plan("rejected")
    assert visit(checked).the_bad_one("Content check")
    assert asked(checked) == before


def test_a_leftover_object_is_named(checked):
    checked.cloud.oss.faults.plan("status_500", on=["DeleteObject"])
    found = visit(checked)
    assert found[-1].check.en == "Content check, left behind"
    assert (found[-1].state, "held/.prove/" in found[-1].said.en) == (State.UNSURE, True)


def test_missing_prerequisites_are_named_before_a_check_is_spent(checked, tmp_path):
    before = asked(checked)
    settings = load_settings(checked.environ)
    now = datetime.now(UTC)
    keys = AccessKeys("k", "s", None)
    (no_user,) = check_content(settings, "", keys, now)
    assert (no_user.state, "--openid" in no_user.remedy.en) == (State.BAD, True)
    (no_keys,) = check_content(settings, OPENID, None, now)
    assert no_keys.state is State.SKIPPED
    plain = tmp_path / "profiles.toml"
    plain.write_text('[default]\nkey = "uploads/{id}"\nmax_size = 9\ncontent_types = ["image/png"]\n')
    unchecked = load_settings({**checked.environ, "PROFILES_FILE": str(plain)})
    (no_profile,) = check_content(unchecked, OPENID, keys, now)
    assert no_profile.state is State.SKIPPED
    assert asked(checked) == before


def test_a_bad_code_or_token_names_no_user_and_the_rest_goes_on(checked):
    found = checked.examine(code="bad-code", content_check=True)
    assert found.the_bad_one("Login")
    for one in (found, checked.examine(token="x.y.z", content_check=True, uploads=False)):
        assert "--openid" in one.the_bad_one("Content check").remedy.en


def test_the_address_of_the_push_is_tried_as_the_console_does(checked, serving):
    (good,) = checked.examine(uploads=False).of("Callback, Message push")
    assert "/wechat-events" in good.said.en
    other = checked.examine(uploads=False, WECHAT_PUSH_TOKEN="AnotherToken").the_bad_one("Message push")
    assert "make deploy" in other.remedy.en
    for url in (serving(200, "<html>"), "http://127.0.0.1:9"):
        assert checked.examine(uploads=False, url=url).the_bad_one("Message push")


def test_the_test_picture_is_a_valid_png():
    with Image.open(BytesIO(picture())) as image:
        image.load()
        assert (image.format, image.size, image.getextrema()) == ("PNG", (128, 128), (0, 254))


def test_the_test_sound_is_a_valid_wav_of_a_second():
    with wave.open(BytesIO(sound())) as recording:
        assert (recording.getframerate(), recording.getnframes(), recording.getnchannels()) == (8000, 8000, 1)
        assert len({*recording.readframes(8000)}) > 30
