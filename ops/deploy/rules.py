"""
What ``s.yaml`` must hold beyond its schema: what depends on other properties, the code or the settings.
"""

import ast
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from function.errors import Misconfigured
from function.profiles import PROFILES_TOML
from function.setting_table import SETTINGS
from function.settings import read_settings
from ops.deploy.s_yaml import Place, Problem
from ops.deploy.schema_check import is_secret, shown
from ops.deploy.setting_rules import unusable_settings

# The names of the table in docs/configuration.md; a test holds them against settings.py and s.yaml.
SETTING_NAMES = frozenset(row.name for row in SETTINGS)
NEEDED_METHODS = ("GET", "POST", "OPTIONS")
MAX_ENVIRONMENT_BYTES = 4096
# 1 vCPU to 1 GB at the one end, to 4 GB at the other.
# Source: https://help.aliyun.com/zh/ros/developer-reference/aliyun-fc3-function
MIN_GB_PER_CPU, MAX_GB_PER_CPU = 1, 4
CPU_STEP = Decimal("0.05")
LITERAL_ONLY = ("access",)


def file_problems(written: Any) -> Iterator[Problem]:
    """What can be said before ``${...}`` is replaced."""
    for name in LITERAL_ONLY:
        if "${" in str(written.get(name, "")):
            yield Problem(
                (name,), "must be a literal: the tool does not replace ${...} here; use `s deploy -a NAME`"
            )
    for place, props in functions(written):
        for name, value in mapping(props.get("environmentVariables")).items():
            if is_secret(name) and not _comes_from_outside(str(value or "")):
                yield Problem(
                    (*place, "environmentVariables", name),
                    f"is a secret and must come from outside: ${{env('{name}', '')}}",
                )


def resource_problems(document: Any, root: Path) -> Iterator[Problem]:
    """What depends on more than one property, or on the code in ``root``."""
    for place, props in functions(document):
        yield from _size_problems(props, place)
        yield from _scaling_problems(props, place)
        yield from _handler_problems(props, place, root)
        yield from _trigger_problems(props, place)
        yield from _domain_problems(props, place)
        yield from _environment_problems(props, place)
        yield from _packaging_problems(document, place)


def setting_problems(document: Any, place: Place) -> Iterator[Problem]:
    """What the function itself, or a phone, would refuse in its environment, found before it is deployed."""
    props = dict(functions(document))[place]
    variables = environment(props)
    for name, sentence in unusable_settings(variables, str(props.get("region", ""))):
        yield Problem((*place, "environmentVariables", name), sentence)
    try:
        read_settings({"FC_REGION": str(props.get("region", "")), **variables})
    except Misconfigured as error:
        for problem in error.problems:
            is_profile = problem.setting == PROFILES_TOML
            where = (PROFILES_TOML,) if is_profile else (*place, "environmentVariables", problem.setting)
            yield Problem(where, problem.sentence.removeprefix(problem.setting).lstrip(": "))


def functions(document: Any) -> Iterator[tuple[Place, dict[str, Any]]]:
    """The place and the ``props`` of every resource."""
    for name, resource in mapping(mapping(document).get("resources")).items():
        if isinstance(props := mapping(resource).get("props"), dict):
            yield ("resources", name, "props"), props


def environment(props: Mapping[str, Any]) -> dict[str, str]:
    """The settings that this function would be deployed with."""
    return {name: str(value) for name, value in mapping(props.get("environmentVariables")).items()}


def mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _comes_from_outside(text: str) -> bool:
    expression = re.fullmatch(r"\$\{\s*(env|file)\((.*)\)\s*\}", text.strip())
    if not expression:
        return not text
    default = re.fullmatch(r"""\s*['"][^'"]*['"]\s*,\s*['"](.*)['"]\s*""", expression[2])
    return default is None or not default[1]


def _size_problems(props: Mapping[str, Any], place: Place) -> Iterator[Problem]:
    cpu, memory = props.get("cpu"), props.get("memorySize")
    if not (isinstance(cpu, int | float) and isinstance(memory, int)) or cpu <= 0:
        return
    if Decimal(str(cpu)) % CPU_STEP:
        yield Problem((*place, "cpu"), f"= {cpu}: must be a multiple of {CPU_STEP}")
    if not MIN_GB_PER_CPU <= memory / 1024 / cpu <= MAX_GB_PER_CPU:
        least, most = memory / 1024 / MAX_GB_PER_CPU, memory / 1024 / MIN_GB_PER_CPU
        yield Problem(
            (*place, "cpu"),
            f"= {cpu} does not go with memorySize {memory}: memory in GB must be {MIN_GB_PER_CPU} to"
            f" {MAX_GB_PER_CPU} times the cpu, so cpu {least:g} to {most:g}",
        )


def _scaling_problems(props: Mapping[str, Any], place: Place) -> Iterator[Problem]:
    if "provisionConfig" in props and "scalingConfig" in props:
        yield Problem((*place, "scalingConfig"), "excludes provisionConfig; keep one of them")


