"""What ``doctor`` asks of OSS and WeChat, provoked on the local cloud, and its advice read."""

from datetime import UTC, datetime, timedelta

import pytest

from function.app import load_settings
from ops.doctor.findings import State
from ops.doctor.services import check_clock

REFUSED = "http://127.0.0.1:9"  # the discard port: nothing listens there


@pytest.mark.parametrize(
    ("minutes", "english", "chinese"), [(10, "ahead of OSS's", "快"), (-10, "behind OSS's", "慢")]
)
def test_a_clock_that_is_off_is_measured_against_osss_date(here, minutes, english, chinese):
    wrong = datetime.now(UTC) + timedelta(minutes=minutes)
    finding = check_clock(load_settings(here.environ), wrong)
    assert finding.state is State.BAD
    assert english in finding.said.en
    assert chinese in finding.said.zh
    assert "NTP" in finding.remedy.en


@pytest.mark.parametrize("seconds", [-20, 0, 20])
def test_a_clock_within_half_a_minute_will_do(here, seconds):
    near = datetime.now(UTC) + timedelta(seconds=seconds)
    assert check_clock(load_settings(here.environ), near).state is State.GOOD


def test_a_bucket_that_is_not_there_is_said_to_be_missing(here, serving, oss_error):
    findings = here.examine(OSS_HOST=serving(404, oss_error("NoSuchBucket"), "application/xml"))
    assert "--bucket-create" in findings.the_bad_one("Bucket").remedy.en


def test_a_bucket_elsewhere_gets_the_region_to_set(here, serving, oss_error):
    body = oss_error("AccessDenied", "<Endpoint>oss-cn-beijing.aliyuncs.com</Endpoint>")
    findings = here.examine(OSS_HOST=serving(403, body, "application/xml"))
    assert "Set OSS_REGION=cn-beijing" in findings.the_bad_one("Bucket").remedy.en


def test_a_host_that_is_not_oss_is_told_apart(here):
    findings = here.examine(OSS_HOST=here.gateway.origin)
    assert "Leave OSS_HOST empty" in findings.the_bad_one("Bucket").remedy.en


def test_a_host_that_does_not_answer_names_the_settings_to_check(here):
    findings = here.examine(OSS_HOST=REFUSED)
    assert "OSS_REGION" in findings.the_bad_one("Bucket").remedy.en
    assert "OSS_HOST" in findings.the_bad_one("Clock").remedy.en
    assert "OSS_HOST" in findings.of("Upload [default]", State.BAD)[0].remedy.en


@pytest.mark.parametrize("name", ["WECHAT_APPID", "WECHAT_SECRET"])
def test_wrong_credentials_of_the_mini_program_are_named(here, name):
    finding = here.examine(**{name: "wx0wrong"}).the_bad_one("WeChat login")
    assert name in finding.said.en
    assert "开发设置" in finding.remedy.zh


def test_a_silent_wechat_is_told_apart_from_wrong_credentials(here):
    finding = here.examine(WECHAT_ENDPOINT=REFUSED).the_bad_one("WeChat login")
    assert "api.weixin.qq.com" in finding.remedy.en
