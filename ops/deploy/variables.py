"""Problems of settings that ``s.yaml`` only passes on, put where their values come from, or should."""

from collections.abc import Mapping
from dataclasses import replace

from ops.deploy.callers import own_variables
from ops.deploy.s_yaml import Problem, Resolver
from ops.terminal.language import Text

ENV, ENVIRONMENT = ".env", "environment"
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


def at_its_source(problem: Problem, resolver: Resolver, environ: Mapping[str, str]) -> Problem:
    """A value that is wrong, in ``.env`` or the environment."""
    name = _setting(problem)
    if name not in resolver.used or resolver.used[name]:
        return problem
    return replace(problem, place=(ENVIRONMENT if environ.get(name) else ENV, name))


def unset_at_its_source(problem: Problem, values: Mapping[str, str], example: Mapping[str, str]) -> Problem:
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
