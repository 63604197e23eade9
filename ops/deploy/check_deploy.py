"""
Check s.yaml and .env strictly and offline, before anything is sent to the cloud.

Refuses what the deployment tool lets pass: misspelt properties, triggers without methods, a role
that is no ARN, a handler that does not exist, a setting that the function would refuse.
"""

import argparse
import os
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from function.config import settings
from function.config.profiles import PROFILES_TOML
from function.context import HOOKS_FILE
from ops.deploy.callers import CALLERS_TOML, own_variables
from ops.deploy.cloud_keys import NO_KEY, account_of_role, missing_keys, wrong_values
from ops.deploy.env_file import exported_problems, read_env_file
from ops.deploy.hints import deployment_hints
from ops.deploy.operator_env import unknown_names
from ops.deploy.own_blocks import OWN, with_own_blocks
from ops.deploy.profile_lines import with_lines
from ops.deploy.rules import file_problems, hooks_problems, resource_problems, setting_problems
from ops.deploy.s_yaml import Problem, Resolver, environment, functions, read_s_yaml
from ops.deploy.schema_check import schema_problems
from ops.terminal.language import Failure, Text, add_language_argument, chosen_language
from ops.terminal.screen import Screen

SUMMARY = Text("check s.yaml and .env, strictly and offline", "离线严格检查 s.yaml 与 .env")
ABOUT = Text(
    __doc__,
    "在向云端发送任何东西之前，离线严格检查 s.yaml 与 .env。\n\n"
    "部署工具会放过的也拒绝：拼错的属性、没有方法的触发器、不是 ARN 的角色、不存在的 handler、"
    "函数会拒绝的设置。",
)
ROOT = Path(__file__).resolve().parents[2]
STAND_IN_ACCOUNT = "1234567890123456"
WORDS = {
    "file": Text("default: s.yaml", "默认：s.yaml"),
    "for_deploy": Text(
        "look for a key of the cloud too, as `make deploy` does", "也检查云账号的密钥，与 `make deploy` 相同"
    ),
    "note": Text("note: {text}", "提示：{text}"),
    "error": Text("error: {text}", "错误：{text}"),
    "problem": Text("1 problem", "1 个问题"),
    "problems": Text("{count} problems", "{count} 个问题"),
    "none": Text("{name}: no problems", "{name}：没有问题"),
    "empty": Text("is empty; it must be a mapping", "是空的；应为映射"),
}
UNSET = Text(
    "is not set: write {name}=..., as .env.example shows", "没有设置：请写上 {name}=…，写法见 .env.example"
)
UNSET_OF_CALLER = Text(
    "is not set: callers.toml takes a secret from it (env:{name}); write {name}=...",
    "没有设置：callers.toml 从这里取密钥（env:{name}）；请写上 {name}=…",
)
UNSET_ROLE = Text(
    "is not set: `manage.py setup` makes the role, and prints the line for .env",
    "没有设置：`manage.py setup` 会建这个角色，并打印要写进 .env 的一行",
)
ENV, ENVIRONMENT = ".env", "environment"
# Files, beside s.yaml, that a problem may be in.
OWN_FILES = (ENV, ENVIRONMENT, PROFILES_TOML, CALLERS_TOML, HOOKS_FILE.name)
ORIGINS = {ENVIRONMENT: Text(ENVIRONMENT, "环境变量")}


class Report(NamedTuple):
    """What must be mended, and what is worth knowing."""

    problems: list[Text]
    hints: list[Text]


def add_arguments(parser: argparse.ArgumentParser, language: str = "en") -> None:
    parser.add_argument(
        "file", nargs="?", type=Path, default=ROOT / "s.yaml", help=WORDS["file"].say(language)
    )
    parser.add_argument("--for-deploy", action="store_true", help=WORDS["for_deploy"].say(language))
    add_language_argument(parser, language)


def run(args: argparse.Namespace) -> int:
    language = chosen_language(args.lang)
    screen, complaints = Screen(), Screen(sys.stderr)
    try:
        file = with_own_blocks(args.file)
    except Failure as failure:
        complaints.fail_with(failure, language)
        return 1
    report = check(file, os.environ, for_deploy=args.for_deploy)
    for hint in report.hints:
        screen.line(WORDS["note"].say(language, text=hint.say(language)))
    for problem in report.problems:
        complaints.line(WORDS["error"].say(language, text=problem.say(language)))
    if report.problems:
        count = len(report.problems)
        complaints.line(WORDS["problems" if count > 1 else "problem"].say(language, count=count))
        return 1
    screen.line(WORDS["none"].say(language, name=file.name))
    return 0


