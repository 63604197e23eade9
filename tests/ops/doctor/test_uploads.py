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


@pytest.mark.parametrize(
    ("changes", "advice"),
    [({"OSS_REGION": "cn-beijing"}, "OSS_REGION"), ({"OSS_BUCKET": "another-bucket"}, "")],
)
def test_another_region_or_bucket_than_the_host_s_shows_in_the_upload(here, changes, advice):
    assert advice in here.examine(deployed=changes).of("Upload [default]", State.BAD)[0].remedy.en


def test_public_files_where_public_access_is_blocked_are_explained(here, serving, oss_error):
    body = oss_error("AccessDenied").replace("<Message>m", "<Message>Put public object acl is not allowed")
    findings = here.examine(deployed={"OSS_HOST": serving(403, body, "application/xml")})
    assert "Block Public Access" in findings.the_bad_one("Upload [avatar]").remedy.en


def test_a_failed_callback_is_red_although_the_file_is_stored(here):
    here.cloud.oss.faults.plan("callback_fails")
    findings = here.examine()
    finding = findings.the_bad_one("Upload [avatar]")
    assert "CallbackFailed" in finding.said.en
    assert findings.of("Removal", State.GOOD)


@pytest.mark.parametrize(
    ("answer", "advice"),
    [(None, "TOKEN_SECRET"), ({}, "CALLBACK_URL"), ({"receipt": "a.b.c"}, "make deploy")],
    ids=["another secret here", "no receipt", "a receipt of another secret"],
)
def test_a_callback_without_a_good_receipt_names_the_cause(here, serving, answer, advice):
    changes = {"TOKEN_SECRET": "another-secret-0123456789abcdefghi"}
    if answer is not None:
        changes = {"CALLBACK_URL": serving(200, json.dumps(answer)) + "/callback"}
    deployed = changes if answer is not None else {}
    assert advice in here.examine(**changes, deployed=deployed).the_bad_one("Upload [avatar]").remedy.en


def test_a_bucket_that_takes_everything_is_dangerous_and_what_it_keeps_is_named(here, serving, oss_error):
    origin = serving(200, "", DELETE=(403, oss_error("AccessDenied")))
    findings = here.examine(deployed={"OSS_HOST": origin})
    assert "private" in findings.the_bad_one("A changed key").remedy.en
    assert "Block Public Access" in findings.the_bad_one("A public file of [legacy]").remedy.en
    [removal] = findings.of("Removal")
    assert removal.state is State.UNSURE and "uploads/" in removal.said.en


def test_a_refusal_for_another_reason_does_not_pass_for_protection(here):
    # 403 is the protection; a 500 shows nothing about it.
    here.cloud.oss.faults.plan("status_500")
    assert here.examine().of("A changed key", State.BAD)


def test_a_profile_of_large_files_only_is_left_out(here, tmp_path):
    (tmp_path / "profiles.toml").write_text(
        '[default]\nkey = "uploads/{id}"\nmax_size = "10MiB"\nmin_size = "2MiB"\ncontent_types = ["a/b"]\n'
    )
    findings = here.examine(PROFILES_FILE=str(tmp_path / "profiles.toml"))
    assert [one.state for one in findings.of("Upload")] == [State.SKIPPED]
    assert findings.of("A changed key", State.GOOD)
