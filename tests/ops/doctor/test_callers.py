"""``doctor`` where callers are of other kinds, or several."""

import re
from datetime import UTC, datetime

import pytest

from function.app import load_settings
from function.auth import alipay
from function.http.client import HttpResponse
from local.alipay.signing import private_text
from local.callers import SAMPLES, app_of
from ops.doctor.deployed import check_push
from ops.doctor.evidence import NotTried
from ops.doctor.findings import State
from ops.doctor.proof import callers
from ops.doctor.proof.point import points
from ops.doctor.proof.sandbox import Sandbox
from ops.doctor.services import check_login
from tests.ops.doctor.conftest import KEYS, deployment
from tests.support.cases import profile_toml

PROFILES = (
    profile_toml("default", "uploads", content_types=["image/png"])
    + profile_toml("shop", content_types=["image/png"], callers=["main", "site"])
    + profile_toml(
        "post",
        "posts",
        content_types=["image/png"],
        callers=["main", "second"],
        confirm=True,
        hold=["check"],
        check_scene=2,
    )
)
POINTS = {point.name: point for point in points("callers")}
LOGINS = {"main": "WeChat login", "second": "WeChat login", "pay": "Alipay login", "tt": "Douyin login"}


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    folder = tmp_path_factory.mktemp("several")
    with deployment(folder, lambda _cloud: PROFILES, "several") as deployed:
        yield deployed


def sandbox_of(here, **changes):
    settings = load_settings({**here.environ, **changes})
    return Sandbox(settings, KEYS, here.gateway.origin)


def code_of(here, name):
    entry = SAMPLES[name]
    return here.cloud.platforms[entry["kind"]].issue_code("somebody", app_of(entry))


@pytest.mark.parametrize("name", LOGINS)
def test_a_code_of_each_caller_uploads_by_its_profiles(here, name):
    findings = here.examine(code=code_of(here, name), caller=name)
    assert [one for one in findings if one.state is State.BAD] == []
    uploads = [one.check.en for one in findings.of("Upload")]
    assert any("[default]" in each for each in uploads)
    assert any("[shop]" in each for each in uploads) is (name == "main")
    assert all(findings.of(f"{title} [{each}]") for each, title in LOGINS.items())


def test_the_push_of_each_wechat_app_has_an_address_of_its_own(here):
    settings = load_settings(here.environ)
    findings = check_push(settings, here.gateway.origin)
    assert [one.state for one in findings] == [State.GOOD, State.GOOD]
    for name, finding in zip(("main", "second"), findings, strict=True):
        assert f"/wechat-events/{app_of(SAMPLES[name])} " in finding.said.en
    assert POINTS["forged_push_is_refused"].tries(sandbox_of(here)).answer is True


@pytest.mark.parametrize("name", LOGINS)
def test_a_secret_that_the_platform_refuses_is_named_with_its_caller(here, name):
    settings = load_settings(here.environ)
    (entry,) = [each for each in settings.callers if each.name == name]
    wrong = {"key": alipay._der(private_text("another"))} if name == "pay" else {"secret": "wrong"}
    entry = entry._replace(settings=entry.settings._replace(**wrong))
    finding = check_login(entry, settings, datetime.now(UTC))
    assert (finding.state, finding.check.en) == (State.BAD, f"{LOGINS[name]} [{name}]")
    entry = entry._replace(settings=entry.settings._replace(endpoint="http://127.0.0.1:9"))
    finding = check_login(entry, settings, datetime.now(UTC))
    assert "http://127.0.0.1:9" in finding.remedy.en


def test_each_contract_about_callers_is_kept(here):
    for name, point in POINTS.items():
        assert point.tries(sandbox_of(here)).answer is True, name


def test_a_function_that_keeps_no_contract_about_callers_is_seen(here, monkeypatch):
    monkeypatch.setattr(callers.FunctionAtUrl, "ask", lambda *_: type("Answer", (), {"status": 200}))
    for name in ("profile_of_others_is_refused", "forged_issuer_is_refused", "unknown_app_is_refused"):
        assert POINTS[name].tries(sandbox_of(here)).answer is False


def test_a_platform_that_keeps_no_contract_is_seen(here, monkeypatch):
    monkeypatch.setattr(callers, "send", lambda *_, **__: HttpResponse(200, b"{}", {}))
    names = [name for name in POINTS if re.search("wrong", name)]
    assert len(names) == 3 and {POINTS[name].tries(sandbox_of(here)).answer for name in names} == {False}


def test_points_that_one_caller_cannot_answer_are_not_tried(here):
    sandbox = sandbox_of(here)
    main = sandbox.settings.callers[0]
    sandbox.settings = sandbox.settings._replace(callers=(main,), only=main)
    for name in POINTS.keys() - {"wechat_refuses_a_wrong_code", "forged_push_is_refused"}:
        with pytest.raises(NotTried):
            POINTS[name].tries(sandbox)


@pytest.mark.parametrize("kind", ["alipay", "douyin"])
def test_one_caller_of_another_platform_is_examined_as_one_of_wechat(tmp_path, kind):
    with deployment(tmp_path, lambda _cloud: PROFILES.partition("[shop]")[0], kind) as alone:
        findings = alone.examine(code=alone.cloud.platforms[kind].issue_code("somebody"))
        assert [one for one in findings if one.state is State.BAD] == []
        assert any(f"{kind.title()} login" in one.check.en for one in findings)
        for point in (*points("wechat"), POINTS["forged_push_is_refused"]):
            with pytest.raises(NotTried):
                point.tries(sandbox_of(alone))
