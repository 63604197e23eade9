"""What comes after an upload, provoked: confirming, reading, and the keys behind forms."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import requests

from function.app import load_settings
from function.auth.tokens import RECEIPT, issue_token
from function.credentials import AccessKeys, StsCredentials
from local.cloud import FUNCTION_KEY, ROLE_ARN
from ops.doctor.findings import State
from ops.doctor.objects import check_behind_forms, check_reading, check_reading_at
from tests.support.cases import cases_beside

cases = cases_beside(__file__)

PLAIN = '[default]\nkey = "uploads/{owner}/{id}"\nmax_size = 9\ncontent_types = ["image/png"]\n'
KEYS = AccessKeys(FUNCTION_KEY.access_key_id, FUNCTION_KEY.access_key_secret, None)
WRITE_ONLY = {
    "Version": "1",
    "Statement": [{"Effect": "Allow", "Action": ["oss:PutObject", "oss:PutObjectAcl"], "Resource": ["*"]}],
}


@pytest.fixture
def profiles(tmp_path):
    def write(options):
        path = tmp_path / "profiles.toml"
        path.write_text(PLAIN + options)
        return {"PROFILES_FILE": str(path)}

    return write


@pytest.fixture
def write_only(here):
    """The role as it was before an option that reads was switched on."""
    roles, before = here.cloud.sts.roles, dict(here.cloud.sts.roles)
    roles[ROLE_ARN] = replace(before[ROLE_ARN], policy=WRITE_ONLY)
    yield
    roles.update(before)


def test_good_object_checks_are_merged_into_one_line(here):
    [finding] = here.examine().of("Confirm")
    assert finding.check.en == "Confirm [default], Read [default]"
    assert here.cloud.oss.origin in finding.said.en and here.cloud.oss.origin in finding.said.zh


def test_without_an_option_nothing_is_confirmed_or_read_but_the_keys_are_tried(here, profiles):
    findings = here.examine(**profiles(""))
    assert findings.of("Confirm") == findings.of("Read") == []
    assert findings.of("Keys behind forms", State.GOOD)


def test_the_read_right_of_a_confirm_only_profile_is_tried(here, profiles):
    findings = here.examine(**profiles("confirm = true\n"), url="")
    assert [(one.check.en, one.state) for one in findings.of("Confirm")] == [
        ("Confirm [default], Read [default]", State.GOOD)
    ]


def test_a_role_from_before_the_option_is_mended_by_setup(here, write_only):
    assert "manage.py setup" in here.examine().the_bad_one("Read [default]").remedy.en


def test_confirm_is_skipped_without_a_function_url(here, profiles):
    findings = here.examine(**profiles("confirm = true\n"), url="", CALLBACK_URL="")
    [confirm] = findings.of("Confirm")
    assert (confirm.state, "--url" in confirm.remedy.en) == (State.SKIPPED, True)
    assert findings.of("Read [default]", State.GOOD)


def test_a_silent_function_or_another_secret_shows_in_the_confirmation(here, profiles):
    silent = here.examine(url="http://127.0.0.1:9").the_bad_one("Confirm [default]")
    assert "--url" in silent.remedy.en
    changes = profiles("confirm = true\n") | {"TOKEN_SECRET": "another-secret-0123456789abcdefghi"}
    assert "make deploy" in here.examine(**changes).the_bad_one("Confirm [default]").remedy.en


@cases("status", "body", "piece")
def test_each_answer_that_is_no_confirmation_has_its_remedy(here, serving, status, body, piece):
    finding = here.examine(url=serving(status, json.dumps(body))).the_bad_one("Confirm [default]")
    assert piece in finding.remedy.en


def test_a_receipt_without_a_look_at_oss_is_bad(here, serving):
    receipt = issue_token(
        {"sub": "doctor", "seen": False},
        audience=RECEIPT,
        secrets=[here.environ["TOKEN_SECRET"]],
        now=datetime.now(UTC),
        life=timedelta(hours=1),
    )
    assert here.examine(url=serving(200, json.dumps({"receipt": receipt}))).the_bad_one("Confirm [default]")


def test_a_read_origin_of_another_bucket_is_bad(here, serving, oss_error):
    silent = here.examine(READ_ORIGIN="http://127.0.0.1:9").the_bad_one("Read [default]")
    assert "READ_ORIGIN" in silent.remedy.en
    foreign = serving(404, oss_error("NoSuchBucket"), "application/xml")
    assert "NoSuchBucket" in here.examine(READ_ORIGIN=foreign).the_bad_one("Read [default]").said.en


def test_a_session_that_sts_does_not_give_is_explained(here):
    settings = load_settings({**here.environ, "STS_ROLE_ARN": "acs:ram::1000000000000001:role/nobody"})
    profile = settings.profiles["default"]
    finding = check_reading(settings, profile, "uploads/x", KEYS, datetime.now(UTC))
    assert finding.state is State.BAD
    assert "STS_ROLE_ARN" in finding.remedy.en


@pytest.mark.parametrize(("get", "delete"), [(200, 403), (403, 204), (404, 403), (403, 404), (403, 500)])
def test_keys_behind_forms_that_are_let_in_are_dangerous(here, serving, get, delete):
    """404 as well: whoever hears that nothing is there was let in."""
    origin = serving(403, "", GET=(get, ""), DELETE=(delete, ""))
    settings = load_settings({**here.environ, "OSS_HOST": origin})
    keys = StsCredentials("STS.x", "secret", "token", datetime.now(UTC))
    finding = check_behind_forms(settings, keys, "uploads/x", datetime.now(UTC))
    assert finding.state is State.BAD
    assert finding.said.en == f"GET: HTTP {get}, DELETE: HTTP {delete}"
    assert "bucket policy" in finding.remedy.en


def test_keys_behind_forms_of_a_host_that_does_not_answer_are_not_called_safe(here):
    settings = load_settings({**here.environ, "OSS_HOST": "http://127.0.0.1:9"})
    keys = StsCredentials("STS.x", "secret", "token", datetime.now(UTC))
    assert check_behind_forms(settings, keys, "uploads/x", datetime.now(UTC)).state is State.BAD


def log_in(here, code):
    return requests.post(f"{here.gateway.origin}/login", json={"code": code}, timeout=60).json()["token"]


def test_a_caller_s_token_reads_its_upload_through_the_deployed_function(here):
    findings = here.examine(token=log_in(here, "local-doctor-reads"))
    assert findings.of("Confirm [default], Read [default]", State.GOOD)
    # Its own keys are tried all the same.
    assert findings.of("Keys behind forms", State.GOOD)


@cases("status", "body", "piece")
def test_each_answer_of_read_that_opens_nothing_has_its_remedy(here, serving, status, body, piece):
    profile = load_settings(here.environ).profiles["default"]
    finding = check_reading_at(serving(status, json.dumps(body)), "token", profile, "uploads/x")
    assert finding.state is State.BAD
    assert piece in finding.remedy.en


def test_a_function_that_does_not_serve_read_is_bad(here):
    profile = load_settings(here.environ).profiles["default"]
    finding = check_reading_at("http://127.0.0.1:9", "token", profile, "uploads/x")
    assert (finding.state, "--url" in finding.remedy.en) == (State.BAD, True)
