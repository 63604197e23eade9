"""The doctor's own uploads, what comes after them, and each way in which they fail."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from function.app import load_settings
from function.auth.signed_tokens import RECEIPT, issue_token
from ops.doctor.exchange import log_in_at
from ops.doctor.findings import State
from ops.doctor.uploads import Uploads
from tests.ops.doctor.conftest import REFUSED
from tests.support.cases import cases_beside

cases = cases_beside(__file__)

NOW = datetime.now(UTC)


@pytest.fixture
def course(here):
    """Uploads of a user who has logged in."""
    settings = load_settings(here.environ)
    token = log_in_at(here.gateway.origin, here.cloud.wechat.issue_code())
    return Uploads(settings, here.gateway.origin, token, NOW)


@pytest.fixture
def upload(here, course):
    """Upload for a profile of the demo, where both sides have these settings."""

    def tried(profile="default", deployed=None, **changes):
        here.deploy(**(deployed or {}))
        course.settings = load_settings({**here.environ, **(deployed or {}), **changes})
        return course.check_profile(course.settings.profiles[profile])

    return tried


def test_without_a_caller_nothing_is_uploaded_and_the_commands_of_before_are_named(here):
    findings = here.examine(code="")
    (finding,) = findings.of("Upload")
    assert finding.state is State.SKIPPED
    assert all(name in finding.remedy.en for name in ("--code", "check-deploy", "setup"))
    # The role is tried all the same.
    assert findings.of("AssumeRole", State.GOOD) and not findings.of("", State.BAD)
    assert findings.of("Large files") == []


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
    assert removal.state is State.UNSURE and removal.said.en.count("avatars/") == 1


def test_a_refused_code_or_token_is_explained_and_a_token_spares_the_code(here):
    findings = here.examine(code="bad-code")
    assert "wx.login" in findings.the_bad_one("Login at the function").remedy.en
    assert findings.of("Upload") == []
    findings = here.examine(token="no.good.token")
    assert len([one for one in findings.of("Upload", State.BAD) if one.remedy]) == len(here.profiles)
    token = log_in_at(here.gateway.origin, here.cloud.wechat.issue_code())
    assert here.examine(code="bad-code", token=token).of("Login") == []


@pytest.mark.parametrize(
    ("fault", "advice"), [("expired_form", "expires_in"), ("drop", "OSS_HOST"), ("status_500", "RequestId")]
)
def test_each_failure_of_an_upload_is_explained(here, upload, fault, advice):
    here.cloud.oss.faults.plan(fault, times=1, on=["PostObject"])
    assert advice in upload().remedy.en


def test_public_files_where_public_access_is_blocked_are_explained(upload, serving, oss_error):
    body = oss_error("AccessDenied").replace("<Message>m", "<Message>Put public object acl is not allowed")
    deployed = {"OSS_HOST": serving(403, body, "application/xml")}
    assert "Block Public Access" in upload("avatar", deployed).remedy.en


def test_a_failed_callback_is_red_although_the_file_is_stored(here, upload, course):
    here.cloud.oss.faults.plan("callback_fails")
    finding = upload("avatar")
    assert finding.state is State.BAD and "CallbackFailed" in finding.said.en
    assert len(course.keys_left) == 1


@pytest.mark.parametrize(
    ("answer", "advice"),
    [(None, "TOKEN_SECRET"), ({}, "CALLBACK_URL"), ({"receipt": "a.b.c"}, "make deploy")],
    ids=["another secret here", "no receipt", "a receipt of another secret"],
)
def test_a_callback_without_a_good_receipt_names_the_cause(upload, serving, answer, advice):
    changes, deployed = {"TOKEN_SECRET": "another-secret-0123456789abcdefghi"}, {}
    if answer is not None:
        changes, deployed = {}, {"CALLBACK_URL": serving(200, json.dumps(answer)) + "/callback"}
    finding = upload("avatar", deployed, **changes)
    assert finding.state is State.BAD and advice in finding.remedy.en


def test_a_bucket_that_takes_everything_is_dangerous_and_its_new_objects_are_named(here, serving, oss_error):
    origin = serving(200, "", DELETE=(403, oss_error("AccessDenied")))
    findings = here.examine(deployed={"OSS_HOST": origin})
    assert "private" in findings.the_bad_one("A changed key").remedy.en
    assert "Block Public Access" in findings.the_bad_one("A public file of [legacy]").remedy.en
    [removal] = findings.of("Removal")
    assert removal.state is State.UNSURE and "uploads/" in removal.said.en


def test_a_refusal_for_another_reason_does_not_pass_for_protection(here, course):
    # 403 is the protection; a 500 shows nothing about it.
    here.cloud.oss.faults.plan("status_500")
    assert course.check_changed_key(course.settings.profiles["default"]).state is State.BAD


def test_a_profile_of_large_files_only_is_left_out(here, profiles):
    text = '[default]\nkey = "uploads/{id}"\nmax_size = "10MiB"\nmin_size = "2MiB"\ncontent_types = ["a/b"]\n'
    findings = here.examine(**profiles(text))
    assert [one.state for one in findings.of("Upload")] == [State.SKIPPED]
    assert findings.of("A changed key", State.GOOD)
    # It has neither option.
    assert findings.of("Confirm") == findings.of("Read") == findings.of("Large files") == []


CHECKS = {
    "confirm": lambda of: of.check_confirmation(of.settings.profiles["default"], "t"),
    "read": lambda of: of.check_reading(of.settings.profiles["default"], "uploads/x"),
    "parts": lambda of: of.check_parts(of.settings.profiles["video"]),
}


@pytest.fixture
def after(here):
    """Uploads at a function of the test's own."""
    return lambda url: Uploads(load_settings(here.environ), url, "token", NOW)


