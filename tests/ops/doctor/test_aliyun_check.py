"""The check of doctor on Content Moderation, against the local one with each planned answer."""

from datetime import UTC, datetime

import pytest

from function.app import load_settings
from function.sts.credentials import AccessKeys
from local.addresses import FUNCTION_KEY
from local.green.plan import PlannedAnswer
from ops.doctor.aliyun_check import AliyunCheck
from ops.doctor.content_check import check_content
from ops.doctor.findings import State
from tests.ops.doctor.conftest import Findings, deployment
from tests.ops.doctor.test_content_check import LONG, objects
from tests.support.cases import cases_beside, text_beside

cases = cases_beside(__file__)

PROFILES = text_beside(__file__)
PICTURE, NOTHING = "Content Moderation", "Content Moderation of nothing"
VIDEO = PROFILES.replace("image/*", "video/mp4")


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    with deployment(tmp_path_factory.mktemp("checked"), lambda _cloud: PROFILES, **LONG) as deployed:
        deployed.cloud.green.delay = 0.0
        yield deployed


@pytest.fixture
def checked(running):
    yield running
    running.cloud.reset()


def visit(running, **changes):
    environ = {**running.environ, **changes}
    keys = AccessKeys(FUNCTION_KEY.access_key_id, FUNCTION_KEY.access_key_secret, None)
    now = datetime.now(UTC).replace(microsecond=0)
    return Findings(AliyunCheck(load_settings(environ), keys, now).findings())


def test_a_pass_is_good_and_costs_one_call(checked):
    billed = checked.cloud.idle().green.billed["ImageModeration"]
    found = visit(checked)
    assert [(one.check.en, one.state) for one in found] == [(PICTURE, State.GOOD), (NOTHING, State.GOOD)]
    host = checked.cloud.green.origin.removeprefix("http://")
    assert all(word in found[0].said.en for word in ("baselineCheck", host, "pass"))
    assert (checked.cloud.idle().green.billed["ImageModeration"], objects(checked)) == (billed + 1, [])


def test_without_the_option_nothing_is_billed(checked):
    billed = checked.cloud.idle().green.billed["ImageModeration"]
    assert checked.examine().of(PICTURE) == []
    assert checked.cloud.idle().green.billed["ImageModeration"] == billed


@cases("planned", "state")
def test_each_answer_is_judged(checked, planned, state):
    checked.cloud.green.plan.add(PlannedAnswer(**planned, times=1))
    first = visit(checked)[0]
    assert (first.check.en, first.state) == (PICTURE, State[state])
    assert first.state is State.GOOD or first.remedy


@cases("planned", "remedy")
def test_a_code_has_its_remedy(checked, planned, remedy):
    checked.cloud.green.plan.add(PlannedAnswer(**planned))
    (finding,) = visit(checked)
    assert finding.state is State.BAD
    assert remedy in finding.remedy.en and f"({planned['code']})" in finding.said.en


@cases("fault", "remedy")
def test_a_refusal_of_the_gateway_has_its_remedy(checked, fault, remedy):
    checked.cloud.green.faults.plan(fault)
    assert remedy in visit(checked).the_bad_one(PICTURE).remedy.en


def test_a_pass_of_nothing_is_bad(checked, monkeypatch):
    monkeypatch.setattr("local.green.service.look_at_picture", lambda *_: None)
    assert visit(checked).the_bad_one(NOTHING)


def test_each_service_gets_one_picture(checked, tmp_path):
    post = PROFILES.partition("[post]")[2].replace("posts/", "{name}/")
    more = [("feed", "postImageCheck"), ("wall", "postImageCheck")]
    text = PROFILES + "".join(
        f'[{name}]{post.replace("{name}", name)}check_service = "{service}"\n' for name, service in more
    )
    (tmp_path / "p.toml").write_text(text)
    found = visit(checked, PROFILES_FILE=str(tmp_path / "p.toml"))
    assert [one.said.en.partition(",")[0] for one in found.of(PICTURE, State.GOOD)][:2] == [
        "baselineCheck",
        "postImageCheck",
    ]
    assert len(found) == 3


def test_an_unreadable_object_costs_no_call(checked, serving):
    calls = len(checked.cloud.idle().green.calls)
    assert "HTTP 403" in visit(checked, READ_ORIGIN=serving(403, "x")).the_bad_one(PICTURE).said.en
    assert len(checked.cloud.idle().green.calls) == calls


@pytest.mark.parametrize(
    ("service", "fault", "on"), [("sts", "rejected", []), ("oss", "drop", ["PutObject"])]
)
def test_a_failed_preparation_costs_no_call(checked, service, fault, on):
    calls = len(checked.cloud.idle().green.calls)
    getattr(checked.cloud, service).faults.plan(fault, on=on)
    assert visit(checked).the_bad_one(PICTURE)
    assert len(checked.cloud.idle().green.calls) == calls


@pytest.mark.parametrize(("text", "has_keys"), [(VIDEO, True), (PROFILES, False)])
def test_video_and_missing_keys_are_skipped(checked, tmp_path, text, has_keys):
    (tmp_path / "p.toml").write_text(text)
    settings = load_settings({**checked.environ, "PROFILES_FILE": str(tmp_path / "p.toml")})
    keys = AccessKeys("k", "s", None) if has_keys else None
    (finding,) = check_content(settings, "", keys, datetime.now(UTC))
    assert (finding.check.en, finding.state) == (PICTURE, State.SKIPPED)


def test_both_checkers_are_tried(checked, tmp_path):
    (tmp_path / "p.toml").write_text(PROFILES.replace('["aliyun"]', '["aliyun", "wechat"]'))
    settings = load_settings({**checked.environ, "PROFILES_FILE": str(tmp_path / "p.toml")})
    keys = AccessKeys(FUNCTION_KEY.access_key_id, FUNCTION_KEY.access_key_secret, None)
    found = [*check_content(settings, "", keys, datetime.now(UTC).replace(microsecond=0))]
    assert [one.check.en for one in found] == [PICTURE, NOTHING, "Content check"]
    assert "--openid" in found[-1].remedy.en
