"""The RAM documents of a deployment: who may take which role, and what each role may do. Pure data."""

import json
from collections.abc import Iterable
from typing import Any

Document = dict[str, Any]
# A role's name may have points, but that of its policy, which is the same, may not.
# Source: https://www.alibabacloud.com/help/en/resource-management/api-createpolicy
ROLE_NAME_PATTERN = r"[A-Za-z0-9-]{1,64}"


def role_arn(account: str, name: str) -> str:
    return f"acs:ram::{account}:role/{name}"


def account_and_name(arn: str) -> tuple[str, str]:
    """Of a role, from its ARN."""
    account, _, name = arn.removeprefix("acs:ram::").partition(":role/")
    return account, name


def trust_policy(principal: dict[str, list[str]]) -> Document:
    """Only these principals take the role."""
    statement = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": principal}
    return {"Version": "1", "Statement": [statement]}


def of_the_function(
    account: str,
    upload_roles: Iterable[str],
    logs: tuple[str, str] = ("", ""),
    moderation: Iterable[str] = (),
) -> Document:
    """
    Policy of the function's role: assume the upload roles, and what else the deployment needs.

    Args:
        account: of the function.
        upload_roles: their ARNs, in whatever accounts.
        logs: project and logstore that the function's log goes to; an empty project is none.
        moderation: actions of Content Moderation, which has no rights for single resources.
    """
    roles = [arn.replace("acs:ram::", "acs:ram:*:", 1) for arn in upload_roles]
    allowed = [(["sts:AssumeRole"], roles)]
    project, logstore = logs
    if project:
        place = f"acs:log:*:{account}:project/{project}/logstore/{logstore}"
        allowed.append((["log:PostLogStoreLogs"], [place]))
    if actions := sorted(moderation):
        allowed.append((actions, ["*"]))
    statements = [{"Effect": "Allow", "Action": what, "Resource": where} for what, where in allowed]
    return {"Version": "1", "Statement": statements}


def compact(document: Document) -> str:
    """As it is sent."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"))


def same_document(one: Any, other: Any) -> bool:
    """Return whether two documents say the same: one value or a list of it, in whatever order."""
    return bool(_normal(one) == _normal(other))


def read_document(value: Any) -> Any:
    """A document as RAM hands it out: mostly JSON text, in places an object already."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return None


def _normal(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _normal(entry) for name, entry in value.items()}
    if isinstance(value, list):
        entries = [_normal(entry) for entry in value]
        if len(entries) == 1:
            return entries[0]
        return sorted(entries, key=lambda entry: json.dumps(entry, sort_keys=True))
    return value
