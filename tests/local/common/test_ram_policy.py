"""RAM documents: what they allow, and above all what they do not."""

from local.common.ram_policy import fits, is_allowed
from tests.support.cases import cases_beside

cases = cases_beside(__file__)

ROLE = "acs:ram::1234567890123456:role/uploader"
ACL = "oss:x-oss-object-acl"


def _statement(effect="Allow", action="sts:AssumeRole", resource=ROLE, **more):
    return {"Effect": effect, "Action": action, "Resource": resource, **more}


def _allows(*statements, action="sts:AssumeRole", resource=ROLE, **facts):
    policies = [{"Version": "1", "Statement": list(statements)}]
    return is_allowed(policies, action, lambda pattern: fits(pattern, resource), facts)


@cases("statement")
def test_allows(statement):
    assert _allows(statement)


@cases("statement")
def test_does_not_allow(statement):
    assert not _allows(statement)


def test_deny_wins_in_any_order():
    deny = _statement("Deny", resource="*/uploader")
    assert not _allows(_statement(resource="*"), deny)
    assert not _allows(deny, _statement(resource="*"))
    assert _allows(_statement(resource="*"), deny, resource="acs:ram::1:role/other")


def test_every_policy_must_allow():
    wide, narrow = {"Statement": [_statement(resource="*")]}, {"Statement": [_statement(resource="a/42/*")]}

    def allowed(resource, *policies):
        return is_allowed(policies, "sts:AssumeRole", lambda pattern: fits(pattern, resource))

    assert allowed("a/42/b", wide, narrow)
    assert not allowed("a/43/b", wide, narrow)
    assert not allowed("a/43/b", narrow, wide)


def test_the_account_itself_has_no_policy_and_an_empty_policy_allows_nothing():
    assert is_allowed((), "oss:PutObject", lambda _: False)
    assert not is_allowed([{}], "oss:PutObject", lambda _: True)
    assert not is_allowed([{"Statement": []}], "oss:PutObject", lambda _: True)


def test_a_single_statement_need_not_be_a_list():
    assert is_allowed([{"Statement": _statement(resource="*")}], "sts:AssumeRole", lambda _: True)


@cases("condition", "acl", "denied")
def test_a_deny_applies_unless_its_condition_is_known_to_be_false(condition, acl, denied):
    deny = _statement("Deny", Condition=condition)
    assert _allows(_statement(), deny, **{ACL: acl}) is not denied


@cases("condition", "acl", "allowed")
def test_an_allow_counts_only_when_its_condition_is_known_to_hold(condition, acl, allowed):
    assert _allows(_statement(Condition=condition), **{ACL: acl}) is allowed