def _handler_problems(props: Mapping[str, Any], place: Place, root: Path) -> Iterator[Problem]:
    hooks = mapping(props.get("instanceLifecycleConfig"))
    named: dict[Place, Any] = {("handler",): props.get("handler")}
    for hook in ("initializer", "preStop"):
        named["instanceLifecycleConfig", hook, "handler"] = mapping(hooks.get(hook)).get("handler")
    for path, handler in named.items():
        if not isinstance(handler, str) or handler.count(".") != 1:
            continue
        module, function = handler.split(".")
        problem = _missing_function(root / f"{module}.py", function)
        if problem:
            yield Problem((*place, *path), f"= {shown(handler, path)}: {problem}")


def _missing_function(file: Path, function: str) -> str:
    try:
        tree = ast.parse(file.read_text("utf-8"))
    except OSError:
        return f"there is no {file.name} beside s.yaml"
    except (SyntaxError, ValueError):
        return f"{file.name} is not Python"
    defined = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
    names = defined + [
        target.id
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    ]
    if function in names:
        return ""
    public = ", ".join(name for name in defined if not name.startswith("_")) or "none"
    return f"{file.name} has no function {function} (it has: {public})"


def _trigger_problems(props: Mapping[str, Any], place: Place) -> Iterator[Problem]:
    triggers = [mapping(trigger) for trigger in props.get("triggers") or [] if isinstance(trigger, dict)]
    seen: dict[str, int] = {}
    for index, trigger in enumerate(triggers):
        here: Place = (*place, "triggers", index)
        qualifier = str(trigger.get("qualifier", "LATEST"))
        if qualifier in seen:
            yield Problem(
                (*here, "qualifier"),
                f"= {qualifier}: trigger {seen[qualifier]} has it too; a version has one HTTP trigger",
            )
        seen.setdefault(qualifier, index)
        config = mapping(trigger.get("triggerConfig"))
        yield from _method_problems(config.get("methods"), (*here, "triggerConfig", "methods"))
        if config.get("authType") == "function":
            yield Problem(
                (*here, "triggerConfig", "authType"),
                "= function: a mini-program cannot sign for Function Compute; write anonymous, CALLER_AUTH"
                " decides inside",
            )
        if config.get("authType") == "jwt" and "authConfig" not in config:
            yield Problem(
                (*here, "triggerConfig", "authConfig"), "is missing; authType: jwt needs jwks and tokenLookup"
            )
        auth = mapping(config.get("authConfig"))
        if "whitelist" in auth and "blacklist" in auth:
            yield Problem(
                (*here, "triggerConfig", "authConfig", "blacklist"), "excludes whitelist; keep one of them"
            )


def _method_problems(methods: Any, place: Place) -> Iterator[Problem]:
    if isinstance(methods, list) and methods:
        missing = [method for method in NEEDED_METHODS if method not in methods]
        if missing:
            yield Problem(
                place,
                f"= {shown(methods, place)}: lacks {', '.join(missing)}, which the function answers",
            )


def _domain_problems(props: Mapping[str, Any], place: Place) -> Iterator[Problem]:
    if not isinstance(domain := props.get("customDomain"), dict):
        return
    if "HTTPS" in str(domain.get("protocol", "")) and "certConfig" not in domain:
        yield Problem(
            (*place, "customDomain", "certConfig"), "is missing; protocol HTTPS needs a certificate"
        )
    methods: Any = mapping(domain.get("route")).get("methods")
    yield from _method_problems(methods, (*place, "customDomain", "route", "methods"))


def _environment_problems(props: Mapping[str, Any], place: Place) -> Iterator[Problem]:
    variables = mapping(props.get("environmentVariables"))
    place = (*place, "environmentVariables")
    for name in variables:
        if name.startswith(("FC_", "ALIBABA_CLOUD_")):
            yield Problem((*place, name), "is set by Function Compute itself; remove it")
        elif name not in SETTING_NAMES:
            yield Problem(
                (*place, name), f"is no setting of this function (known: {', '.join(sorted(SETTING_NAMES))})"
            )
    size = sum(len(f"{name}{value}".encode()) for name, value in variables.items())
    if size > MAX_ENVIRONMENT_BYTES:
        yield Problem(
            place, f"has {size} bytes of names and values; Function Compute takes {MAX_ENVIRONMENT_BYTES}"
        )
    if variables.get("PROFILES_FILE", "profiles.toml") not in ("", "profiles.toml"):
        yield Problem(
            (*place, "PROFILES_FILE"),
            f"= {shown(variables['PROFILES_FILE'], place)}: must be profiles.toml; only that is packaged",
        )


def _packaging_problems(document: Any, place: Place) -> Iterator[Problem]:
    resource = mapping(document["resources"][place[1]])
    steps = mapping(resource.get("actions")).get("pre-deploy")
    steps = [mapping(step) for step in steps] if isinstance(steps, list) else []
    packaging = [
        step for step in steps if re.search(r"\bmake package\b|manage\.py package\b", str(step.get("run")))
    ]
    here: Place = ("resources", place[1], "actions", "pre-deploy")
    if not packaging:
        yield Problem(here, "must run `make package`: else an old or empty build/function is deployed")
    if any(step.get("allow_failure") for step in packaging):
        yield Problem(
            here, "must not allow a failing packaging: it would deploy an old or empty build/function"
        )
