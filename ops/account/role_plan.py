"""Steps from the roles found in an account to the desired ones."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ops.account.ram_documents import Document, account_and_name, same_document, trust_policy
from ops.terminal.language import Text

# RAM takes 3600 to 43200 seconds here, though STS hands out sessions from 900 on.
LEAST_MAX_SESSION_SECONDS = 3600


@dataclass(frozen=True)
class Step:
    """
    One call that changes something; documents among the parameters are data, not text.

    Args:
        region: region id of the bucket that it is about; empty for what has no region.
    """

    service: str
    action: str
    parameters: Mapping[str, Any]
    why: Text
    region: str = ""


@dataclass(frozen=True)
class WantedRole:
    """
    One role, with the documents of its own.

    Args:
        account: whose it is to make.
        session_seconds: how long a session of it may be.
    """

    account: str
    name: str
    trust: Document
    policy: Document
    session_seconds: int
    why: Text


@dataclass(frozen=True)
class FoundRole:
    """A role as RAM describes it; ``attached`` are (type, name) of its policies."""

    trust: Any
    max_session_seconds: int
    attached: frozenset[tuple[str, str]]


@dataclass(frozen=True)
class FoundRoles:
    """Roles found in RAM by name; an absent name does not exist there."""

    roles: Mapping[str, FoundRole] = field(default_factory=dict)
    policies: Mapping[str, Any] = field(default_factory=dict)


def role_steps(desired: Iterable[WantedRole], found: FoundRoles) -> tuple[list[Step], list[Text]]:
    """
    The calls still to be made, in order, and what the operator should know.

    The function's role comes first: RAM refuses a trust policy that names a role that does not exist.
    """
    steps: list[Step] = []
    notes: list[Text] = []
    for wanted in desired:
        name, role = wanted.name, found.roles.get(wanted.name)
        steps += [*_role(wanted, role), *_policy(name, wanted.policy, found.policies)]
        if role is None or ("Custom", name) not in role.attached:
            parameters = {"PolicyType": "Custom", "PolicyName": name, "RoleName": name}
            steps.append(
                Step("RAM", "AttachPolicyToRole", parameters, Text("the role gets it", "授予该角色"))
            )
        notes += _surplus(name, role)
    return steps, notes


def function_role(account: str, name: str, policy: Document) -> WantedRole:
    """The role that the function runs as; it may take every upload role, in whatever account."""
    why = Text("Function Compute runs the function as this role", "函数计算以此角色运行函数")
    trust = trust_policy({"Service": ["fc.aliyuncs.com"]})
    return WantedRole(account, name, trust, policy, LEAST_MAX_SESSION_SECONDS, why)


def upload_role(arn: str, policy: Document, trusted: list[str], session_seconds: int) -> WantedRole:
    """A role whose temporary keys sign forms."""
    why = Text("forms are signed with temporary keys of this role", "表单用此角色的临时访问凭证签名")
    longest = max(session_seconds, LEAST_MAX_SESSION_SECONDS)
    trust = trust_policy({"RAM": sorted(trusted)})
    return WantedRole(*account_and_name(arn), trust, policy, longest, why)


def _role(wanted: WantedRole, role: FoundRole | None) -> Iterable[Step]:
    name, trust, session_seconds = wanted.name, wanted.trust, wanted.session_seconds
    if role is None:
        parameters = {
            "RoleName": name,
            "AssumeRolePolicyDocument": trust,
            "MaxSessionDuration": session_seconds,
            "Description": "oss-direct-upload",
        }
        yield Step("RAM", "CreateRole", parameters, wanted.why)
        return
    changes: dict[str, Any] = {}
    if not same_document(role.trust, trust):
        changes["NewAssumeRolePolicyDocument"] = trust
    if role.max_session_seconds < session_seconds:
        changes["NewMaxSessionDuration"] = session_seconds
    if changes:
        was = json.dumps(role.trust, ensure_ascii=False)
        differs = Text(
            f"the role exists otherwise (trust {was}, at most {role.max_session_seconds} s a session)",
            f"角色已存在但不同（信任 {was}，会话最长 {role.max_session_seconds} 秒）",
        )
        yield Step("RAM", "UpdateRole", {"RoleName": name, **changes}, differs)


def _policy(name: str, document: Document, policies: Mapping[str, Any]) -> Iterable[Step]:
    if name not in policies:
        parameters = {"PolicyName": name, "PolicyDocument": document, "Description": "oss-direct-upload"}
        why = Text("what the role may do, no more", "该角色的全部权限")
        yield Step("RAM", "CreatePolicy", parameters, why)
    elif not same_document(policies[name], document):
        version: dict[str, Any] = {
            "PolicyName": name,
            "PolicyDocument": document,
            "SetAsDefault": True,
            "RotateStrategy": "DeleteOldestNonDefaultVersionWhenLimitExceeded",
        }
        was = json.dumps(policies[name], ensure_ascii=False)
        why = Text(f"the policy exists otherwise: {was}", f"权限策略已存在但不同：{was}")
        yield Step("RAM", "CreatePolicyVersion", version, why)


def _surplus(name: str, role: FoundRole | None) -> Iterable[Text]:
    others = sorted(role.attached - {("Custom", name)}) if role else []
    if others:
        names = ", ".join(f"{policy} ({kind})" for kind, policy in others)
        yield Text(
            f"Role {name} has more policies than this project needs: {names}. Detach them in the RAM console"
            " unless you know why they are there.",
            f"角色 {name} 还有本项目不需要的权限策略：{names}。若非有意为之，请在 RAM 控制台解除授权。",
        )
