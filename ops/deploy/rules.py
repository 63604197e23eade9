"""
What ``s.yaml`` must hold beyond its schema: what depends on other properties, the code or the settings.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from function.app import load_settings
from function.auth import all_settings
from function.config.profiles import PROFILES_TOML
from function.errors import Misconfigured
from function.errors import Problem as Fault
from ops.deploy.callers import CALLERS_TOML, SEVERAL, own_entries, own_variables
from ops.deploy.instance_rules import NAMES_OF_RUNTIMES, instance_problems
from ops.deploy.profile_lines import NO_PROFILES, in_keys, profiles_in, said_of
from ops.deploy.quota_rules import quota_problems
from ops.deploy.s_yaml import Place, Problem, mapping
from ops.deploy.schema_check import is_secret, wrong_value
from ops.deploy.setting_rules import (
    roles_taken_by_themselves,
    unlike_wechat,
    unusable_hosts,
    unusable_settings,
)
from ops.deploy.trigger_rules import domain_problems, excludes, timer_problems, trigger_problems
from ops.terminal.language import Text

# The names of the table in docs/configuration.md; a test holds them against settings.py and s.yaml.
SETTING_NAMES = frozenset(row.name for row in all_settings())
MAX_ENVIRONMENT_BYTES = 4096
LITERAL = Text(
    "must be a literal: the tool does not replace ${...} here; use `s deploy -a NAME`",
    "应直接写出：部署工具在这里不替换 ${...}；请用 `s deploy -a NAME`",
)
NOT_OURS = Text("is set by Function Compute itself; remove it", "由函数计算自己设置，请删去")


def file_problems(written: Any) -> Iterator[Problem]:
    """What can be said before ``${...}`` is replaced."""
    if "${" in str(written.get("access", "")):
        yield Problem(("access",), LITERAL)
    for place, props in functions(written):
        for name, value in mapping(props.get("environmentVariables")).items():
            if is_secret(name) and not _comes_from_outside(str(value or "")):
                yield Problem(
                    (*place, "environmentVariables", name),
                    Text(
                        f"is a secret and must come from outside: ${{env('{name}', '')}}",
                        f"是密钥，应从外面传入：${{env('{name}', '')}}",
                    ),
                )


def resource_problems(document: Any, root: Path, folder: Path) -> Iterator[Problem]:
    """
    What depends on more than one property, or on the code.

    Args:
        root: the project's folder.
        folder: the file's, where the paths of packages start.
    """
    for place, props in functions(document):
        yield from instance_problems(props, place, root, folder)
        yield from _scaling_problems(props, place)
        yield from trigger_problems(props, place)
        yield from timer_problems(props, place, profiles_in(folder / PROFILES_TOML))
        yield from domain_problems(props, place)
        yield from _environment_problems(props, place)
        yield from quota_problems(props, environment(props), place, root)
        yield from _packaging_problems(document, place)


def setting_problems(document: Any, place: Place) -> Iterator[Problem]:
    """What the function itself, or a phone, would refuse in its environment, found before it is deployed."""
    props = dict(functions(document))[place]
    variables = environment(props)
    unusable = unusable_settings(variables, str(props.get("region", "")))
    for name, sentence in (*unusable, *unlike_wechat(variables)):
        yield Problem((*place, "environmentVariables", name), sentence)
    for name, entry in own_entries().items() if variables.get("CALLER_AUTH") == SEVERAL else ():
        secret = variables.get(str(entry.get("secret", "")).removeprefix("env:"), "")
        app = {"WECHAT_APPID": str(entry.get("appid", "")), "WECHAT_SECRET": secret}
        for setting, sentence in unlike_wechat(app) if entry.get("kind") == "wechat" else ():
            yield Problem((CALLERS_TOML, f"[{name}]", in_keys(Text(setting, setting)).en), in_keys(sentence))
    try:
        settings = load_settings({"FC_REGION": str(props.get("region", "")), **variables})
    except Misconfigured as error:
        for problem in error.problems:
            if _is_mounted(problem, props):
                continue
            sentence = said_of(problem)
            where: Place = (*place, "environmentVariables", problem.setting)
            if problem.setting == PROFILES_TOML or sentence is NO_PROFILES:
                where = (PROFILES_TOML,)
            elif problem.setting == CALLERS_TOML:
                where = (CALLERS_TOML,)
                lacking = _clause_values(problem).get("name")
                if lacking in own_variables():
                    where = (*place, "environmentVariables", lacking)
                    sentence = Text(*(f"{each} ({lacking}: ${{env('{lacking}')}})" for each in sentence))
            yield Problem(where, sentence, names_itself=True)
        return
    for sentence in unusable_hosts(settings):
        yield Problem((PROFILES_TOML,), sentence)
    for name, sentence in roles_taken_by_themselves(settings, str(props.get("role", ""))):
        yield Problem((*place, "environmentVariables", name) if name else (PROFILES_TOML,), sentence)


def _clause_values(problem: Fault) -> Mapping[str, Any]:
    values: Mapping[str, Any] = getattr(problem.sentence.values.get("clause"), "values", {})
    return values


def _is_mounted(problem: Fault, props: Mapping[str, Any]) -> bool:
    """True of a file of callers that lies in a folder that the function has, and this machine has not."""
    path = str(_clause_values(problem).get("path", "")) if problem.setting == CALLERS_TOML else ""
    blocks = (mapping(props.get(name)).get("mountPoints") or () for name in ("nasConfig", "ossMountConfig"))
    folders = (mapping(point).get("mountDir") for points in blocks for point in points)
    return any(folder and path.startswith(f"{str(folder).rstrip('/')}/") for folder in folders)


def functions(document: Any) -> Iterator[tuple[Place, dict[str, Any]]]:
    """The place and the ``props`` of every resource."""
    for name, resource in mapping(mapping(document).get("resources")).items():
        if isinstance(props := mapping(resource).get("props"), dict):
            yield ("resources", name, "props"), props


def environment(props: Mapping[str, Any]) -> dict[str, str]:
    """The settings that this function would be deployed with."""
    return {name: str(value) for name, value in mapping(props.get("environmentVariables")).items()}


def _comes_from_outside(text: str) -> bool:
    expression = re.fullmatch(r"\$\{\s*env\((.*)\)\s*\}", text.strip())
    if not expression:
        return not text
    default = re.fullmatch(r"""\s*['"][^'"]*['"]\s*,\s*['"](.*)['"]\s*""", expression[1])
    return default is None or not default[1]


