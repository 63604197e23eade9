"""
``s.yaml`` against ``s_yaml_schema.yaml``, with sentences that name the value and what is allowed.
"""

import difflib
import functools
import json
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft7Validator
from jsonschema.exceptions import ValidationError

from function.setting_table import SETTINGS
from ops.deploy.s_yaml import Place, Problem

SCHEMA = Path(__file__).with_name("s_yaml_schema.yaml")
# Of the settings, of a certificate, and of the key pair that deploys.
SECRETS = frozenset(row.name for row in SETTINGS if row.is_secret) | {
    *("privateKey", "AccessKeySecret", "SecurityToken")
}
MANY_CHOICES = 10
TYPES = {
    "object": "a mapping (name: value)",
    "array": "a list",
    "string": "a text (quote it)",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
}
# Properties that the component knows and that cannot work, or mean nothing, here.
OUT_OF_PLACE = {
    "instanceConcurrency": "is for custom runtimes and containers; python3.12 takes one request at a time",
    "customRuntimeConfig": "is for custom runtimes; the runtime is python3.12",
    "customContainerConfig": "is for custom containers; the runtime is python3.12",
    "gpuConfig": "is for custom containers; the runtime is python3.12",
    "nasConfig": "is not used: the function keeps no files",
    "ossMountConfig": "is not used: no file passes through the function",
    "asyncInvokeConfig": "is not used: every call is answered at once",
}


def schema_problems(document: Any, unresolved: Collection[Place]) -> Iterator[Problem]:
    """Every departure from the schema, except where a ``${...}`` has no value anyway."""
    found: dict[Problem, None] = {}
    for error in _validator().iter_errors(document):
        place: Place = tuple(error.absolute_path)
        if place not in unresolved:
            found |= dict.fromkeys(_problems(error, place))
    yield from found


@functools.cache
def _validator() -> Draft7Validator:
    return Draft7Validator(yaml.safe_load(SCHEMA.read_text("utf-8")))


def is_secret(name: object) -> bool:
    return str(name) in SECRETS or str(name).endswith(("_SECRET", "_PASSWORD", "_TOKEN"))


def shown(value: Any, place: Place) -> str:
    """The value as a message may show it: short, and never a secret."""
    if any(is_secret(part) for part in place):
        return "(a secret, not shown)"
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 80 else text[:77] + "..."


def _problems(error: ValidationError, place: Place) -> Iterator[Problem]:
    rule: Any = error.validator_value
    match error.validator:
        case "additionalProperties":
            yield from _unknown(error, place)
        case "required":
            # One error for each missing name, and only its message says which: each time all are told.
            instance: Any = error.instance
            for missing in (name for name in rule if name not in instance):
                yield Problem((*place, missing), f"is missing{_wanted(error, missing)}")
        case _:
            yield Problem(place, f"= {shown(error.instance, place)}: must be {_allowed(error)}")


def _unknown(error: ValidationError, place: Place) -> Iterator[Problem]:
    schema: Any = error.schema
    instance: Any = error.instance
    allowed = sorted(schema.get("properties", {})) or list(schema.get("patternProperties", {}))
    for name in instance:
        if name in schema.get("properties", {}) or _matches_pattern(name, schema):
            continue
        if name in OUT_OF_PLACE:
            yield Problem((*place, name), OUT_OF_PLACE[name])
            continue
        close = difflib.get_close_matches(str(name), allowed, 1, 0.7)
        meant = f"; did you mean {close[0]}?" if close else ""
        yield Problem((*place, name), f"is not a property{meant} (allowed here: {', '.join(allowed)})")


def _matches_pattern(name: str, schema: Any) -> bool:
    return any(
        Draft7Validator({"pattern": pattern}).is_valid(name)
        for pattern in schema.get("patternProperties", {})
    )


def _wanted(error: ValidationError, name: str) -> str:
    schema: Any = error.schema
    rule = schema.get("properties", {}).get(name, {})
    if "const" in rule:
        return f"; it must be {rule['const']}"
    if name in ("cpu", "memorySize", "diskSize"):
        return "; cpu, memorySize and diskSize belong together"
    if name == "methods":
        return "; list the methods, such as [GET, POST, OPTIONS]"
    return ""


def _allowed(error: ValidationError) -> str:
    rule: Any = error.validator_value
    schema: Any = error.schema
    match error.validator:
        case "const":
            return str(rule)
        case "enum":
            return _one_of(error.instance, [str(choice) for choice in rule])
        case "type":
            return TYPES[str(rule)]
        case "minimum" | "maximum" | "multipleOf":
            multiple = f" and a multiple of {schema['multipleOf']}" if "multipleOf" in schema else ""
            upper = f" to {schema['maximum']}" if "maximum" in schema else " or more"
            return f"{schema['minimum']}{upper}{multiple}"
        case "pattern":
            return _said(str(rule), error)
        case "minLength":
            return "a text that is not empty"
        case "minItems" | "maxItems":
            return f"a list of {'exactly' if schema.get('maxItems') == rule else 'at least'} {rule}"
        case "minProperties":
            return "a mapping with at least one entry"
        case "uniqueItems":
            return "a list without repetitions"
    return error.message


def _one_of(value: Any, choices: list[str]) -> str:
    """The choices; of many, the one that is meant."""
    # A region is often copied with what stands around it in an address of OSS.
    name = str(value).removeprefix("oss-").removesuffix(".aliyuncs.com").removesuffix("-internal")
    close = difflib.get_close_matches(name, choices, 1, 0.7) if len(choices) > MANY_CHOICES else []
    return (
        f"one of {len(choices)} names; did you mean {close[0]}?" if close else "one of " + ", ".join(choices)
    )


def _said(pattern: str, error: ValidationError) -> str:
    last = str(error.absolute_path[-1]) if error.absolute_path else ""
    said = {
        "role": "a full ARN, acs:ram::<account id>:role/<name>; the component creates no role and sends"
        " `auto` and bare names on as they are",
        "handler": "module.function",
        "component": "fc3, fc3@<version>, or the path of a folder",
        "domainName": "a domain name in lower case, or auto (for testing only)",
        "path": "a path that begins with /",
    }
    return said.get(last, f"letters as in {pattern}")
