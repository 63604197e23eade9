"""Forms come from the deployed function, for a caller who logs in there."""

from ops.doctor.findings import State
from ops.doctor.forms import log_in_at
from tests.conftest import PLAIN_PROFILES


def test_without_a_caller_nothing_is_uploaded_and_the_commands_of_before_are_named(here):
    findings = here.examine(code="")
    (finding,) = findings.of("Upload")
    assert finding.state is State.SKIPPED
    assert all(name in finding.remedy.en for name in ("--code", "check-deploy", "setup"))
    # The role is tried all the same.
    assert findings.of("AssumeRole", State.GOOD) and not findings.of("", State.BAD)


def test_keys_of_this_machine_that_cannot_sign_are_a_doubt_if_the_function_signs(here):
    here.cloud.sts.faults.plan("rejected", times=1)
    findings = here.examine()
    [sts] = findings.of("AssumeRole")
    assert sts.state is State.UNSURE
    assert len(findings.of("Upload", State.GOOD)) == len(here.profiles)


def test_without_keys_the_files_stay_and_are_named(here):
    findings = here.examine(without=("ALIBABA_CLOUD_ACCESS_KEY_ID",))
    assert [one.state for one in findings.of("Caller's keys")] == [State.UNSURE]
    assert findings.of("", State.BAD) == []
    [removal] = findings.of("Removal")
    assert removal.said.en.count("avatars/") == 1


def test_a_code_or_token_that_the_function_refuses_is_explained(here):
    findings = here.examine(code="bad-code")
    assert "wx.login" in findings.the_bad_one("Login at the function").remedy.en
    assert findings.of("Upload") == []
    findings = here.examine(token="no.good.token")
    assert len([one for one in findings.of("Upload", State.BAD) if one.remedy]) == len(here.profiles)


def test_with_a_token_the_login_code_is_not_used(here):
    token = log_in_at(here.gateway.origin, here.cloud.wechat.issue_code())
    findings = here.examine(code="bad-code", token=token)
    assert findings.of("Login") == []
    assert len(findings.of("Upload", State.GOOD)) == len(here.profiles)


def test_a_function_without_a_role_shows_in_each_upload(here):
    keys = {name: "" for name in here.environ if "ACCESS_KEY" in name}
    # The local profiles tell callers apart; the plain ones do not.
    changes = {"CALLER_AUTH": "anonymous", "PROFILES_FILE": str(PLAIN_PROFILES)}
    findings = here.examine(code="", deployed={**changes, **keys})
    assert "misconfigured" in findings.of("Upload [default]", State.BAD)[0].said.en
