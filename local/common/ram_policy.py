"""
RAM documents read the way RAM reads them: who is allowed what on which resource, under which condition.

Source: https://help.aliyun.com/zh/ram/user-guide/policy-structure-and-syntax
"""

from collections.abc import Callable, Iterable, Mapping
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Any

Facts = Mapping[str, str | None]


def is_allowed(
    policies: Iterable[Mapping[str, Any]],
    action: str,
    is_named_by: Callable[[str], bool],
    facts: Facts | None = None,
) -> bool:
    """
    Say whether every one of the policies allows an action on a resource.

    Args:
        policies: decoded documents; a role's and a session's both have to allow, so the result is their
            intersection. No policy at all is the account itself, which may do everything.

        action: such as ``oss:PutObject``.

        is_named_by: whether a pattern under ``Resource`` names the resource.

        facts: by lower-case name, such as ``oss:x-oss-object-acl``, what conditions can be held against;
            ``None`` for what this request does not have.
    """
    return all(_allows(policy, action, is_named_by, facts or {}) for policy in policies)


def fits(pattern: Any, value: str) -> bool:
    """RAM knows ``*`` and ``?``; a bracket is a bracket."""
    return isinstance(pattern, str) and _matches(pattern, value)


@lru_cache(maxsize=4096)
def _matches(pattern: str, value: str) -> bool:
    return fnmatchcase(value, pattern.replace("[", "[[]"))


def _allows(policy: Mapping[str, Any], action: str, is_named_by: Callable[[str], bool], facts: Facts) -> bool:
    lower = action.lower()

    def is_action(pattern: str) -> bool:
        return fits(pattern.lower(), lower)

    allowed = False
    for statement in _listed(policy.get("Statement")):
        if not isinstance(statement, Mapping):
            continue
        if not (_names(statement, "Action", is_action) and _names(statement, "Resource", is_named_by)):
            continue
        holds = _holds(statement.get("Condition"), facts)
        # What cannot be judged grants nothing and still denies.
        if statement.get("Effect") == "Deny" and holds is not False:
            return False
        if statement.get("Effect") == "Allow" and holds is True:
            allowed = True
    return allowed


def _names(statement: Mapping[str, Any], element: str, is_meant: Callable[[str], bool]) -> bool:
    """Read ``Action`` or ``NotAction``, ``Resource`` or ``NotResource``."""
    negated = f"Not{element}"
    patterns = _listed(statement.get(negated, statement.get(element)))
    return any(isinstance(pattern, str) and is_meant(pattern) for pattern in patterns) != (
        negated in statement
    )


def _holds(condition: Any, facts: Facts) -> bool | None:
    """Every key of every operator must hold, with any of its values; ``None`` when that cannot be judged."""
    if not condition:
        return True
    if not isinstance(condition, Mapping):
        return None
    judged = [
        _is_met(operator, name, _listed(wanted), facts)
        for operator, keys in condition.items()
        for name, wanted in (keys.items() if isinstance(keys, Mapping) and keys else [("", None)])
    ]
    if False in judged:
        return False
    return None if None in judged else True


def _is_met(operator: str, name: str, wanted: list[Any], facts: Facts) -> bool | None:
    if operator not in ("StringEquals", "StringLike") or name.lower() not in facts:
        return None
    value = facts[name.lower()]
    if value is None:
        return False
    return any(fits(pattern, value) if operator == "StringLike" else pattern == value for pattern in wanted)


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