def test_a_silent_function_or_another_secret_shows_in_the_confirmation(here, after):
    for check in CHECKS.values():
        finding = check(after(REFUSED))
        assert finding.state is State.BAD and "--url" in finding.remedy.en
    other = here.examine(TOKEN_SECRET="another-secret-0123456789abcdefghi").the_bad_one("Confirm [default]")
    assert "make deploy" in other.remedy.en


@cases("check", "status", "body", "piece")
def test_each_response_that_is_not_as_it_should_be_has_its_remedy(after, serving, check, status, body, piece):
    body = {"error": {"code": body, "message": "m", "requestId": "r"}} if status >= 400 else body
    finding = CHECKS[check](after(serving(status, json.dumps(body))))
    assert finding.state is State.BAD and piece in finding.remedy.en


def test_a_receipt_without_a_look_at_oss_is_bad(here, serving, after):
    told = {"sub": "doctor", "seen": False}
    life, secrets = timedelta(hours=1), [here.environ["TOKEN_SECRET"]]
    receipt = issue_token(told, audience=RECEIPT, secrets=secrets, now=NOW, life=life)
    finding = CHECKS["confirm"](after(serving(200, json.dumps({"receipt": receipt}))))
    assert finding.state is State.BAD and "make deploy" in finding.remedy.en


def test_a_read_origin_of_another_bucket_or_a_missing_right_is_bad(after, serving, oss_error):
    for status, code in ((404, "NoSuchBucket"), (403, "AccessDenied")):
        foreign = serving(status, oss_error(code), "application/xml")
        finding = CHECKS["read"](after(serving(200, json.dumps({"url": f"{foreign}/k"}))))
        assert code in finding.said.en
        assert ("setup again" in finding.remedy.en) is (status == 403)


@pytest.mark.parametrize(("answers", "setting"), [(False, "OSS_HOST"), (True, "OSS_ENDPOINT")])
def test_a_part_that_does_not_reach_the_bucket_names_the_setting(after, serving, answers, setting):
    part = {"number": 1, "size": 1, "url": f"{serving(200, '') if answers else REFUSED}/x"}
    function = serving(200, json.dumps({"ticket": "t", "headers": {}, "parts": [part], "missing": 1}))
    assert setting in CHECKS["parts"](after(function)).remedy.en


@pytest.mark.parametrize("fails", [True, False])
def test_a_part_is_aborted_whatever_oss_says_of_it(here, course, fails):
    if fails:
        here.cloud.oss.faults.plan("expired_url", on=["UploadPart"])
    finding = course.check_parts(course.settings.profiles["video"])
    assert finding.state is (State.BAD if fails else State.GOOD)
    assert ("HTTP 403" in finding.said.en) is fails
    assert list(here.cloud.idle().oss.bucket.uploads) == []
