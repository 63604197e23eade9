"""Roles: which calls are still to be made, and what is told beside them."""

import json
from dataclasses import replace

import pytest

from ops.account.ram_documents import role_arn
from ops.account.role_plan import FoundRole, FoundRoles, function_role, role_steps, upload_role
from tests.ops.account.stubs import (
    ACCOUNT,
    FUNCTION_ROLE,
    MAY_ASSUME,
    TRUSTED_BY_FC,
    TRUSTED_BY_FUNCTION,
    UPLOAD_POLICY,
    UPLOAD_ROLE,
    run,
)
from tests.support.cases import profile_toml


def test_a_widened_policy_and_trust_policy_are_narrowed_again(cloud):
    assert run(cloud, "--yes") == 0
    wide = {"Version": "1", "Statement": [{"Effect": "Allow", "Action": "oss:*", "Resource": "*"}]}
    cloud.ram.policies[UPLOAD_ROLE] = json.dumps(wide)
    loose = json.dumps(TRUSTED_BY_FUNCTION).replace(f"role/{FUNCTION_ROLE}", "root")
    cloud.ram.roles[UPLOAD_ROLE]["AssumeRolePolicyDocument"] = loose
    cloud.ram.calls.clear()
    assert run(cloud, "--yes") == 0
    assert sorted(cloud.ram.changes()) == ["CreatePolicyVersion", "UpdateRole"]
    assert json.loads(cloud.ram.policies[UPLOAD_ROLE]) == UPLOAD_POLICY
    assert json.loads(cloud.ram.roles[UPLOAD_ROLE]["AssumeRolePolicyDocument"]) == TRUSTED_BY_FUNCTION


def test_documents_that_differ_in_layout_only_are_the_same(cloud):
    assert run(cloud, "--yes") == 0
    for name, document in cloud.ram.policies.items():
        cloud.ram.policies[name] = json.dumps(dict(reversed(json.loads(document).items())), indent=4)
    # Some answers carry the object itself.
    cloud.ram.policies[FUNCTION_ROLE] = json.loads(cloud.ram.policies[FUNCTION_ROLE])
    cloud.ram.calls.clear()
    assert run(cloud) == 0
    assert cloud.ram.changes() == []


def test_further_policies_of_a_role_are_named_and_left(cloud, capsys):
    assert run(cloud, "--yes") == 0
    cloud.ram.attached[UPLOAD_ROLE].append(("System", "AliyunOSSFullAccess"))
    cloud.ram.calls.clear()
    assert run(cloud) == 0
    assert "AliyunOSSFullAccess (System)" in capsys.readouterr().out
    assert cloud.ram.changes() == []


def test_an_option_adds_a_trusted_user_and_a_setting_a_logstore_and_nothing_else(cloud, monkeypatch):
    user = f"acs:ram::{ACCOUNT}:user/me"
    monkeypatch.setenv("LOG_PROJECT", "my-project")
    assert run(cloud, "--yes", "--also-trust", user) == 0
    trust = json.loads(cloud.ram.roles[UPLOAD_ROLE]["AssumeRolePolicyDocument"])
    assert trust["Statement"][0]["Principal"] == {"RAM": [f"acs:ram::{ACCOUNT}:role/{FUNCTION_ROLE}", user]}
    may = json.loads(cloud.ram.policies[FUNCTION_ROLE])
    assert may["Statement"][1:] == [
        {
            "Effect": "Allow",
            "Action": ["log:PostLogStoreLogs"],
            "Resource": [f"acs:log:*:{ACCOUNT}:project/my-project/logstore/oss-direct-upload"],
        }
    ]


def test_a_check_by_aliyun_adds_its_right_to_the_function_s_role_alone(cloud):
    with cloud.profiles.open("a") as file:
        file.write(CHECKED)
    assert run(cloud, "--yes") == 0
    _, moderation = json.loads(cloud.ram.policies[FUNCTION_ROLE])["Statement"]
    assert moderation == {"Effect": "Allow", "Action": ["yundun-greenweb:ImageModeration"], "Resource": ["*"]}
    assert "greenweb" not in cloud.ram.policies[UPLOAD_ROLE]


CHECKED = profile_toml("post", "posts", confirm=True, hold=["commit", "check"], check_by=["aliyun"])
DESIRED = (
    function_role(ACCOUNT, FUNCTION_ROLE, MAY_ASSUME),
    upload_role(role_arn(ACCOUNT, UPLOAD_ROLE), UPLOAD_POLICY, [role_arn(ACCOUNT, FUNCTION_ROLE)], 3600),
)


IN_PLACE = FoundRoles(
    {
        FUNCTION_ROLE: FoundRole(TRUSTED_BY_FC, 3600, frozenset({("Custom", FUNCTION_ROLE)})),
        UPLOAD_ROLE: FoundRole(TRUSTED_BY_FUNCTION, 3600, frozenset({("Custom", UPLOAD_ROLE)})),
    },
    {FUNCTION_ROLE: MAY_ASSUME, UPLOAD_ROLE: UPLOAD_POLICY},
)


@pytest.mark.parametrize(
    ("change", "actions"),
    [
        ({}, []),
        ({"attached": frozenset()}, ["AttachPolicyToRole"]),
        ({"trust": None}, ["UpdateRole"]),
        ({"trust": {**TRUSTED_BY_FUNCTION, "Version": "2"}}, ["UpdateRole"]),
        ({"max_session_seconds": 900}, ["UpdateRole"]),
        ({"max_session_seconds": 43200}, []),
    ],
)
def test_each_difference_of_a_role_is_one_step(change, actions):
    role = replace(IN_PLACE.roles[UPLOAD_ROLE], **change)
    found = FoundRoles({**IN_PLACE.roles, UPLOAD_ROLE: role}, IN_PLACE.policies)
    steps, notes = role_steps(DESIRED, found)
    assert ([step.action for step in steps], notes) == (actions, [])
