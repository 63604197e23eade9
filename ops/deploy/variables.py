"""
Where the variables of ``s.yaml`` come from: the environment, ``.env``, or the values of ``.env.example``.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from ops.deploy.callers import own_variables
from ops.deploy.s_yaml import Problem, Resolver
from ops.terminal.language import Text

ENV, ENVIRONMENT = ".env", "environment"
# What .env.example writes where only the operator knows the value.
PLACEHOLDER = re.compile(r"my-bucket|1234567890123456")


@dataclass(frozen=True)
class VariableSources:
    """Where variables come from; some values of ``.env.example`` are placeholders that nobody can deploy."""

    env_file: Mapping[str, str]
    environ: Mapping[str, str]
    example: Mapping[str, str]

    @property
    def values(self) -> dict[str, str]:
        return {**self.env_file, **self.environ}


def placeholders(resolver: Resolver, sources: VariableSources) -> list[str]:
    """The names that were copied from the example and never filled in."""
    copied = [name for name in resolver.used if sources.values.get(name) == sources.example.get(name, "")]
    return [name for name in copied if PLACEHOLDER.search(sources.example.get(name, ""))]


def at_its_source(problem: Problem, resolver: Resolver, sources: VariableSources) -> Problem:
    """A setting that ``s.yaml`` only passes on is wrong where its value comes from, or should."""
    *_, block, name = problem.place if len(problem.place) > 1 else ("", "")
    if block != "environmentVariables" or name not in resolver.used or resolver.used[str(name)]:
        return problem
    place = (ENVIRONMENT if sources.environ.get(str(name)) else ENV, name)
    return replace(problem, place=place)


UNSET = Text(
    "is not set: write {name}=..., as .env.example shows",
    "没有设置：请写上 {name}=…，写法见 .env.example",
)

UNSET_OF_CALLER = Text(
    "is not set: callers.toml takes a secret from it (env:{name}); write {name}=...",
    "没有设置：callers.toml 从这里取密钥（env:{name}）；请写上 {name}=…",
)

UNSET_ROLE = Text(
    "is not set: `manage.py setup` makes the role, and prints the line for .env",
    "没有设置：`manage.py setup` 会建这个角色，并打印要写进 .env 的一行",
)


def unset_at_its_source(problem: Problem, sources: VariableSources) -> Problem:
    """A setting that ``s.yaml`` passes on and nobody set is missing in ``.env``, if the example has it."""
    *_, block, name = problem.place if len(problem.place) > 1 else ("", "")
    if block == "environmentVariables" and name in own_variables():
        return Problem((ENV, name), Text(*(text.format(name=name) for text in UNSET_OF_CALLER)))
    if block != "environmentVariables" or name not in sources.example or sources.values.get(str(name)):
        return problem
    said = UNSET_ROLE if name == "STS_ROLE_ARN" else UNSET
    return Problem((ENV, name), Text(*(text.format(name=name) for text in said)))
