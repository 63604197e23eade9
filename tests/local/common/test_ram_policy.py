"""RAM documents: what they allow, and above all what they do not."""

from local.common.ram_policy import fits, is_allowed
from tests.support.cases import cases_beside

cases = cases_beside(__file__)

ROLE = "acs:ram::1234567890123456:role/uploader"


def statement(**changed):
    given = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": ROLE} | changed
    return {name: value for name, value in given.items() if value is not None}


def allows(*statements, resource=ROLE, **facts):
    policies = [{"Version": "1", "Statement": list(statements)}]
    return is_allowed(policies, "sts:AssumeRole", lambda pattern: fits(pattern, resource), facts)


@cases("changed")
def test_a_statement_allows(changed):
    assert allows(statement(**changed))


@cases("changed")
def test_a_statement_does_not_allow(changed):
    assert not allows(statement(**changed))


def test_a_single_statement_need_not_be_a_list_and_a_text_allows_nothing():
    assert not allows("Allow")
    assert is_allowed([{"Statement": statement(Resource="*")}], "sts:AssumeRole", lambda _: True)


def test_deny_wins_in_any_order():
    every, deny = statement(Resource="*"), statement(Effect="Deny", Resource="*/uploader")
    assert not allows(every, deny) and not allows(deny, every)
    assert allows(every, deny, resource="acs:ram::1:role/other")


def test_every_policy_must_allow_and_the_account_itself_has_none():
    wide, narrow = ({"Statement": [statement(Resource=pattern)]} for pattern in ("*", "a/42/*"))

    def allowed(resource, *policies):
        return is_allowed(policies, "sts:AssumeRole", lambda pattern: fits(pattern, resource))

    assert allowed("a/42/b", wide, narrow) and allowed("a/43/b")
    assert not allowed("a/43/b", wide, narrow) and not allowed("a/43/b", narrow, wide)
    assert not allowed("a/42/b", {}) and not allowed("a/42/b", {"Statement": []})


@cases("given", "expected")
def test_a_deny_applies_unless_its_condition_is_known_to_be_false(given, expected):
    condition, acl = given
    deny = statement(Effect="Deny", Condition=condition)
    assert allows(statement(), deny, **{"oss:x-oss-object-acl": acl}) is (expected == "not denied")


@cases("given", "expected")
def test_an_allow_counts_only_when_its_condition_is_known_to_hold(given, expected):
    condition, acl = given
    assert allows(statement(Condition=condition), **{"oss:x-oss-object-acl": acl}) is (expected == "allowed")
