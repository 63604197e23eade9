"""What the policies of a key pair let it do with an object."""

import pytest

from local.common.accounts import AccessKey, Accounts
from local.oss.access import permits
from local.oss.bucket import Bucket
from local.oss.objects import Objects
from local.oss.rules import OssRules
from tests.local.oss.conftest import OSS_NOW
from tests.support.cases import cases_beside

cases = cases_beside(__file__)

FOLDER = "acs:oss:*:*:examplebucket/uploads/*"


@pytest.fixture
def permitted(tmp_path):
    bucket = Bucket("examplebucket", "cn-hangzhou", Accounts(), Objects(tmp_path), lambda: OSS_NOW)

    def ask(*statements, action="oss:PutObject", key="uploads/a.jpg", acl=None, prefix=None, **rules):
        bucket.rules = OssRules(**rules)
        statements = [{"Effect": "Allow", "Action": "oss:PutObject", **statement} for statement in statements]
        policies = ({"Version": "1", "Statement": statements},)
        return permits(AccessKey("id", "secret", policies=policies), action, bucket, key, acl, prefix)

    return ask


@cases("pattern", "kind")
def test_a_pattern_names_the_object_or_another(pattern, kind, permitted):
    named = pattern if isinstance(pattern, str) else list(pattern)
    assert permitted({"Resource": named}) is (kind == "named")


def test_wildcards_in_a_key_are_only_characters(permitted):
    assert not permitted({"Resource": "acs:oss:*:*:examplebucket/uploads/secret.jpg"}, key="uploads/*")
    assert permitted({"Resource": "acs:oss:*:*:examplebucket/u:p/*"}, key="u:p/[a]\n*")


@pytest.mark.parametrize(("acl", "allowed"), [("public-read", False), ("private", True), (None, True)])
def test_a_policy_can_forbid_public_objects_and_no_others(acl, allowed, permitted):
    public = {"StringEquals": {"oss:x-oss-object-acl": ["public-read", "public-read-write"]}}
    deny = {"Effect": "Deny", "Resource": FOLDER, "Condition": public}
    assert permitted({"Resource": FOLDER}, deny, acl=acl) is allowed


def listing(action="oss:ListObjects", resource="acs:oss:*:*:examplebucket"):
    condition = {"StringLike": {"oss:Prefix": ["u/42/", "u/42/*"]}}
    return {"Action": action, "Resource": resource, "Condition": condition}


@cases("prefix", "allowed")
def test_a_list_is_allowed_by_its_prefix(prefix, allowed, permitted):
    asked = {"action": "oss:ListObjects", "key": "", "prefix": prefix}
    assert permitted(listing(), **asked) is allowed
    assert not permitted(listing(resource="acs:oss:*:*:examplebucket/*"), **asked)


@pytest.mark.parametrize("action", ["oss:ListObjectVersions", "oss:ListMultipartUploads"])
@pytest.mark.parametrize("binds", [True, False])
def test_other_lists_have_a_prefix_by_a_rule_alone(action, binds, permitted):
    for prefix, is_inside in (("u/42/", True), ("u/43/", False), (None, False)):
        asked = {"action": action, "key": "", "prefix": prefix, "prefix_binds_every_list": binds}
        assert permitted(listing(action), **asked) is (binds and is_inside)
        without = {"Action": action, "Resource": "acs:oss:*:*:examplebucket"}
        assert permitted(without, **asked)
