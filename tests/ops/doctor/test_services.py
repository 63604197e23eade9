"""What ``doctor`` asks of OSS and WeChat, provoked on the local cloud, and its advice read."""

from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
import requests

from function.app import load_settings
from ops.doctor.findings import State
from ops.doctor.services import check_bucket, check_clock, check_login, check_network
from tests.support.cases import cases_beside

cases = cases_beside(__file__)

REFUSED = "http://127.0.0.1:9"  # the discard port: nothing listens there
NOWHERE = {"OSS_HOST": REFUSED, "STS_ENDPOINT": REFUSED, "WECHAT_ENDPOINT": REFUSED}


@pytest.mark.parametrize(
    ("seconds", "state"), [(600, "BAD"), (-600, "BAD"), (-20, "GOOD"), (0, "GOOD"), (20, "GOOD")]
)
def test_the_clock_is_measured_against_the_date_of_oss(here, seconds, state):
    finding = check_clock(load_settings(here.environ), datetime.now(UTC) + timedelta(seconds=seconds))
    assert finding.state is State[state]
    assert (finding.remedy is not None and "NTP" in finding.remedy.en) is (state == "BAD")


@cases("status", "code", "advice")
def test_a_bucket_that_cannot_be_used_names_the_remedy(here, serving, oss_error, status, code, advice):
    body = oss_error(code, "<Endpoint>oss-cn-beijing.aliyuncs.com</Endpoint>" if status == 403 else "")
    origin = serving(status, body, "application/xml") if status else here.gateway.origin
    finding = check_bucket(load_settings({**here.environ, "OSS_HOST": origin}))
    assert finding.state is State.BAD and advice in finding.remedy.en


@pytest.mark.parametrize("own", ["in another region", "in this region", "silent"])
@pytest.mark.parametrize("name", ["oss-accelerate", "oss-accelerate-overseas", "oss-cn-hangzhou"])
def test_doctor_takes_the_region_behind_an_acceleration_address_from_the_own_address(
    here, oss_error, monkeypatch, name, own
):
    settings = load_settings(here.environ)
    accelerated, regional = (
        f"https://{settings.bucket}.{each}.aliyuncs.com" for each in (name, f"oss-{settings.region}")
    )
    asked = []

    @contextmanager
    def open_session(origin):
        asked.append(origin)
        if own == "silent" and origin == regional != accelerated:
            raise requests.ConnectionError
        is_elsewhere = own == "in another region" and origin == regional != accelerated
        told = "<Endpoint>oss-cn-beijing.aliyuncs.com</Endpoint>" if is_elsewhere else ""
        answer = SimpleNamespace(
            text=oss_error("AccessDenied", told), status_code=403, headers={"Server": "AliyunOSS"}
        )
        yield SimpleNamespace(get=lambda *_, **__: answer)

    monkeypatch.setattr("ops.doctor.services.open_session", open_session)
    finding = check_bucket(settings._replace(host=accelerated))
    assert asked == list(dict.fromkeys((accelerated, regional)))
    is_wrong = "accelerate" in name and own == "in another region"
    assert finding.state is (State.BAD if is_wrong else State.GOOD)
    assert not is_wrong or "OSS_REGION=cn-beijing" in finding.remedy.en


def test_a_host_that_does_not_answer_names_the_settings_to_check(here):
    findings = here.examine(deployed={"OSS_HOST": REFUSED})
    assert "OSS_REGION" in findings.the_bad_one("Bucket").remedy.en
    assert "OSS_HOST" in findings.the_bad_one("Clock").remedy.en
    assert "OSS_HOST" in findings.of("Upload [default]", State.BAD)[0].remedy.en


@pytest.mark.parametrize("name", ["WECHAT_APPID", "WECHAT_SECRET"])
def test_wrong_credentials_of_the_mini_program_are_named(here, name):
    settings = load_settings({**here.environ, name: "wx0wrong"})
    finding = check_login(settings.callers[0], settings, datetime.now(UTC))
    assert finding.state is State.BAD and name in finding.said.en
    assert "开发设置" in finding.remedy.zh


def test_a_silent_wechat_differs_from_wrong_credentials(here):
    settings = load_settings({**here.environ, "WECHAT_ENDPOINT": REFUSED})
    finding = check_login(settings.callers[0], settings, datetime.now(UTC))
    assert finding.state is State.BAD and f"{REFUSED} (WECHAT_ENDPOINT)" in finding.remedy.en


@pytest.mark.parametrize("url", ["", REFUSED])
def test_without_a_network_only_the_network_is_reported(here, url):
    good, bad = here.examine(url=url, CALLBACK_URL=f"{REFUSED}/callback", **NOWHERE)
    assert (good.check.en, good.state) == ("Settings", State.GOOD)
    assert (bad.check.en, bad.state) == ("Network", State.BAD)
    assert "HTTPS_PROXY" in bad.remedy.en


@pytest.mark.parametrize("name", NOWHERE)
def test_one_address_that_answers_is_a_network(here, name):
    settings = load_settings({**here.environ, **{one: REFUSED for one in NOWHERE if one != name}})
    assert check_network(settings, [settings.host], "") is None