def check(file: Path, environ: Mapping[str, str], *, for_deploy: bool = False) -> Report:
    """
    Check the file with the ``.env`` and the code of its project.

    Args:
        environ: wins over ``.env``, as in the tool.
        for_deploy: the deployment tool needs a key of the cloud as well.
    """
    source = read_s_yaml(file)
    if not isinstance(source.content, dict):
        wrong = source.problems or (Problem((), WORDS["empty"]),)
        return Report([_line(file, problem, {}) for problem in wrong], [])
    root = source.folder
    env_file = read_env_file(root / ENV)
    values, example = {**env_file.values, **environ}, read_env_file(root / ".env.example").values
    resolver = Resolver(values, values.get("AccountID") or account_of_role(values) or STAND_IN_ACCOUNT)
    document = resolver.resolve_layers(source.layers)
    unset = [_unset_at_its_source(problem, values, example) for problem in resolver.problems]
    found = [*source.problems, *file_problems(source.content), *unset]
    found += hooks_problems(root)
    found += schema_problems(document, resolver.unresolved)
    found += resource_problems(document, root)
    written = {name for _, props in functions(document) for name in environment(props)}
    for problem in (each for place, _ in functions(document) for each in setting_problems(document, place)):
        # Already reported as not set.
        if problem.place not in resolver.unresolved:
            is_passed_on = problem.place[-1] in written
            found.append(_at_its_source(problem, resolver, environ) if is_passed_on else problem)
    if for_deploy and (names := missing_keys(values, str(source.content.get("access", "")))):
        found.append(Problem((ENVIRONMENT, ", ".join(names)), NO_KEY))
    for name, said in wrong_values(values):
        found.append(Problem((ENVIRONMENT if environ.get(name) else ENV, name), said))
    of_profiles = [problem.sentence for problem in found if problem.place == (PROFILES_TOML,)]
    others = [problem for problem in found if problem.place != (PROFILES_TOML,)]
    problems = [
        *(*env_file.problems, *exported_problems(env_file, environ)),
        *(_line(file, problem, env_file.places) for problem in others),
        *with_lines(of_profiles, settings.DEFAULT_PROFILES_FILE),
    ]
    hints = [*unknown_names(env_file), *deployment_hints(root, document)]
    return Report(problems, hints)


def _at_its_source(problem: Problem, resolver: Resolver, environ: Mapping[str, str]) -> Problem:
    """A value that is wrong, in ``.env`` or the environment."""
    name = _setting(problem)
    if name not in resolver.used or resolver.used[name]:
        return problem
    return replace(problem, place=(ENVIRONMENT if environ.get(name) else ENV, name))


def _unset_at_its_source(problem: Problem, values: Mapping[str, str], example: Mapping[str, str]) -> Problem:
    """A value that nobody set, in ``.env``: if the example has it, or it is a caller's."""
    name = _setting(problem)
    if name in own_variables():
        said = UNSET_OF_CALLER
    elif name in example and not values.get(name):
        said = UNSET_ROLE if name == "STS_ROLE_ARN" else UNSET
    else:
        return problem
    return Problem((ENV, name), said.filled(name=name))


def _setting(problem: Problem) -> str:
    """Return the setting that it is about; empty for any other property."""
    *_, block, name = ("", "", *problem.place)
    return str(name) if block == "environmentVariables" else ""


def _line(file: Path, problem: Problem, env_lines: Mapping[str, str]) -> Text:
    """Where it is, and what: after a name its value or (in English) a verb, after anything else a colon."""
    place, (en, zh) = problem.place, problem.sentence
    shown = place[:-1] if problem.names_itself else place
    if place[:1] and place[0] in OWN_FILES:
        parts = [ORIGINS.get(str(part), Text(str(part), str(part))) for part in shown]
        if place[0] == ENV and (line := env_lines.get(str(place[-1]))):
            parts[0] = Text(line, line)
    else:
        # Nobody edits s.own.yaml.
        name = "s.yaml" if file.name == OWN else file.name
        parts = [Text(each, each) for each in (name, ".".join(map(str, shown))) if each]
    if not parts:
        return problem.sentence
    where = Text(": ".join(part.en for part in parts), "：".join(part.zh for part in parts))
    is_value = en.startswith("=") and not problem.names_itself
    is_verb = bool(place) and en[0].islower() and not problem.names_itself
    return Text(
        f"{where.en}{' ' if is_value or is_verb else ': '}{en}", f"{where.zh}{' ' if is_value else '：'}{zh}"
    )
