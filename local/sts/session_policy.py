"""
The ``Policy`` parameter of AssumeRole: its size and its grammar.

Source: https://help.aliyun.com/zh/ram/user-guide/policy-structure-and-syntax
"""

import json
import re
from typing import Any

from local.rpc.errors import Refusal, RpcError

POLICY_GRAMMAR = Refusal(
    400, "InvalidParameter.PolicyGrammar", "The parameter Policy has not passed grammar check."
)
POLICY_SIZE = Refusal(
    400, "InvalidParameter.PolicySize", "The size of Policy must be at most 2048 characters."
)
CHARACTERS_AT_MOST = 2048
ACTION = re.compile(r"\*|[a-z0-9-]+:[A-Za-z0-9*?]+")
RESOURCE = re.compile(r"\*|acs:[^\s:]*:[^\s:]*:[^\s:]*:.+")


def read_policy(text: str) -> dict[str, Any]:
    """
    Decode a session policy.

    Raises:
        RpcError: ``InvalidParameter.PolicySize`` or ``InvalidParameter.PolicyGrammar``.
    """
    if len(text) > CHARACTERS_AT_MOST:
        raise RpcError(*POLICY_SIZE)
    try:
        policy = json.loads(text, object_pairs_hook=_without_repetition)
    # 2048 opening brackets are deep enough for the second.
    except (ValueError, RecursionError):
        raise RpcError(*POLICY_GRAMMAR) from None
    if not _is_policy(policy):
        raise RpcError(*POLICY_GRAMMAR)
    return dict(policy)


def _without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        raise ValueError("a name occurs twice in one object")
    return value


def _is_policy(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and set(value) == {"Version", "Statement"}
        and value["Version"] == "1"
        and isinstance(value["Statement"], list)
        and len(value["Statement"]) > 0
        and all(_is_statement(statement) for statement in value["Statement"])
    )


def _is_statement(value: Any) -> bool:
    if not isinstance(value, dict) or value.get("Effect") not in ("Allow", "Deny"):
        return False
    actions = set(value) & {"Action", "NotAction"}
    resources = set(value) & {"Resource", "NotResource"}
    # A session policy has no Principal: it belongs to the session it is given with.
    allowed = {"Effect", "Condition"} | actions | resources
    return (
        len(actions) == len(resources) == 1
        and set(value) <= allowed
        and all(_all_match(ACTION, value[name]) for name in actions)
        and all(_all_match(RESOURCE, value[name]) for name in resources)
        and _is_condition(value.get("Condition", {}))
    )


def _all_match(pattern: re.Pattern[str], value: Any) -> bool:
    texts = [value] if isinstance(value, str) else value
    return (
        isinstance(texts, list)
        and len(texts) > 0
        and all(isinstance(text, str) and pattern.fullmatch(text) is not None for text in texts)
    )


def _is_condition(value: Any) -> bool:
    """``{operator: {key: text or list of texts}}``; the operators are the evaluator's business."""
    return isinstance(value, dict) and all(
        isinstance(keys, dict) and all(_are_texts(wanted) for wanted in keys.values())
        for keys in value.values()
    )


def _are_texts(value: Any) -> bool:
    return isinstance(value, str) or (
        isinstance(value, list) and all(isinstance(text, str) for text in value)
    )
