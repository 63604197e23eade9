"""Forms that the doctor gets from the deployed function."""

from function.app import Function
from function.context import Dependencies
from handler import serve
from local.fc.gateway import FcGateway
from ops.doctor.findings import State
from ops.doctor.forms import log_in_at
from tests.conftest import PLAIN_PROFILES


def test_with_a_code_the_forms_come_from_the_deployed_function(here):
    findings = here.examine(code="local-doctor-1")
    assert {one.state for one in findings} == {State.GOOD}
    assert len(findings.of("Upload")) == len(here.profiles)


def test_keys_of_this_machine_that_cannot_sign_are_a_doubt_only_when_the_function_signs(here):
    here.cloud.sts.faults.plan("rejected", times=1)
    findings = here.examine(code="local-doctor-2")
    [sts] = findings.of("AssumeRole")
    assert sts.state is State.UNSURE
    assert len(findings.of("Upload", State.GOOD)) == len(here.profiles)
    assert findings.of("A changed key", State.GOOD)
    assert findings.of("Another folder") == []


def test_without_keys_the_files_stay_and_are_named(here):
    findings = here.examine(code="local-doctor-3", without=("ALIBABA_CLOUD_ACCESS_KEY_ID",))
    assert [one.state for one in findings.of("Caller's keys")] == [State.UNSURE]
    assert findings.of("", State.BAD) == []
    [removal] = findings.of("Removal")
    assert removal.said.en.count("avatars/") == 1


def test_a_code_that_the_function_refuses_is_explained(here):
    finding = here.examine(code="bad-code").the_bad_one("Login at the function")
    assert "wx.login" in finding.remedy.en


def test_with_a_token_the_login_code_is_not_used(here):
    token = log_in_at(here.gateway.origin, "local-doctor-4")
    findings = here.examine(code="bad-code", token=token)
    assert findings.of("Login") == []
    assert len(findings.of("Upload", State.GOOD)) == len(here.profiles)


def test_a_token_that_the_function_refuses_shows_in_each_upload(here):
    findings = here.examine(token="no.good.token")
    assert len([one for one in findings.of("Upload", State.BAD) if one.remedy]) == len(here.profiles)


def test_a_function_without_a_role_shows_in_each_upload(here):
    environ = {name: value for name, value in here.environ.items() if "ACCESS_KEY" not in name}
    # The local profiles tell callers apart; the plain ones do not.
    changes = {"CALLER_AUTH": "anonymous", "PROFILES_FILE": str(PLAIN_PROFILES)}
    environ |= changes
    function = Function(Dependencies(environ))
    gateway = FcGateway(lambda event, context: serve(function, event, context)).start()
    try:
        findings = here.examine(
            url=gateway.origin,
            **changes,
            without=tuple(name for name in here.environ if "ACCESS_KEY" in name),
        )
    finally:
        gateway.stop()
    assert "misconfigured" in findings.of("Upload [default]", State.BAD)[0].said.en
