"""
Check s.yaml and .env strictly and offline, before anything is sent to the cloud.

Refuses what the deployment tool lets pass: misspelt properties at any depth, triggers without methods, a role
that is no ARN, a handler that does not exist, a setting that the function would refuse.
"""

import argparse
import os
import sys
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from function.profiles import PROFILES_TOML
from ops.deploy.cloud_keys import missing_keys
from ops.deploy.env_file import exported_problems, read_env_file
from ops.deploy.expressions import Resolver
from ops.deploy.given import ENV, ENVIRONMENT, Given, needed_names, variables, where_it_is_given
from ops.deploy.operator_env import unknown_names
from ops.deploy.rules import (
    environment,
    file_problems,
    functions,
    mapping,
    resource_problems,
    setting_problems,
)
from ops.deploy.s_yaml import Place, Problem, SourceFile, read_s_yaml
from ops.deploy.schema_check import schema_problems
from ops.deploy.setting_rules import doubtful_settings

SUMMARY = "check s.yaml and .env, strictly and offline"
ROOT = Path(__file__).resolve().parents[2]
STAND_IN_ACCOUNT = "1234567890123456"
PINNED = "write fc3@0.1.22"


@dataclass
class Report:
    """
    Args:
        problems: what must be mended.

        hints: what is worth knowing.

        variables: name, value as it may be shown, where it comes from.
    """

    problems: list[str] = field(default_factory=list)
    hints: list[str] = field(default_factory=list)
    variables: list[tuple[str, str, str]] = field(default_factory=list)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", nargs="?", type=Path, default=ROOT / "s.yaml", help="default: s.yaml")
    parser.add_argument(
        "--for-deploy",
        action="store_true",
        help="refuse the example's values too, as `make deploy` does",
    )


def run(args: argparse.Namespace) -> int:
    report = check(args.file, os.environ, for_deploy=args.for_deploy)
    _print_variables(report.variables)
    for hint in report.hints:
        print(f"note: {hint}")
    sys.stdout.flush()
    for problem in report.problems:
        print(f"error: {problem}", file=sys.stderr)
    if report.problems:
        count = len(report.problems)
        print(f"{count} problem{'s' * (count > 1)}", file=sys.stderr)
        return 1
    print(f"{args.file.name}: no problems")
    return 0


def check(file: Path, environ: Mapping[str, str], *, for_deploy: bool = False) -> Report:
    """
    Check the file with the ``.env`` and the code beside it.

    Args:
        environ: wins over ``.env``, as in the tool.

        for_deploy: nothing may be left at a placeholder of ``.env.example``. Otherwise they stand in for what
            is not set as long as nothing is configured at all, so that a fresh clone can be checked.
    """
    source = read_s_yaml(file)
    if not isinstance(source.content, dict):
        wrong = source.problems or (Problem((), "is empty; it must be a mapping"),)
        return Report([_line(file, source, problem) for problem in wrong])
    env_file = read_env_file(file.with_name(ENV))
    given = Given(env_file.values, environ, read_env_file(file.with_name(".env.example")).values)
    needed = sorted(set(needed_names(source.content)))
    stand_ins = {} if for_deploy else given.stand_ins(needed)
    values = {**given.values, **stand_ins}

    resolver = Resolver(values, values.get("AccountID") or STAND_IN_ACCOUNT, file.parent, source.content)
    document = resolver.resolve(source.content, ())
    found = [*source.problems, *file_problems(source.content), *resolver.problems]
    found += schema_problems(document, resolver.unresolved)
    found += resource_problems(document, file.parent)
    refused = [
        where_it_is_given(problem, resolver, given) if problem.place in source.lines else problem
        for problem in _unless_unset(document, resolver)
    ]
    if stand_ins:
        # What stands in is not the operator's, nor is what is missing beside it; all else is.
        found += [problem for problem in refused if _is_the_operators(problem, given, stand_ins)]
    else:
        found += refused
        found += [
            Problem((ENV, name), "still has the value of .env.example; set your own")
            for name in given.placeholders(needed)
        ]
    if for_deploy and (names := missing_keys(values, str(source.content.get("access", "")))):
        found.append(
            Problem(
                (ENVIRONMENT, ", ".join(names)),
                "not set: the deployment tool finds no key of the cloud. Export AccountID, AccessKeyID and"
                " AccessKeySecret of the RAM user that deploys",
            )
        )
    return Report(
        [
            *env_file.problems,
            *exported_problems(env_file, environ),
            *(_line(file, source, problem) for problem in found),
        ],
        [
            *_stand_in_hints(stand_ins, file.with_name(ENV).exists()),
            *unknown_names(env_file),
            *_hints(file, document, values),
        ],
        variables(resolver, given),
    )


