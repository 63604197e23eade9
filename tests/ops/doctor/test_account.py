"""``doctor`` about roles and buckets: an account as ``setup`` made it, and what it lacks."""

import pytest

from function.app import load_settings
from ops.doctor.account import check_account
from ops.doctor.findings import State
from tests.ops.account.conftest import cloud  # noqa: F401
from tests.ops.account.stubs import SECRET, UPLOAD_ROLE, bucket_info, run
from tests.ops.account.test_before_deploy import POST, REFUSED, SETTINGS
from tests.ops.doctor.conftest import Findings


@pytest.fixture
def account(cloud):  # noqa: F811
    """An account that ``setup`` made ready for [post]; ask what is found for further options of it."""
    cloud.profiles.write_text(POST)
    assert run(cloud, "--yes", "--bucket-create") == 0

    def found(options="", **changes):
        cloud.profiles.write_text(POST + options)
        environ = {**SETTINGS, "PROFILES_FILE": str(cloud.profiles), **changes}
        findings = Findings(check_account(environ, load_settings(environ)))
        assert SECRET not in repr(findings)
        return findings

    cloud.found = found
    return cloud


def test_an_account_as_setup_made_it_is_good(account):
    (finding,) = account.found()
    assert finding.state is State.GOOD


def test_missing_rights_of_a_role_are_named_and_setup_mends_them(account):
    finding = account.found('read = "owner"\nlist = true\n').the_bad_one("Roles")
    assert UPLOAD_ROLE in finding.said.en and "oss:ListObjects" in finding.said.en
    assert "manage.py setup" in finding.remedy.en


@pytest.mark.parametrize("rules", ["", "<Rule><ID>oss-direct-upload-expire-held</ID><Prefix>held/</Prefix>"])
def test_missing_or_old_rules_below_held_are_mended_by_setup(account, rules):
    """One rule on held objects and records would remove the evidence of rejections."""
    whole = f"{rules}<Status>Enabled</Status><Expiration><Days>1</Days></Expiration></Rule>" if rules else ""
    account.oss.documents["lifecycle"] = f"<LifecycleConfiguration>{whole}</LifecycleConfiguration>"
    finding = account.found().the_bad_one("Roles")
    assert "held/posts/" in finding.said.en and "manage.py setup" in finding.remedy.en


def test_a_public_bucket_is_bad_for_strip_and_else_a_doubt(account):
    account.oss.info = bucket_info(acl="public-read")
    assert [one.state for one in account.found()] == [State.UNSURE]
    assert any("strip" in one.said.en for one in account.found("strip = true\n").of("Roles", State.BAD))


def test_versioning_is_bad_where_something_is_held(account):
    account.oss.info = bucket_info(versioning="Enabled")
    found = account.found()
    assert [one.state for one in found] == [State.UNSURE, State.BAD]
    assert all("x-oss-forbid-overwrite" in one.said.en for one in found)


def test_each_part_that_the_key_may_not_read_is_a_doubt(account):
    account.ram.refuse["GetPolicy"] = (403, {"Code": "NoPermission", "Message": "m"})
    account.oss.refuse["GET"] = REFUSED
    roles, bucket = account.found()
    assert [roles.state, bucket.state] == [State.UNSURE] * 2
    assert "NoPermission" in roles.said.en and "AccessDenied" in bucket.said.en
    account.ram.refuse["GetCallerIdentity"] = (403, {"Code": "Forbidden", "Message": "m"})
    (finding,) = account.found()
    assert finding.state is State.UNSURE and "Forbidden" in finding.said.en
