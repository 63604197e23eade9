"""What is held back, provoked: rights, the rule that removes it, decisions that count once."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from function.http.client import HttpResponse
from function.oss.client import OssClient
from function.sts.credentials import StsCredentials
from local.cloud import ROLE_ARN
from local.oss.lifecycle import LifecycleRule
from ops.doctor.findings import State
from ops.doctor.held import keeps_the_first, new_record
from tests.support.cases import text_beside

NOW = datetime(2026, 11, 24, 14, tzinfo=UTC)
CREDENTIALS = StsCredentials("STS.k", "s" * 30, "t", NOW)
PROFILES = text_beside(__file__)


@pytest.fixture
def held(tmp_path):
    path = tmp_path / "profiles.toml"
    path.write_text(PROFILES)
    return {"PROFILES_FILE": str(path), "CALLBACK_URL": ""}


@pytest.fixture
def bucket(here):
    bucket = here.cloud.oss.bucket
    before, acl, readings = bucket.lifecycle.rules, bucket.acl, bucket.rules
    folders = ("held/posts/", "held/notes/", "held/.doctor/")
    rules = [LifecycleRule(folder, folder, is_enabled=True, days=2) for folder in folders]
    bucket.lifecycle.replace(rules, bucket.now())
    yield bucket
    bucket.lifecycle.replace(before, bucket.now())
    bucket.acl, bucket.rules = acl, readings


@pytest.fixture
def role_without(here):
    """A role that lacks a right."""
    roles, before = here.cloud.sts.roles, dict(here.cloud.sts.roles)

    def lacking(action):
        actions = [
            *("oss:GetObject", "oss:PutObject", "oss:PutObjectAcl", "oss:DeleteObject", "oss:ListParts"),
            *("oss:AbortMultipartUpload", "oss:PostProcessTask"),
        ]
        actions.remove(action)
        policy = {"Version": "1", "Statement": [{"Effect": "Allow", "Action": actions, "Resource": ["*"]}]}
        roles[ROLE_ARN] = replace(before[ROLE_ARN], policy=policy)

    yield lacking
    roles.update(before)


def test_held_uploads_are_published_and_deleted_leaving_nothing(here, held, bucket):
    before = set(here.cloud.idle().oss.bucket.objects)
    findings = here.examine(**held)
    assert not [one for one in findings if one.state is State.BAD]
    [finding] = findings.of("Keys behind forms")
    assert finding.check.en.startswith("Keys behind forms, Hold [post]")
    assert [one.check.en for one in findings.of("Confirm")] == ["Confirm [default], Read [default]"]
    assert set(here.cloud.idle().oss.bucket.objects) == before


def test_without_a_rule_it_would_wait_for_ever(here, held, bucket):
    of_records = LifecycleRule("records", "held/.doctor/", is_enabled=True, days=8)
    bucket.lifecycle.replace([of_records], bucket.now())
    assert "manage.py setup" in here.examine(**held).the_bad_one("Hold [post]").remedy.en


def test_a_rule_that_is_older_than_a_longer_hold_is_bad(here, held, bucket):
    """The object would be gone while it may still be committed."""
    path = Path(held["PROFILES_FILE"])
    path.write_text(path.read_text().replace("hold = ", "hold_days = 2\nhold = "))
    assert "manage.py setup" in here.examine(**held).the_bad_one("Hold [post]").remedy.en


def test_one_rule_on_held_objects_and_records_is_bad(here, held, bucket):
    """That of an older setup: it would remove the evidence of rejections."""
    bucket.lifecycle.replace([LifecycleRule("held", "held/", is_enabled=True, days=1)], bucket.now())
    finding = here.examine(**held).the_bad_one("Hold [post]")
    assert "manage.py setup" in finding.remedy.en and "held/" in finding.remedy.en


@pytest.mark.parametrize("right", ["oss:DeleteObject", "oss:GetObject"])
def test_a_role_from_before_the_option_is_mended_by_setup(here, held, bucket, role_without, right):
    role_without(right)
    assert "manage.py setup" in here.examine(**held).the_bad_one("Hold [post]").remedy.en


def test_a_role_from_before_strip_is_bad_and_the_missing_right_is_named(here, held, bucket, role_without):
    path = Path(held["PROFILES_FILE"])
    path.write_text(path.read_text().replace("hold = ", "strip = true\nhold = "))
    before = set(here.cloud.idle().oss.bucket.objects)
    assert not [one for one in here.examine(**held) if one.state is State.BAD]
    assert set(here.cloud.idle().oss.bucket.objects) == before
    role_without("oss:PostProcessTask")
    finding = here.examine(**held).the_bad_one("Hold [post]")
    assert "oss:PostProcessTask" in finding.said.en and "manage.py setup" in finding.remedy.en


def test_strip_in_a_public_bucket_is_bad(here, held, bucket):
    """A copy has the ACL of the bucket until it is made private."""
    path = Path(held["PROFILES_FILE"])
    path.write_text(path.read_text().replace("hold = ", "strip = true\nhold = "))
    bucket.acl, bucket.rules = "public-read", replace(bucket.rules, block_public_access=False)
    assert "strip" in here.examine(**held).the_bad_one("Hold [post]").said.en


@pytest.mark.parametrize(("second", "is_kept"), [(200, False), (409, True)])
def test_the_first_record_is_kept_only_if_a_second_write_is_refused(second, is_kept):
    """As with versioning, where OSS ignores x-oss-forbid-overwrite."""
    sent = []

    def oss(method, url, *, headers, **_options):
        sent.append((method, url, headers["x-oss-forbid-overwrite"]))
        if len(sent) == 1 or second == 200:
            return HttpResponse(200, b"")
        return HttpResponse(409, b"<Error><Code>FileAlreadyExists</Code></Error>")

    calls = OssClient("b", "cn-hangzhou", "https://b.example", CREDENTIALS, NOW, oss, lambda: 10.0)
    record = new_record()
    assert record.startswith("held/.doctor/")
    assert keeps_the_first(calls, record) is is_kept
    assert sent == [("PUT", f"https://b.example/{record}", "true")] * 2
