"""What ``s.yaml`` must hold beyond its schema: what depends on the settings, their values or the profiles."""

import re
from collections.abc import Collection, Iterator, Mapping
from inspect import signature
from pathlib import Path
from typing import Any

from function.app import load_settings
from function.auth import all_settings
from function.config.profile import Profile
from function.config.profiles import PROFILES_TOML
from function.config.settings import Settings
from function.context import HOOKS_FILE
from function.errors import Misconfigured
from function.errors import Problem as Fault
from function.uploads.before_sign_hook import Hooks
from ops.deploy.callers import CALLERS_TOML, SEVERAL, own_entries, own_variables
from ops.deploy.profile_lines import NO_PROFILES, after, in_keys, profiles_in, said_of
from ops.deploy.s_yaml import CALL, Place, Problem, environment, functions, mapping
from ops.deploy.schema_check import is_secret
from ops.deploy.setting_rules import quota_problems, unlike_wechat, unusable_hosts, unusable_settings
from ops.terminal.language import Text
from ops.terminal.messages import in_both

# The names of the table in docs/configuration.md; a test holds them against settings.py and s.yaml.
SETTING_NAMES = frozenset(row.name for row in all_settings())
# Variables that are no settings of the function, but of what starts it.
NAMES_OF_RUNTIMES = {"custom.debian11": frozenset({"PATH"})}
MAX_ENVIRONMENT_BYTES = 4096
# Source: https://help.aliyun.com/zh/functioncompute/fc/user-guide/time-trigger
EVERY_MINUTE = re.compile(r"@every 1m|(?:CRON_TZ=\S+ )?\d+ (?:\*|\*/1|0-59) \* [*?] \* [*?]")
LITERAL = Text(
    "must be a literal: the tool does not replace ${...} here; use `s deploy -a NAME`",
    "应直接写出：部署工具在这里不替换 ${...}；请用 `s deploy -a NAME`",
)
NOT_OURS = Text("is set by Function Compute itself; remove it", "由函数计算自己设置，请删去")
NO_SETTING = Text("is no setting of this function (known: {names})", "不是本函数的设置（可用：{names}）")
SECRET = Text(
    "is a secret and must come from outside: ${{env('{name}', '')}}",
    "是密钥，应从外面传入：${{env('{name}', '')}}",
)
TOO_LARGE = Text(
    "has {size} bytes of names and values; Function Compute takes {most}. Secrets of callers behind file:"
    " take none (docs/callers.md)",
    "的名字和值共 {size} 字节，函数计算最多接受 {most} 字节；调用者的密钥写成 file: 就不占"
    "（docs/callers.zh-CN.md）",
)
NEEDED = Text(
    "need a timer trigger that is enabled, for {names}: a check or a clean copy that a request could not end"
    " is continued by ticks alone. Write cronExpression: '@every 1m' and enable: true",
    "里要有启用的定时触发器，因为用途 {names} 有审核或 strip：请求没做完的审核和副本，只由定时触发继续。"
    "请写 cronExpression: '@every 1m' 和 enable: true",
)
WRONG_SIGNATURE = Text("before_sign must take three arguments", "before_sign 应接受三个参数")
TAKES_ITSELF = Text(
    "is the role that the function runs as (role), which takes the other: they must be two",
    "是函数运行时的角色（role），由它扮演另一个：应为两个角色",
)


def file_problems(written: Any) -> Iterator[Problem]:
    """What can be said before ``${...}`` is replaced."""
    if "${" in str(written.get("access", "")):
        yield Problem(("access",), LITERAL)
    for place, props in functions(written):
        for name, value in mapping(props.get("environmentVariables")).items():
            call = CALL.fullmatch(str(value or "").strip())
            if is_secret(name) and value and not (call and not call["default"]):
                yield Problem((*place, "environmentVariables", name), SECRET.filled(name=name))


