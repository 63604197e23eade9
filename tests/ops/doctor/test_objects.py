"""What comes after an upload, provoked: confirming and reading."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from function.app import load_settings
from function.auth.signed_tokens import RECEIPT, issue_token
from ops.doctor.findings import State
from ops.doctor.objects import check_confirmation, check_reading
from tests.support.cases import cases_beside

cases = cases_beside(__file__)

NOW = datetime.now(UTC)


@pytest.fixture
def default(here):
    settings = load_settings(here.environ)
    return settings, settings.profiles["default"]


def test_good_object_checks_are_merged_into_one_line(here):
    [finding] = here.examine().of("Confirm")
    assert (finding.check.en, finding.state) == ("Confirm [default], Read [default]", State.GOOD)
    assert here.cloud.oss.origin in finding.said.en


def test_without_an_option_nothing_is_confirmed_or_read(here, tmp_path):
    path = tmp_path / "profiles.toml"
    path.write_text('[default]\nkey = "u/{owner}/{id}"\nmax_size = 9\ncontent_types = ["image/png"]\n')
    findings = here.examine(PROFILES_FILE=str(path))
    assert findings.of("Confirm") == findings.of("Read") == []


def test_a_silent_function_or_another_secret_shows_in_the_confirmation(here, default):
    silent = check_confirmation(*default, "http://127.0.0.1:9", "t", NOW)
    assert (silent.state, "--url" in silent.remedy.en) == (State.BAD, True)
    other = here.examine(TOKEN_SECRET="another-secret-0123456789abcdefghi").the_bad_one("Confirm [default]")
    assert "make deploy" in other.remedy.en


@cases("status", "body", "piece")
def test_each_answer_that_is_no_confirmation_has_its_remedy(default, serving, status, body, piece):
    finding = check_confirmation(*default, serving(status, json.dumps(body)), "t", NOW)
    assert finding.state is State.BAD and piece in finding.remedy.en


def test_a_receipt_without_a_look_at_oss_is_bad(here, default, serving):
    told = {"sub": "doctor", "seen": False}
    life, secrets = timedelta(hours=1), [here.environ["TOKEN_SECRET"]]
    receipt = issue_token(told, audience=RECEIPT, secrets=secrets, now=NOW, life=life)
    url = serving(200, json.dumps({"receipt": receipt}))
    assert check_confirmation(*default, url, "t", NOW).state is State.BAD


@cases("status", "body", "piece")
def test_each_answer_of_read_that_opens_nothing_has_its_remedy(default, serving, status, body, piece):
    finding = check_reading(serving(status, json.dumps(body)), "token", default[1], "uploads/x")
    assert finding.state is State.BAD and piece in finding.remedy.en


def test_a_read_origin_of_another_bucket_or_a_missing_right_is_bad(default, serving, oss_error):
    for status, code in ((404, "NoSuchBucket"), (403, "AccessDenied")):
        foreign = serving(status, oss_error(code), "application/xml")
        finding = check_reading(serving(200, json.dumps({"url": f"{foreign}/k"})), "t", default[1], "k")
        assert code in finding.said.en
        assert ("setup again" in finding.remedy.en) is (status == 403)


def test_a_function_that_does_not_serve_read_is_bad(default):
    finding = check_reading("http://127.0.0.1:9", "token", default[1], "uploads/x")
    assert (finding.state, "--url" in finding.remedy.en) == (State.BAD, True)
