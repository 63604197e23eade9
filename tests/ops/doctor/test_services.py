"""Bucket, clock, login, keys and roles that do not fit, provoked on the local cloud, and the advice read."""

from datetime import UTC, datetime, timedelta

import pytest

from function.app import load_settings
from ops.doctor.findings import State
from ops.doctor.services import check_bucket, check_clock
from tests.ops.doctor.conftest import REFUSED
from tests.support.cases import cases_beside

cases = cases_beside(__file__)


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


def test_a_host_that_does_not_answer_names_the_settings_to_check(here):
    findings = here.examine(deployed={"OSS_HOST": REFUSED})
    assert "OSS_REGION" in findings.the_bad_one("Bucket").remedy.en
    assert "OSS_HOST" in findings.the_bad_one("Clock").remedy.en
    assert "OSS_HOST" in findings.of("Upload [default]", State.BAD)[0].remedy.en


def test_missing_keys_are_named_and_dependent_checks_left_out(here):
    findings = here.examine(code="", without=("ALIBABA_CLOUD_ACCESS_KEY_SECRET",))
    finding = findings.the_bad_one("Caller's keys")
    assert "AccessKeyID and AccessKeySecret" in finding.remedy.en
    assert findings.of("AssumeRole") == []


def test_temporary_keys_without_a_token_are_bad(here):
    findings = here.examine(code="", ALIBABA_CLOUD_ACCESS_KEY_ID="STS.abc")
    assert "ALIBABA_CLOUD_SECURITY_TOKEN" in findings.the_bad_one("Caller's keys").remedy.en


@cases("fault", "advice")
def test_each_refusal_of_sts_is_explained(here, fault, advice):
    here.cloud.sts.faults.plan(fault)
    findings = here.examine(code="")
    assert advice in findings.the_bad_one("AssumeRole").remedy.en


@cases("changes", "advice")
def test_each_wrong_setting_of_sts_is_explained(here, changes, advice):
    assert advice in here.examine(code="", **changes).the_bad_one("AssumeRole").remedy.en
