"""The doctor's own uploads, and each way in which they fail."""

import json

import pytest

from ops.doctor.findings import State


@pytest.mark.parametrize(
    ("fault", "advice"), [("expired_form", "expires_in"), ("drop", "OSS_HOST"), ("status_500", "RequestId")]
)
def test_each_failure_of_an_upload_is_explained(here, fault, advice):
    here.cloud.oss.faults.plan(fault, times=1, on=["PostObject"])
    finding = here.examine().the_bad_one("Upload [default]")
    assert advice in finding.remedy.en


def test_a_region_that_is_not_the_buckets_shows_in_the_upload(here):
    findings = here.examine(OSS_REGION="cn-beijing")
    assert "OSS_REGION" in findings.the_bad_one("Upload [default]").remedy.en


def test_a_bucket_name_that_is_not_the_hosts_shows_in_the_upload(here):
    findings = here.examine(OSS_BUCKET="another-bucket")
    assert findings.of("Upload [default]", State.BAD)


def test_public_files_where_public_access_is_blocked_are_explained(here, serving, oss_error):
    body = oss_error("AccessDenied").replace("<Message>m", "<Message>Put public object acl is not allowed")
    findings = here.examine(OSS_HOST=serving(403, body, "application/xml"))
    assert "Block Public Access" in findings.the_bad_one("Upload [avatar]").remedy.en


def test_a_failed_callback_is_red_although_the_file_is_stored(here):
    here.cloud.oss.faults.plan("callback_fails")
    findings = here.examine()
    finding = findings.the_bad_one("Upload [avatar]")
    assert "CallbackFailed" in finding.said.en
    assert findings.of("Removal", State.GOOD)


def test_another_token_secret_than_the_functions_is_found_by_the_callback(here):
    finding = here.examine(TOKEN_SECRET="another-secret-0123456789abcdefghi").the_bad_one("Upload [avatar]")
    assert "TOKEN_SECRET" in finding.remedy.en


def test_a_callback_that_sends_no_receipt_leads_elsewhere(here, serving):
    url = serving(200, "{}") + "/callback"
    finding = here.examine(CALLBACK_URL=url).the_bad_one("Upload [avatar]")
    assert "CALLBACK_URL" in finding.remedy.en


def test_a_receipt_that_another_secret_signed_is_told_apart(here, serving):
    url = serving(200, json.dumps({"receipt": "a.b.c"})) + "/callback"
    finding = here.examine(CALLBACK_URL=url).the_bad_one("Upload [avatar]")
    assert "make deploy" in finding.remedy.en


def test_a_bucket_that_takes_everything_is_dangerous(here, serving):
    findings = here.examine(OSS_HOST=serving(200, ""))
    for check in ("A changed key", "Another folder"):
        finding = findings.the_bad_one(check)
        assert "was taken" in finding.said.en
        assert "private" in finding.remedy.en


def test_a_page_that_can_make_its_file_public_is_dangerous(here, serving):
    finding = here.examine(OSS_HOST=serving(200, "")).the_bad_one("A public file of [legacy]")
    assert "was taken" in finding.said.en
    assert "Block Public Access" in finding.remedy.en


def test_a_refusal_for_another_reason_does_not_pass_for_protection(here):
    # 403 is the protection; a 500 shows nothing about it.
    here.cloud.oss.faults.plan("status_500")
    findings = here.examine()
    assert findings.of("A changed key", State.BAD)
    assert findings.of("Another folder", State.BAD)


def test_files_that_the_keys_may_not_remove_are_named(here, serving, oss_error):
    origin = serving(200, "", DELETE=(403, oss_error("AccessDenied")))
    [finding] = here.examine(OSS_HOST=origin).of("Removal")
    assert finding.state is State.UNSURE
    assert "uploads/doctor/" in finding.said.en
    assert "Delete them in the OSS console" in finding.remedy.en


def test_a_profile_of_large_files_only_is_left_out(here, tmp_path):
    (tmp_path / "profiles.toml").write_text(
        '[default]\nkey = "uploads/{id}"\nmax_size = "10MiB"\nmin_size = "2MiB"\ncontent_types = ["a/b"]\n'
    )
    findings = here.examine(PROFILES_FILE=str(tmp_path / "profiles.toml"))
    assert [one.state for one in findings.of("Upload")] == [State.SKIPPED]
    assert findings.of("A changed key", State.GOOD)
