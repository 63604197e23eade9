"""
The RAM documents of a deployment: who may take which role, and what each role may do. Pure data.
"""

import json
from typing import Any

Document = dict[str, Any]


def role_arn(account: str, name: str) -> str:
    return f"acs:ram::{account}:role/{name}"


def trusted_by_function_compute() -> Document:
    """Trust policy of the function's role: only Function Compute takes it."""
    return _trust({"Service": ["fc.aliyuncs.com"]})


def trusted_by(arns: list[str]) -> Document:
    """Trust policy of the upload role: only these principals take it."""
    return _trust({"RAM": sorted(arns)})


def may_assume(account: str, upload_role: str, logs: tuple[str, str] | None = None) -> Document:
    """
    What the function's role may do: ask STS for the upload role, nothing else.

    Args:
        logs: project and logstore that the function's log goes to, when ``s.yaml`` has a logConfig.
    """
    statements = [
        {
            "Effect": "Allow",
            "Action": ["sts:AssumeRole"],
            "Resource": [f"acs:ram:*:{account}:role/{upload_role}"],
        }
    ]
    if logs:
        project, logstore = logs
        statements.append(
            {
                "Effect": "Allow",
                "Action": ["log:PostLogStoreLogs"],
                "Resource": [f"acs:log:*:{account}:project/{project}/logstore/{logstore}"],
            }
        )
    return {"Version": "1", "Statement": statements}


def same_document(one: Any, other: Any) -> bool:
    """Whether two documents say the same: one value or a list of it, in whatever order."""
    return bool(_normal(one) == _normal(other))


def read_document(value: Any) -> Any:
    """A document as RAM hands it out: mostly JSON text, in places an object already."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return None


def _trust(principal: dict[str, list[str]]) -> Document:
    statement = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": principal}
    return {"Version": "1", "Statement": [statement]}


def _normal(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _normal(entry) for name, entry in value.items()}
    if isinstance(value, list):
        entries = [_normal(entry) for entry in value]
        if len(entries) == 1:
            return entries[0]
        return sorted(entries, key=lambda entry: json.dumps(entry, sort_keys=True))
    return value
