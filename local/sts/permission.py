"""
Whether a caller may assume a role: ``sts:AssumeRole`` on the role's ARN in every one of its policies.

Source: https://help.aliyun.com/zh/ram/user-guide/policy-structure-and-syntax
"""

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Any

ACTION = "sts:AssumeRole"


def may_assume(policies: Iterable[Mapping[str, Any]], role_arn: str) -> bool:
    """No policy at all is the account itself, which may do everything on the local cloud."""
    return all(_allows(policy.get("Statement"), role_arn) for policy in policies)


def _allows(statements: Any, role_arn: str) -> bool:
    allowed = False
    for statement in _listed(statements):
        if not (
            isinstance(statement, Mapping)
            and _names(statement, "Action", ACTION)
            and _names(statement, "Resource", role_arn)
        ):
            continue
        # Conditions are not evaluated: what cannot be judged grants nothing and still denies.
        if statement.get("Effect") == "Deny":
            return False
        allowed = allowed or (statement.get("Effect") == "Allow" and not statement.get("Condition"))
    return allowed


def _names(statement: Mapping[str, Any], element: str, value: str) -> bool:
    """Read ``Action`` or ``NotAction``, ``Resource`` or ``NotResource``; ``*`` and ``?`` stand for others."""
    # Actions are compared in either case, names of resources are not.
    fold = str.lower if element == "Action" else str

    def fits(pattern: Any) -> bool:
        # fnmatch would read a bracket as a set of characters; RAM reads it as a bracket.
        return isinstance(pattern, str) and fnmatchcase(fold(value), fold(pattern).replace("[", "[[]"))

    if f"Not{element}" in statement:
        return not any(fits(pattern) for pattern in _listed(statement[f"Not{element}"]))
    return any(fits(pattern) for pattern in _listed(statement.get(element)))


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
