"""
RAM documents: what they allow, and above all what they do not.
"""

import pytest

from local.ground.ram_policy import is_allowed

FOLDER = "acs:oss:*:*:examplebucket/uploads/*"


def _statement(effect="Allow", action="oss:PutObject", resource=FOLDER, **more):
    return {"Effect": effect, "Action": action, "Resource": resource, **more}


def _allows(*statements, action="oss:PutObject", bucket="examplebucket", key="uploads/a.jpg"):
    return is_allowed([{"Version": "1", "Statement": list(statements)}], action, bucket, "cn-hangzhou", key)


@pytest.mark.parametrize(
    "statement",
    [
        _statement(),
        _statement(action=["oss:GetObject", "oss:PutObject"]),
        _statement(action="oss:putobject"),
        _statement(action="oss:Put*"),
        _statement(action="oss:PutObjec?"),
        _statement(action="oss:*"),
        _statement(action="*"),
        _statement(resource=["acs:oss:*:*:other/*", FOLDER]),
        _statement(resource="*"),
        _statement(resource="acs:oss:*:1234567890123456:examplebucket/uploads/a.jpg"),
        _statement(resource="acs:oss:oss-cn-hangzhou:*:examplebucket/*"),
        _statement(resource="acs:oss:cn-hangzhou:*:example*/*.jpg"),
        _statement(resource="acs:oss:*:*:*"),
        {"Effect": "Allow", "NotAction": "oss:DeleteObject", "Resource": "*"},
        {"Effect": "Allow", "Action": "oss:PutObject", "NotResource": "acs:oss:*:*:examplebucket/secret/*"},
    ],
)
def test_allows(statement):
    assert _allows(statement)


@pytest.mark.parametrize(
    "statement",
    [
        _statement(effect="allow"),
        _statement(effect="Deny"),
        _statement(action="oss:PutObjectAcl"),
        _statement(action="oss:PutObject?"),
        _statement(action="oss:[P]utObject"),
        _statement(action="ram:*"),
        _statement(action=[]),
        _statement(action=None),
        _statement(resource="acs:oss:*:*:examplebucket"),
        _statement(resource="acs:oss:*:*:examplebucket/upload/*"),
        _statement(resource="acs:oss:*:*:examplebucket/Uploads/*"),
        _statement(resource="acs:oss:*:*:examplebucket-2/uploads/*"),
        _statement(resource="acs:oss:oss-cn-shanghai:*:examplebucket/*"),
        _statement(resource="acs:ecs:*:*:examplebucket/uploads/*"),
        _statement(resource="arn:oss:*:*:examplebucket/uploads/*"),
        _statement(resource="examplebucket/uploads/*"),
        _statement(Condition={"IpAddress": {"acs:SourceIp": "10.0.0.0/8"}}),
        {"Effect": "Allow", "NotAction": "oss:Put*", "Resource": "*"},
        {"Effect": "Allow", "Action": "oss:PutObject", "NotResource": FOLDER},
        {"Effect": "Allow", "Action": "oss:PutObject"},
        {"Effect": "Allow", "Resource": FOLDER},
        "Allow",
    ],
)
def test_does_not_allow(statement):
    assert not _allows(statement)


def test_deny_wins_wherever_it_stands():
    deny = _statement("Deny", resource="acs:oss:*:*:examplebucket/uploads/a*")
    assert not _allows(_statement(), deny)
    assert not _allows(deny, _statement())
    assert _allows(_statement(), deny, key="uploads/b.jpg")


def test_a_deny_whose_condition_cannot_be_judged_still_denies():
    deny = _statement("Deny", Condition={"Bool": {"acs:SecureTransport": "false"}})
    assert not _allows(_statement(), deny)


def test_every_policy_must_allow():
    wide = {"Statement": [_statement(resource="*")]}
    narrow = {"Statement": [_statement(resource="acs:oss:*:*:examplebucket/uploads/42/*")]}

    def allowed(key, *policies):
        return is_allowed(policies, "oss:PutObject", "examplebucket", "cn-hangzhou", key)

    assert allowed("uploads/42/a.jpg", wide, narrow)
    assert not allowed("uploads/43/a.jpg", wide, narrow)
    assert not allowed("uploads/43/a.jpg", narrow, wide)


def test_the_account_itself_has_no_policy_and_an_empty_policy_allows_nothing():
    assert is_allowed((), "oss:PutObject", "b", "cn-hangzhou", "k")
    assert not is_allowed([{}], "oss:PutObject", "b", "cn-hangzhou", "k")
    assert not is_allowed([{"Statement": []}], "oss:PutObject", "b", "cn-hangzhou", "k")


def test_a_single_statement_need_not_be_a_list():
    assert is_allowed(
        [{"Statement": _statement()}], "oss:PutObject", "examplebucket", "cn-hangzhou", "uploads/a"
    )


def test_wildcards_in_a_key_are_only_characters():
    only = _statement(resource="acs:oss:*:*:examplebucket/uploads/secret.jpg")
    assert not _allows(only, key="uploads/*")
    assert _allows(_statement(resource="acs:oss:*:*:examplebucket/u:p/*"), key="u:p/[a]\n*")
