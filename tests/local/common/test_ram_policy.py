"""
RAM documents: what they allow, and above all what they do not.
"""

import pytest

from local.common.ram_policy import fits, is_allowed

ROLE = "acs:ram::1234567890123456:role/uploader"
ACL = "oss:x-oss-object-acl"


def _statement(effect="Allow", action="sts:AssumeRole", resource=ROLE, **more):
    return {"Effect": effect, "Action": action, "Resource": resource, **more}


def _allows(*statements, action="sts:AssumeRole", resource=ROLE, **facts):
    policies = [{"Version": "1", "Statement": list(statements)}]
    return is_allowed(policies, action, lambda pattern: fits(pattern, resource), facts)


@pytest.mark.parametrize(
    "statement",
    [
        _statement(),
        _statement(action=["oss:GetObject", "sts:AssumeRole"]),
        _statement(action="sts:assumerole"),
        _statement(action="sts:Assume*"),
        _statement(action="sts:AssumeRol?"),
        _statement(action="sts:*"),
        _statement(action="*"),
        _statement(resource=["acs:ram::1:role/other", ROLE]),
        _statement(resource="*"),
        _statement(resource="acs:ram::*:role/up*"),
        _statement(Condition={}),
        {"Effect": "Allow", "NotAction": "oss:DeleteObject", "Resource": "*"},
        {"Effect": "Allow", "Action": "sts:*", "NotResource": "acs:ram::*:role/admin"},
    ],
)
def test_allows(statement):
    assert _allows(statement)


@pytest.mark.parametrize(
    "statement",
    [
        _statement(effect="allow"),
        _statement(effect="Deny"),
        _statement(action="sts:AssumeRoles"),
        _statement(action="sts:AssumeRole?"),
        _statement(action="sts:[A]ssumeRole"),
        _statement(action="ram:*"),
        _statement(action=[]),
        _statement(action=None),
        _statement(action=7),
        _statement(resource="acs:ram::1234567890123456:role"),
        _statement(resource="acs:ram::1234567890123456:role/Uploader"),
        _statement(resource=[7]),
        _statement(Condition={"IpAddress": {"acs:SourceIp": "10.0.0.0/8"}}),
        {"Effect": "Allow", "NotAction": "sts:Assume*", "Resource": "*"},
        {"Effect": "Allow", "Action": "sts:AssumeRole", "NotResource": ROLE},
        {"Effect": "Allow", "Action": "sts:AssumeRole"},
        {"Effect": "Allow", "Resource": ROLE},
        "Allow",
    ],
)
def test_does_not_allow(statement):
    assert not _allows(statement)


def test_deny_wins_wherever_it_stands():
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


# Conditions

PUBLIC = {"StringEquals": {ACL: ["public-read", "public-read-write"]}}
FROM_HOME = {"IpAddress": {"acs:SourceIp": "10.0.0.0/8"}}


@pytest.mark.parametrize(
    ("condition", "acl", "denied"),
    [
        (PUBLIC, "public-read", True),
        (PUBLIC, "public-read-write", True),
        (PUBLIC, "private", False),
        (PUBLIC, None, False),
        ({"StringEquals": {ACL.upper(): "public-read"}}, "public-read", True),
        ({"StringEquals": {ACL: "Public-Read"}}, "public-read", False),
        ({"StringEquals": {ACL: [None]}}, None, False),
        ({**PUBLIC, **FROM_HOME}, "public-read", True),
        ({**PUBLIC, **FROM_HOME}, "private", False),
        ({"StringEquals": {ACL: "public-read", "acs:SourceIp": "10.0.0.1"}}, "private", False),
        ({"StringEquals": {"acs:SourceIp": "10.0.0.1"}}, "private", True),
        ({"StringLike": {ACL: "public-*"}}, "private", True),
        (FROM_HOME, "private", True),
        ({"StringEquals": "public-read"}, "private", True),
        (["public-read"], "private", True),
    ],
)
def test_a_deny_strikes_unless_its_condition_is_known_not_to_hold(condition, acl, denied):
    deny = _statement("Deny", Condition=condition)
    assert _allows(_statement(), deny, **{ACL: acl}) is not denied


@pytest.mark.parametrize(
    ("condition", "acl", "allowed"),
    [
        ({"StringEquals": {ACL: ["private", "default"]}}, "default", True),
        ({"StringEquals": {ACL: "private"}}, "default", False),
        ({"StringEquals": {ACL: "private"}}, None, False),
        ({"StringEquals": {ACL: "private"}, **FROM_HOME}, "private", False),
    ],
)
def test_an_allow_counts_only_when_its_condition_is_known_to_hold(condition, acl, allowed):
    assert _allows(_statement(Condition=condition), **{ACL: acl}) is allowed