def _is_the_operators(problem: Problem, given: Given, stand_ins: Mapping[str, str]) -> bool:
    name = str(problem.place[-1])
    return problem.place == (PROFILES_TOML,) or (bool(given.values.get(name)) and name not in stand_ins)


def _unless_unset(document: Any, resolver: Resolver) -> Iterator[Problem]:
    """The settings that the function would refuse, without those already reported as not set."""
    for place, _ in functions(document):
        for problem in setting_problems(document, place):
            if problem.place not in resolver.unresolved:
                yield problem


def _stand_in_hints(stand_ins: Mapping[str, str], has_env_file: bool) -> Iterator[str]:
    if stand_ins:
        names = ", ".join(sorted(stand_ins))
        before = "fill in .env" if has_env_file else "cp .env.example .env, and fill it in"
        yield (
            f"not configured yet: {names} stand in with the values of .env.example; what is missing beside"
            f" them was not asked for. Before `make deploy`: {before}"
        )


def _hints(file: Path, document: Any, values: Mapping[str, str]) -> Iterator[str]:
    for _, props in functions(document):
        if not (file.parent / str(props.get("code", "")) / "handler.py").is_file():
            yield f"{props.get('code')} is not built yet; `make package` makes it, and every deployment does"
        if mapping(props.get("customDomain")).get("domainName") == "auto":
            yield "customDomain.domainName is auto: a test domain, not for production"
        if props.get("logConfig") == "auto":
            yield "logConfig is auto: the tool creates a log project, which needs rights on Log Service"
        if "customDomain" in props and not all(
            _is_closed(trigger) for trigger in props.get("triggers") or []
        ):
            yield (
                "the *.fcapp.run address stays open beside customDomain, past what guards that domain: write"
                " disableURLInternet: true into triggerConfig"
            )
        yield from doubtful_settings(environment(props))
    for name, resource in mapping(document.get("resources")).items():
        if mapping(resource).get("component") == "fc3":
            yield f"resources.{name}.component has no version, so each deployment takes the newest: {PINNED}"
    if not values.get("AccountID"):
        yield "config('AccountID') comes from the key pair of `s config add`; it was not looked up"


def _print_variables(variables: list[tuple[str, str, str]]) -> None:
    for name, value, origin in variables:
        if origin != "default":
            print(f"  {name:<22} {value:<60} {origin}")
    defaults = [
        f"{name}={value}" if value else name for name, value, origin in variables if origin == "default"
    ]
    if defaults:
        print(
            textwrap.fill(
                f"at their defaults: {', '.join(defaults)}",
                100,
                initial_indent="  ",
                subsequent_indent="    ",
            )
        )


def _is_closed(trigger: Any) -> bool:
    return mapping(mapping(trigger).get("triggerConfig")).get("disableURLInternet") is True


def _line(file: Path, source: SourceFile, problem: Problem) -> str:
    place: Place = problem.place
    while place and place not in source.lines:
        place = place[:-1]
    where = ".".join(str(part) for part in problem.place)
    if problem.place[:1] in ((ENV,), (ENVIRONMENT,)):
        where = ": ".join(str(part) for part in problem.place)
    elif problem.place[:1] != (PROFILES_TOML,):
        where = f"{file.name}:{source.lines.get(place, 1)}: {where}".removesuffix(": ")
    joint = " " if problem.place and (problem.sentence[0].islower() or problem.sentence[0] == "=") else ": "
    return f"{where}{joint}{problem.sentence}"
