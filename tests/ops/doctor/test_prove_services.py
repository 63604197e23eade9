"""The questions of ``doctor --prove`` to STS, Content Moderation and WeChat, on one local cloud."""

import hmac
from dataclasses import replace
from datetime import timedelta

import pytest

from function.app import load_settings
from local.green.rules import GreenRules
from local.sts.assume_role import Session
from local.wechat.check_plan import PlannedCheck
from local.wechat.errors import NOT_SIGNED, WechatError
from local.wechat.rules import WechatRules
from ops.doctor.evidence import NotTried
from ops.doctor.places import FOLDER
from ops.doctor.proof.point import points
from ops.doctor.proof.sandbox import Sandbox
from tests.ops.doctor.conftest import KEYS, deployment
from tests.ops.doctor.test_content_check import LONG, OPENID, seen_now
from tests.support.cases import cases_beside, profile_toml

cases = cases_beside(__file__)

POINTS = {point.name: point for point in points("sts", "green", "wechat", "callers")}
OF_CALLERS = {point.name for point in points("callers")} - {"forged_push_is_refused"}
CONTRACTS = [name for name, point in POINTS.items() if point.relies and name not in OF_CALLERS]
# A deployment in which nothing is checked.
ONE = profile_toml("default", "uploads", content_types=["image/png"])
MORE = profile_toml(
    "post", "posts", max_size="10MiB", confirm=True, hold=["check"], check_scene=2
) + profile_toml(
    "feed", content_types=["image/*", "audio/mpeg"], confirm=True, hold=["check"], check_by=["aliyun"]
)
# What a rule that is no switch is replaced by, for its other reading.
OTHERS = {"moderation_longest_url": 8192}
DEFAULTS = {
    **{name: value for name, value in vars(WechatRules()).items() if name in POINTS},
    **{name: value for name, value in vars(GreenRules()).items() if name in POINTS},
}


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    with deployment(tmp_path_factory.mktemp("asked"), lambda _cloud: ONE + MORE, **LONG) as deployed:
        yield deployed


@pytest.fixture
def asked(running, monkeypatch):
    """Ask one question of this cloud, by rules of the test's own, with a user whom WeChat has just seen."""
    cloud, green, checks = running.cloud, running.cloud.green, running.cloud.wechat.checks
    monkeypatch.setattr("ops.doctor.proof.wechat.PAUSE_SECONDS", 0.02)
    monkeypatch.setattr("ops.doctor.proof.green.pause", lambda seconds: cloud.clock.move(seconds=seconds))
    monkeypatch.setattr(green, "delay", 0.0)
    kept = green.rules, checks.rules
    seen_now(running)
    sandboxes = []

    def ask(name, rules=None, openid=OPENID, keys=KEYS, url=None, without=(), **changes):
        ours = rules or {}
        green.rules = replace(kept[0], **{each: ours[each] for each in ours if hasattr(kept[0], each)})
        checks.rules = replace(kept[1], **{each: ours[each] for each in ours if hasattr(kept[1], each)})
        environ = {each: text for each, text in {**running.environ, **changes}.items() if each not in without}
        url = cloud.gateway.origin if url is None else url
        sandbox = Sandbox(load_settings(environ), keys, url)
        sandbox.openid = openid
        sandboxes.append(sandbox)
        return POINTS[name].tries(sandbox)

    ask.sandboxes = sandboxes
    yield ask
    green.rules, checks.rules = kept
    cloud.wechat.faults.clear()
    cloud.wechat.checks.delivery.forget()
    cloud.idle()
    for sandbox in sandboxes:
        assert sandbox.remove() == []
    # A verdict may have come, and ends by the bucket's rule.
    assert [key for key in cloud.idle().oss.bucket.objects if key.startswith(FOLDER)] == []
    cloud.reset()


def test_each_contract_is_kept_and_shows_no_secret(asked, running):
    seen = {name: asked(name) for name in CONTRACTS}
    assert [name for name in CONTRACTS if seen[name].answer is not True] == []
    shown = " ".join(" ".join(one[1:3]) for one in seen.values())
    secrets = [
        text for name, text in running.environ.items() if name.endswith(("SECRET", "AES_KEY", "TOKEN"))
    ]
    assert [secret for secret in secrets if secret in shown] == []
    assert "STS." not in shown and OPENID not in shown


