"""
RAM documents read the way RAM reads them: who is allowed what on which object.

Source: https://help.aliyun.com/zh/ram/user-guide/policy-structure-and-syntax
"""

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Any


def is_allowed(
    policies: Iterable[Mapping[str, Any]], action: str, bucket: str, region: str, key: str
) -> bool:
    """
    Say whether every one of the policies allows an action on an object.

    Args:
        policies: decoded documents; a role's and a session's both have to allow, so the result is their
            intersection. No policy at all is the account itself, which may do everything.

        action: such as ``oss:PutObject``.

        region: region id, without ``oss-``.
    """
    return all(_allows(policy, action, bucket, region, key) for policy in policies)


def _allows(policy: Mapping[str, Any], action: str, bucket: str, region: str, key: str) -> bool:
    allowed = False
    for statement in _listed(policy.get("Statement")):
        if not isinstance(statement, Mapping):
            continue
        if not (_names_action(statement, action) and _names_resource(statement, bucket, region, key)):
            continue
        # Conditions are not evaluated here. What cannot be judged grants nothing and still denies.
        if statement.get("Effect") == "Deny":
            return False
        if statement.get("Effect") == "Allow" and not statement.get("Condition"):
            allowed = True
    return allowed


def _names_action(statement: Mapping[str, Any], action: str) -> bool:
    def named(pattern: Any) -> bool:
        return isinstance(pattern, str) and _fits(pattern.lower(), action.lower())

    if "NotAction" in statement:
        return not any(named(pattern) for pattern in _listed(statement["NotAction"]))
    return any(named(pattern) for pattern in _listed(statement.get("Action")))


def _names_resource(statement: Mapping[str, Any], bucket: str, region: str, key: str) -> bool:
    def named(pattern: Any) -> bool:
        return isinstance(pattern, str) and _fits_resource(pattern, bucket, region, key)

    if "NotResource" in statement:
        return not any(named(pattern) for pattern in _listed(statement["NotResource"]))
    return any(named(pattern) for pattern in _listed(statement.get("Resource")))


def _fits_resource(pattern: str, bucket: str, region: str, key: str) -> bool:
    """``acs:oss:{region}:{account}:{bucket}/{key}``; the local cloud has one account, so any id fits."""
    if pattern == "*":
        return True
    parts = pattern.split(":", 4)
    if len(parts) != 5:
        return False
    scheme, service, places, _account, path = parts
    return (
        scheme == "acs"
        and _fits(service, "oss")
        and (_fits(places, region) or _fits(places, f"oss-{region}"))
        and _fits(path, f"{bucket}/{key}")
    )


def _fits(pattern: str, value: str) -> bool:
    """RAM knows ``*`` and ``?``; a bracket is a bracket."""
    return fnmatchcase(value, pattern.replace("[", "[[]"))


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