def _scaling_problems(props: Mapping[str, Any], place: Place) -> Iterator[Problem]:
    if "provisionConfig" in props and "scalingConfig" in props:
        yield Problem((*place, "scalingConfig"), excludes("provisionConfig"))


def _environment_problems(props: Mapping[str, Any], place: Place) -> Iterator[Problem]:
    variables = mapping(props.get("environmentVariables"))
    place = (*place, "environmentVariables")
    known = SETTING_NAMES | NAMES_OF_RUNTIMES.get(str(props.get("runtime")), frozenset()) | own_variables()
    for name in variables:
        if name.startswith(("FC_", "ALIBABA_CLOUD_")):
            yield Problem((*place, name), NOT_OURS)
        elif name not in known:
            listed = ", ".join(sorted(SETTING_NAMES))
            sentence = Text(
                f"is no setting of this function (known: {listed})", f"不是本函数的设置（可用：{listed}）"
            )
            yield Problem((*place, name), sentence)
    size = bytes_of(variables)
    if size > MAX_ENVIRONMENT_BYTES:
        sentence = Text(
            f"has {size} bytes of names and values; Function Compute takes {MAX_ENVIRONMENT_BYTES}",
            f"的名字和值共 {size} 字节，函数计算最多接受 {MAX_ENVIRONMENT_BYTES} 字节",
        )
        yield Problem(place, sentence)
    if variables.get("PROFILES_FILE", "profiles.toml") not in ("", "profiles.toml"):
        only = Text("must be profiles.toml; only that is packaged", "应为 profiles.toml，只有它会被打包")
        yield wrong_value(variables["PROFILES_FILE"], (*place, "PROFILES_FILE"), only)


def bytes_of(variables: Mapping[str, Any]) -> int:
    """Return what they take of the environment that Function Compute admits."""
    return sum(len(f"{name}{value}".encode()) for name, value in variables.items())


def _packaging_problems(document: Any, place: Place) -> Iterator[Problem]:
    resource = mapping(document["resources"][place[1]])
    steps = mapping(resource.get("actions")).get("pre-deploy")
    steps = [mapping(step) for step in steps] if isinstance(steps, list) else []
    packaging = [
        step for step in steps if re.search(r"\bmake package\b|manage\.py package\b", str(step.get("run")))
    ]
    here: Place = ("resources", place[1], "actions", "pre-deploy")
    if not packaging:
        sentence = Text(
            "must run `make package`: else an old or empty build/function is deployed",
            "应运行 `make package`：否则部署的是旧的或空的 build/function",
        )
        yield Problem(here, sentence)
    if any(step.get("allow_failure") for step in packaging):
        sentence = Text(
            "must not allow a failing packaging: it would deploy an old or empty build/function",
            "不能允许打包失败：否则会部署旧的或空的 build/function",
        )
        yield Problem(here, sentence)
