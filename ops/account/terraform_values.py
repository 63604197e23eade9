"""
What the Terraform module is given: roles, bucket rules and function, as ``setup`` and ``s.yaml`` have them.

No document is written twice: these are the parameters of the very calls that ``setup`` makes in an empty
account.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree

from function.setting_table import SETTINGS
from ops.account.bucket_plan import bucket_steps
from ops.account.role_plan import FoundRoles, Step, role_steps
from ops.account.wanted import Wanted

# The account is known when Terraform runs. No character of it is written otherwise in JSON.
ACCOUNT_MARKER = "ACCOUNT-ID"
# The role's ARN is Terraform's own to know.
MADE_BY_TERRAFORM = ("STS_ROLE_ARN",)
SECRETS = frozenset(row.name for row in SETTINGS if row.is_secret)
# What of s.yaml the module has: the rest is told.
KNOWN_PROPS = frozenset(
    "region functionName description runtime code handler instanceLifecycleConfig cpu memorySize diskSize"
    " timeout internetAccess role environmentVariables triggers logConfig".split()
)


def values(wanted: Wanted, props: Mapping[str, Any]) -> dict[str, Any]:
    """
    All variables of the module but the secrets.

    Args:
        props: of the one function in ``s.yaml``, its ``${...}`` replaced.
    """
    roles, _ = role_steps(replace(wanted.roles, account=ACCOUNT_MARKER), FoundRoles())
    log = props.get("logConfig")
    return {
        "region": wanted.bucket.region,
        "account_marker": ACCOUNT_MARKER,
        "function_role": _role(wanted.roles.function_role, roles),
        "upload_role": _role(wanted.roles.upload_role, roles),
        "bucket": _bucket(wanted),
        "function": _function(props),
        "environment": environment(props),
        "log": {name: log[name] for name in ("project", "logstore")} if isinstance(log, dict) else None,
    }


def left_out(props: Mapping[str, Any]) -> list[str]:
    """What ``s.yaml`` says and the module does not know."""
    return sorted(set(props) - KNOWN_PROPS)


def secrets_of(props: Mapping[str, Any]) -> list[str]:
    """The names of the secrets that this deployment has."""
    given = props["environmentVariables"]
    return sorted(name for name in SECRETS & set(given) if given[name])


def environment(props: Mapping[str, Any]) -> dict[str, str]:
    """The settings that are given and no secrets; an empty one means the function's own default."""
    given = props["environmentVariables"]
    kept = set(given) - SECRETS - set(MADE_BY_TERRAFORM)
    return {name: str(given[name]) for name in sorted(kept) if given[name] != ""}


def _role(name: str, steps: Iterable[Step]) -> dict[str, Any]:
    called = {"CreateRole": "RoleName", "CreatePolicy": "PolicyName"}
    made = {
        step.action: step.parameters
        for step in steps
        if step.action in called and step.parameters[called[step.action]] == name
    }
    return {
        "name": name,
        "trust": _json(made["CreateRole"]["AssumeRolePolicyDocument"]),
        "policy": _json(made["CreatePolicy"]["PolicyDocument"]),
        "max_session_seconds": made["CreateRole"]["MaxSessionDuration"],
    }


def _json(document: Any) -> str:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"))


def _bucket(wanted: Wanted) -> dict[str, Any]:
    steps, _ = bucket_steps(replace(wanted.bucket, create=True), None)
    bodies = {step.action: step.parameters.get("body", "") for step in steps}
    return {
        "name": wanted.bucket.name,
        "create": wanted.bucket.create,
        "block_public_access": "PutBucketPublicAccessBlock" not in bodies,
        "lifecycle_rules": [
            {
                "id": rule.findtext("ID", ""),
                "prefix": rule.findtext("Prefix", ""),
                "abort_days": _number(rule.findtext("AbortMultipartUpload/Days")),
                "expire_days": _number(rule.findtext("Expiration/Days")),
            }
            for rule in _rules(bodies.get("PutBucketLifecycle", ""), "Rule")
        ],
        "cors_rules": [
            {
                "origins": _texts(rule, "AllowedOrigin"),
                "methods": _texts(rule, "AllowedMethod"),
                "headers": _texts(rule, "AllowedHeader"),
                "expose_headers": _texts(rule, "ExposeHeader"),
                "max_age_seconds": _number(rule.findtext("MaxAgeSeconds")),
            }
            for rule in _rules(bodies.get("PutBucketCors", ""), "CORSRule")
        ],
    }


def _rules(document: str, name: str) -> list[ElementTree.Element]:
    return ElementTree.fromstring(document).findall(name) if document else []


def _texts(rule: ElementTree.Element, name: str) -> list[str]:
    return [element.text or "" for element in rule.findall(name)]


def _number(text: str | None) -> int | None:
    return int(text) if text else None


def _function(props: Mapping[str, Any]) -> dict[str, Any]:
    (trigger,) = [one for one in props["triggers"] if one["triggerType"] == "http"]
    config, initializer = trigger["triggerConfig"], props["instanceLifecycleConfig"]["initializer"]
    return {
        "name": props["functionName"],
        "description": props["description"],
        "runtime": props["runtime"],
        "handler": props["handler"],
        "initializer": initializer["handler"],
        "initializer_seconds": initializer["timeout"],
        "cpu": props["cpu"],
        "memory_mb": props["memorySize"],
        "disk_mb": props["diskSize"],
        "timeout_seconds": props["timeout"],
        "internet_access": props["internetAccess"],
        "trigger_name": trigger["triggerName"],
        "methods": config["methods"],
        "auth_type": config["authType"],
        "internet_url": not config.get("disableURLInternet", False),
    }
