"""
``${env(...)}`` in the texts of ``s.yaml``, replaced as Serverless Devs replaces it, but offline.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import Any

from ops.deploy.s_yaml import Place, Problem, laid_over
from ops.terminal.language import Failure, Text

EXPRESSION = re.compile(r"\$\{([^{}]*)\}")
QUOTED = r"""(?:'([^']*)'|"([^"]*)")"""
CALL = re.compile(rf"\s*(env|config)\(\s*{QUOTED}\s*(?:,\s*{QUOTED}\s*)?\)\s*")
OTHERS = Text(
    "{text}: only ${{env('NAME')}}, ${{env('NAME', 'default')}} and ${{config('AccountID')}} are worked out"
    " offline; write one of these",
    "{text}：离线时只支持 ${{env('NAME')}}、${{env('NAME', 'default')}} 与 ${{config('AccountID')}}，请改写",
)
UNSET = Text(
    "{name} is not set and has no default; set it in .env or in the environment, or write"
    " ${{env('{name}', 'default')}}",
    "{name} 没有设置，也没有默认值；请在 .env 或环境变量里设置，或写成 ${{env('{name}', 'default')}}",
)
REPLACED_AGAIN = Text(
    "{name}: its value holds ${{, which the tool would replace", "{name}：值里有 ${{，部署工具会替换它"
)


@dataclass
class Resolver:
    """
    Replaces ``${...}``.

    Args:
        environ: what ``env('NAME')`` finds; an empty value counts as unset, as in the tool.
        account_id: what ``config('AccountID')`` stands for.

    Attributes:
        used: of each name the default that was taken, or ``None`` where it is set.

    Source: https://manual.serverless-devs.com/user-guide/spec/ and @serverless-devs/parse-spec 0.0.29.
    """

    environ: Mapping[str, str]
    account_id: str
    problems: list[Problem] = field(default_factory=list)
    unresolved: set[Place] = field(default_factory=set)
    used: dict[str, str | None] = field(default_factory=dict)

    def resolve_layers(self, layers: Sequence[Any]) -> Any:
        """Each file by itself, as the tool does, then one laid over the other."""
        resolved = [self.resolve(layer, ()) for layer in layers]
        self.problems = list(dict.fromkeys(self.problems))
        return reduce(laid_over, resolved)

    def resolve(self, value: Any, place: Place) -> Any:
        if isinstance(value, dict):
            return {key: self.resolve(item, (*place, key)) for key, item in value.items()}
        if isinstance(value, list):
            return [self.resolve(item, (*place, index)) for index, item in enumerate(value)]
        if not isinstance(value, str) or "${" not in value:
            return value
        try:
            if "${" in EXPRESSION.sub("", value):
                raise Failure(OTHERS.filled(text=value))
            return EXPRESSION.sub(self._value, value)
        except Failure as error:
            self.problems += [Problem(place, sentence) for sentence in error.sentences]
            self.unresolved.add(place)
            return ""

    def _value(self, expression: re.Match[str]) -> str:
        call = CALL.fullmatch(expression[1])
        if call is None:
            raise Failure(OTHERS.filled(text=expression[0]))
        name = call[2] if call[2] is not None else call[3]
        default = call[4] if call[4] is not None else call[5]
        if call[1] == "config":
            if name != "AccountID" or default is not None:
                raise Failure(OTHERS.filled(text=expression[0]))
            return self.account_id
        value = self.environ.get(name)
        if not value and default is None:
            raise Failure(UNSET.filled(name=name))
        if value and "${" in value:
            raise Failure(REPLACED_AGAIN.filled(name=name))
        self.used[name] = None if value else default
        return value or default or ""
