"""
Values of the Terraform configuration: roles, bucket rules and function from ``setup`` and ``s.yaml``.

No document is written twice: these are the parameters of the very calls that ``setup`` makes in an empty
account.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any
from xml.etree import ElementTree

from function.auth import all_settings
from ops.account.bucket import DesiredBucket
from ops.account.bucket_plan import bucket_steps
from ops.account.desired import DesiredState
from ops.account.metric_alarms import ALARMS, DesiredAlarms, rule, threshold
from ops.account.ram_documents import compact, role_arn
from ops.account.role_plan import FoundRoles, Step, role_steps

# The account is known when Terraform runs. No character of it is written otherwise in JSON.
ACCOUNT_MARKER = "ACCOUNT-ID"
# Under these names Terraform has what is the deployment's own; no role and no bucket can be called so. The
# ARN of the role is its own to know.
HOME_ROLE, HOME_BUCKET = "STS_ROLE_ARN", "OSS_BUCKET"
# What the module for the buckets of a region is called, before the region.
MODULE = "buckets_"
SECRETS = frozenset(row.name for row in all_settings() if row.is_secret)
# What of s.yaml the configuration has: the rest is told.
KNOWN_PROPS = frozenset(
    "region functionName description runtime code handler instanceLifecycleConfig cpu memorySize diskSize"
    " timeout internetAccess role environmentVariables triggers logConfig instanceConcurrency"
    " customRuntimeConfig".split()
)


def values(desired: DesiredState, props: Mapping[str, Any]) -> dict[str, Any]:
    """
    All variables of the configuration but the secrets.

    Args:
        props: of the one function in ``s.yaml``, its ``${...}`` replaced.
    """
    roles = replace(desired.roles, account=ACCOUNT_MARKER)
    steps, _ = role_steps(roles, FoundRoles())
    log = props.get("logConfig")
    return {
        "region": desired.bucket.region,
        "account_marker": ACCOUNT_MARKER,
        "function_role": _role(roles.function_role, steps),
        "upload_roles": {
            HOME_ROLE if name == roles.upload_role else name: _role(name, steps)
            for name in roles.upload_policies
        },
        "sts_role_arn": role_arn(ACCOUNT_MARKER, roles.upload_role),
        "buckets": {
            HOME_BUCKET if bucket is desired.bucket else bucket.name: _bucket(bucket)
            for bucket in desired.buckets
        },
        "function": _function(props),
        "environment": environment(props),
        "secret_names": secrets_of(props),
        "alarm_contacts": desired.alarms.contacts if desired.alarms else "",
        "alarms": _alarms(desired.alarms, props),
        "log": {name: log[name] for name in ("project", "logstore")} if isinstance(log, dict) else None,
    }


def _alarms(desired: DesiredAlarms | None, props: Mapping[str, Any]) -> dict[str, Any]:
    """The rules that ``setup --contacts`` makes, by the end of their id."""
    if desired is None:
        return {}
    ours = desired._replace(account=ACCOUNT_MARKER, function=str(props["functionName"]))
    return {
        alarm.name: {
            "title": made["RuleName"],
            "metric": alarm.metric,
            "dimensions": made["Resources"],
            "threshold": threshold(ours, alarm),
            "minutes": alarm.minutes,
        }
        for alarm in ALARMS
        for made in [rule(ours, alarm)]
    }


def left_out(props: Mapping[str, Any]) -> list[str]:
    """Return the properties of ``s.yaml`` that the configuration does not know."""
    return sorted(set(props) - KNOWN_PROPS)


def secrets_of(props: Mapping[str, Any]) -> list[str]:
    """The names of the secrets that this deployment has."""
    given = props["environmentVariables"]
    return sorted(name for name in SECRETS & set(given) if given[name])


def environment(props: Mapping[str, Any]) -> dict[str, str]:
    """The settings that are given and no secrets; an empty one means the function's own default."""
    given = props["environmentVariables"]
    kept = set(given) - SECRETS - {HOME_ROLE}
    return {name: str(given[name]) for name in sorted(kept) if given[name] != ""}


def regions(desired: DesiredState, known: Mapping[str, Any]) -> dict[str, Any]:
    """
    A provider and a module for the buckets of each further region, in Terraform's JSON; a provider is of one.

    Args:
        known: what the file says so far. A region stays, as what is there is destroyed through its provider.
    """
    before = [name.removeprefix(MODULE) for name in known.get("module", {}) if name.startswith(MODULE)]
    wanted_now = [bucket.region for bucket in desired.buckets if bucket.region != desired.bucket.region]
    names = sorted({*before, *wanted_now})
    if not names:
        return {}
    return {
        "//": "manage.py terraform writes this, and writes it anew.",
        "provider": {"alicloud": [{"alias": name, "region": name} for name in names]},
        "module": {
            f"{MODULE}{name}": {
                "source": "./buckets",
                "providers": {"alicloud": f"alicloud.{name}"},
                "buckets": "${{ for key, bucket in var.buckets : key => bucket"
                f' if bucket.region == "{name}" && bucket.region != var.region }}}}',
            }
            for name in names
        },
    }


def _role(name: str, steps: Iterable[Step]) -> dict[str, Any]:
    called = {"CreateRole": "RoleName", "CreatePolicy": "PolicyName"}
    made = {
        step.action: step.parameters
        for step in steps
        if step.action in called and step.parameters[called[step.action]] == name
    }
    return {
        "name": name,
        "trust": compact(made["CreateRole"]["AssumeRolePolicyDocument"]),
        "policy": compact(made["CreatePolicy"]["PolicyDocument"]),
        "max_session_seconds": made["CreateRole"]["MaxSessionDuration"],
    }


def _bucket(desired: DesiredBucket) -> dict[str, Any]:
    steps, _ = bucket_steps(replace(desired, create=True), None)
    bodies = {step.action: step.parameters.get("body", "") for step in steps}
    return {
        "name": desired.name,
        "region": desired.region,
        "create": desired.create,
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
        # Both files name a folder that make package builds, each from its own place.
        "package": f"../../build/{PurePosixPath(props['code']).name}",
        "instance_concurrency": props.get("instanceConcurrency"),
        "timer": next(
            (_timer(one) for one in props["triggers"] if one["triggerType"] == "timer"),
            None,
        ),
        "server": _server(props["customRuntimeConfig"]) if "customRuntimeConfig" in props else None,
    }


def _timer(trigger: Mapping[str, Any]) -> dict[str, Any]:
    config = trigger["triggerConfig"]
    return {
        "name": trigger["triggerName"],
        "schedule": config["cronExpression"],
        "enabled": config["enable"],
    }


def _server(config: Mapping[str, Any]) -> dict[str, Any]:
    """The server of a custom runtime; what is left out has the provider's default."""
    health = config.get("healthCheckConfig", {})
    return {
        **{name: config.get(name) for name in ("command", "args", "port")},
        "health_path": health.get("httpGetUrl"),
        "health_delay_seconds": health.get("initialDelaySeconds"),
        "health_period_seconds": health.get("periodSeconds"),
        "health_timeout_seconds": health.get("timeoutSeconds"),
        "health_failures": health.get("failureThreshold"),
        "health_successes": health.get("successThreshold"),
    }