@pytest.mark.parametrize("name", DEFAULTS)
def test_each_rule_is_read_both_ways(asked, name):
    for value in (DEFAULTS[name], OTHERS.get(name, not DEFAULTS[name])):
        expected = value if isinstance(value, bool) else value == DEFAULTS[name]
        assert asked(name, {name: value}).answer is expected


def test_contracts_hold_under_the_other_reading_of_every_rule(asked):
    others = {name: OTHERS.get(name, not value) for name, value in DEFAULTS.items()}
    # With that one no check is taken.
    del others["api_is_encrypted"]
    assert {name for name in CONTRACTS if asked(name, others).answer is not True} == set()


def test_api_security_that_is_looked_at_before_the_token_leaves_its_question_open(asked, monkeypatch):
    monkeypatch.setattr("local.wechat.access_tokens.INVALID_TOKEN", NOT_SIGNED)
    with pytest.raises(NotTried, match="40234"):
        asked("wechat_refuses_a_wrong_token")


ANOTHER = WechatError(40014, "another")


def without_zone(session, whole=Session.to_json):
    said = whole(session)
    said["Credentials"]["Expiration"] = said["Credentials"]["Expiration"].rstrip("Z")
    return said


@pytest.mark.parametrize(
    ("name", "protection", "instead"),
    [
        ("sts_session_is_narrowed", "local.sts.assume_role.read_policy", lambda _: None),
        ("sts_needs_the_token", "local.rpc.callers._check_token", lambda *_: None),
        ("sts_takes_900_seconds", "local.sts.faults.end_of", lambda _, now: now + timedelta(hours=8)),
        ("sts_takes_900_seconds", "local.sts.assume_role.Session.to_json", without_zone),
        ("sts_takes_2048_characters", "local.sts.session_policy.CHARACTERS_AT_MOST", 4096),
        ("green_picture_is_judged", "local.green.service.data_of_picture", lambda *_: {}),
        ("green_absence_is_an_error", "local.green.service.look_at_picture", lambda *_: None),
        ("green_sound_is_judged", "local.green.service.data_of_sound", lambda *_: {}),
        ("wechat_token_is_kept", "local.wechat.access_tokens.RENEWED_BEFORE", timedelta(hours=3)),
        ("wechat_refuses_a_wrong_secret", "local.wechat.errors.INVALID_SECRET", ANOTHER),
        ("wechat_refuses_a_wrong_openid", "local.wechat.media_check._visitor_refusal", lambda *_: None),
        ("check_passes_no_absence", "local.wechat.checks.MediaChecks._verdict", lambda *_: "pass"),
    ],
)
def test_a_service_without_a_protection_breaks_its_contract(asked, monkeypatch, name, protection, instead):
    monkeypatch.setattr(protection, instead)
    assert asked(name).answer is False


def test_a_forged_push_that_the_function_takes_leaves_no_verdict(asked, running, monkeypatch):
    # A route imported by this call would keep a name of the function replaced here.
    monkeypatch.setattr(hmac, "compare_digest", lambda *_: True)
    assert asked("forged_push_is_refused").answer is False
    assert asked.sandboxes[-1].remove() == []
    assert [key for key in running.cloud.idle().oss.bucket.objects if ".verdicts/" in key] == []


@cases("name", "changes", "without", "arguments", "fault", "why")
def test_missing_prerequisites_leave_a_question_open(
    asked, running, tmp_path, name, changes, without, arguments, fault, why
):
    (tmp_path / "one.toml").write_text(ONE)
    changes = {
        each: str(tmp_path / text) if each == "PROFILES_FILE" else text for each, text in changes.items()
    }
    if fault:
        running.cloud.wechat.faults.plan(fault, times=1, on=["stable_token"])
    with pytest.raises(NotTried, match=why):
        asked(name, without=without, **arguments, **changes)


@pytest.mark.parametrize("planned", [{"verdict": "no_permission"}, {"shape": "v1"}])
def test_an_unrelated_errcode_leaves_the_question_open(asked, running, planned):
    running.cloud.wechat.checks.plan.clear()
    running.cloud.wechat.checks.plan.add(PlannedCheck(delay=0, **planned))
    with pytest.raises(NotTried, match="errcode (43104|-1)"):
        asked("check_opens_presigned")
