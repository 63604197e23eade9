"""Keys and roles that do not fit, provoked on the local cloud, and the doctor's advice read."""

from tests.support.cases import cases_beside

cases = cases_beside(__file__)


def test_missing_keys_are_named_and_dependent_checks_left_out(here):
    findings = here.examine(code="", without=("ALIBABA_CLOUD_ACCESS_KEY_SECRET",))
    finding = findings.the_bad_one("Caller's keys")
    assert "ALIBABA_CLOUD_ACCESS_KEY_SECRET" in finding.remedy.en
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