def resource_problems(document: Any, root: Path) -> Iterator[Problem]:
    """What depends on more than one property, or on the profiles in the project's folder."""
    for place, props in functions(document):
        yield from _environment_problems(props, (*place, "environmentVariables"))
        yield from _timer_problems(props, place, profiles_in(root / PROFILES_TOML))
        for name, sentence in quota_problems(props, environment(props), root):
            yield Problem((*place, "environmentVariables", name), sentence)


def hooks_problems(folder: Path) -> Iterator[Problem]:
    """Import the file as the function will; packaging holds its imports against the requirements."""
    path = folder / HOOKS_FILE.name
    if not path.is_file():
        return
    try:
        hooks = Hooks(path)
    except Misconfigured as error:
        for problem in error.problems:
            yield Problem((HOOKS_FILE.name,), in_both(problem.sentence), names_itself=True)
        return
    try:
        signature(hooks.before_sign).bind(None, None, None)
    except (TypeError, ValueError):
        yield Problem((HOOKS_FILE.name,), WRONG_SIGNATURE)


def timer_schedules(props: Mapping[str, Any]) -> list[str]:
    """Return the schedule of each timer that is enabled."""
    triggers = props.get("triggers") if isinstance(props.get("triggers"), list) else []
    timers = (each for each in map(mapping, triggers or ()) if each.get("triggerType") == "timer")
    configs = (mapping(each.get("triggerConfig")) for each in timers)
    return [str(config.get("cronExpression")) for config in configs if config.get("enable") is not False]


def _timer_problems(
    props: Mapping[str, Any], place: Place, profiles: Collection[Profile]
) -> Iterator[Problem]:
    names = ", ".join(f"[{each.name}]" for each in profiles if each.is_checked or each.strip)
    if names and not timer_schedules(props):
        yield Problem((*place, "triggers"), NEEDED.filled(names=names))


def _environment_problems(props: Mapping[str, Any], place: Place) -> Iterator[Problem]:
    variables = environment(props)
    known = SETTING_NAMES | NAMES_OF_RUNTIMES.get(str(props.get("runtime")), frozenset()) | own_variables()
    for name in variables:
        if name.startswith(("FC_", "ALIBABA_CLOUD_")):
            yield Problem((*place, name), NOT_OURS)
        elif name not in known:
            yield Problem((*place, name), NO_SETTING.filled(names=", ".join(sorted(SETTING_NAMES))))
    size = sum(len(f"{name}{value}".encode()) for name, value in variables.items())
    if size > MAX_ENVIRONMENT_BYTES:
        yield Problem(place, TOO_LARGE.filled(size=size, most=MAX_ENVIRONMENT_BYTES))


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
    for name, sentence in _roles_taken_by_themselves(settings, str(props.get("role", ""))):
        yield Problem((*place, "environmentVariables", name) if name else (PROFILES_TOML,), sentence)


def _roles_taken_by_themselves(settings: Settings, function_role: str) -> Iterator[tuple[str, Text]]:
    """
    What names the role that the function runs as where it should name one that this role takes.

    Args:
        function_role: ARN, as ``s.yaml`` has it.

    Returns:
        a setting, or empty for ``profiles.toml``, and the sentence.
    """
    if settings.role_arn == function_role:
        yield "STS_ROLE_ARN", after(f"= {function_role}", TAKES_ITSELF)
    for profile in settings.profiles.values():
        if profile.location.role_arn == function_role != settings.role_arn:
            yield "", after(f"[{profile.name}] role = {function_role}", TAKES_ITSELF)


def _clause_values(problem: Fault) -> Mapping[str, Any]:
    values: Mapping[str, Any] = getattr(problem.sentence.values.get("clause"), "values", {})
    return values


def _is_mounted(problem: Fault, props: Mapping[str, Any]) -> bool:
    """True of a file of callers that lies in a folder that the function has, and this machine has not."""
    path = str(_clause_values(problem).get("path", "")) if problem.setting == CALLERS_TOML else ""
    blocks = (mapping(props.get(name)).get("mountPoints") or () for name in ("nasConfig", "ossMountConfig"))
    folders = (mapping(point).get("mountDir") for points in blocks for point in points)
    return any(folder and path.startswith(f"{str(folder).rstrip('/')}/") for folder in folders)
