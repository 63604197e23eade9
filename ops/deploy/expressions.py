"""
``${...}`` in the texts of ``s.yaml``, replaced as Serverless Devs replaces them, but offline.
"""

import ast
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from pathlib import Path
from typing import Any

from ops.deploy.s_yaml import Place, Problem, laid_over
from ops.terminal.language import Failure, Text

EXPRESSION = re.compile(r"\$\{([^{}]*)\}")
MAX_DEPTH = 8


@dataclass
class Resolver:
    """
    Replaces ``${...}``.

    Args:
        environ: what ``env('NAME')`` finds; an empty value counts as unset, as in the tool.

        account_id: what ``config('AccountID')`` stands for.

        folder: where ``file()`` and ``path()`` start.

        document: the whole file as written, for ``vars.x``, ``this.props.x`` and ``resources.n.props.x``.

    Source: https://manual.serverless-devs.com/user-guide/spec/ and @serverless-devs/parse-spec 0.0.29.
    """

    environ: Mapping[str, str]
    account_id: str
    folder: Path
    document: Any
    resource: Any = None
    problems: list[Problem] = field(default_factory=list)
    unresolved: set[Place] = field(default_factory=set)
    used: dict[str, str | None] = field(default_factory=dict)  # name -> default taken, or None when set

    def resolve_layers(self, layers: Sequence[Any]) -> Any:
        """Each file by itself, then one laid over the other; what stands beside ``resources`` is shared."""
        own = [{name: value for name, value in layer.items() if name != "resources"} for layer in layers]
        shared = reduce(laid_over, own)
        resolved = []
        for layer in layers:
            self.document = {**layer, **shared}
            resolved.append(self.resolve(self.document, ()))
        self.problems = list(dict.fromkeys(self.problems))
        return reduce(laid_over, resolved)

    def resolve(self, value: Any, place: Place) -> Any:
        if isinstance(value, dict):
            return {key: self.resolve(item, (*place, key)) for key, item in value.items()}
        if isinstance(value, list):
            return [self.resolve(item, (*place, index)) for index, item in enumerate(value)]
        if isinstance(value, str) and "${" in value:
            return self.text(value, place)
        return value

    def text(self, text: str, place: Place) -> Any:
        if place[:1] == ("resources",):
            self.resource = self.document["resources"][place[1]]
        try:
            return self.expand(text, 0)
        except ExpressionError as error:
            self.problems += [Problem(place, sentence) for sentence in error.sentences]
            self.unresolved.add(place)
            return ""

    def expand(self, text: str, depth: int) -> Any:
        if depth > MAX_DEPTH:
            raise ExpressionError(Text(f"{text}: refers to itself", f"{text}：引用了自己"))
        if whole := EXPRESSION.fullmatch(text):
            return self.expression(whole[1], depth)
        expanded = EXPRESSION.sub(lambda match: str(self.expression(match[1], depth)), text)
        if "${" in expanded:
            raise ExpressionError(
                Text(
                    f"{text}: has a ${{ that is not closed, or one inside another",
                    f"{text}：有没闭合的 ${{，或一个套着另一个",
                )
            )
        return expanded

    def expression(self, source: str, depth: int) -> Any:
        try:
            node = ast.parse(source.strip(), mode="eval").body
        except (SyntaxError, ValueError):
            raise ExpressionError(
                Text(
                    f"${{{source}}}: is not an expression such as env('NAME', 'default')",
                    f"${{{source}}}：不是 env('NAME', 'default') 这样的表达式",
                )
            ) from None
        return self.evaluate(node, source, depth)

    def evaluate(self, node: ast.expr, source: str, depth: int) -> Any:
        match node:
            case ast.Constant(value=str() as text):
                return text
            case ast.Call(func=ast.Name(id=name), args=args, keywords=[]) if args:
                # The default of env() is taken as it is, so only a used one must make sense.
                if name == "env" and len(args) == 2:
                    return self.env(self.evaluate(args[0], source, depth), args[1], source, depth)
                return self.call(name, [self.evaluate(arg, source, depth) for arg in args], source)
            case ast.Attribute() | ast.Name():
                return self.reference(ast.unparse(node), source, depth)
        raise ExpressionError(
            Text(
                f"${{{source}}}: cannot be worked out offline; use env('NAME', 'default')",
                f"${{{source}}}：离线时无法求值，请用 env('NAME', 'default')",
            )
        )

    def env(self, name: str, default: ast.expr | None, source: str, depth: int) -> Any:
        if value := self.environ.get(name):
            self.used[name] = None
            if "${" in value:
                raise ExpressionError(
                    Text(
                        f"{name}: its value holds ${{, which the tool would replace",
                        f"{name}：值里有 ${{，部署工具会替换它",
                    )
                )
            return value
        if default is None:
            raise ExpressionError(
                Text(
                    f"{name} is not set and has no default; set it in .env or in the environment, or write"
                    f" ${{env('{name}', 'default')}}",
                    f"{name} 没有设置，也没有默认值；请在 .env 或环境变量里设置，或写成"
                    f" ${{env('{name}', 'default')}}",
                )
            )
        value = self.evaluate(default, source, depth)
        self.used[name] = str(value)
        return value

    def call(self, name: str, arguments: list[Any], source: str) -> Any:
        argument = str(arguments[0])
        if len(arguments) == 1:
            match name:
                case "env":
                    return self.env(argument, None, source, 0)
                case "config" if argument == "AccountID":
                    return self.account_id
                case "str":
                    return argument
                case "file" | "path":
                    return self.file(name, argument, source)
                case "json":
                    return self.json(argument, source)
        known = (
            "env('NAME'), env('NAME', 'default'), config('AccountID'), file('f'), path('f'), json(file('f'))"
        )
        raise ExpressionError(
            Text(
                f"${{{source}}}: cannot be worked out offline; allowed are {known}, vars.x and this.props.x",
                f"${{{source}}}：离线时无法求值，可用：{known}、vars.x、this.props.x",
            )
        )

    def file(self, name: str, argument: str, source: str) -> str:
        path = self.folder / argument
        try:
            return path.read_text("utf-8") if name == "file" else str(path.resolve(strict=True))
        except (OSError, UnicodeDecodeError):
            raise ExpressionError(
                Text(f"${{{source}}}: {argument} cannot be read", f"${{{source}}}：无法读取 {argument}")
            ) from None

    def json(self, argument: str, source: str) -> Any:
        try:
            return json.loads(argument)
        except ValueError:
            raise ExpressionError(Text(f"${{{source}}}: is not JSON", f"${{{source}}}：不是 JSON")) from None

    def reference(self, path: str, source: str, depth: int) -> Any:
        first, *rest = path.split(".")
        here = {
            "vars": lambda: self.document.get("vars"),
            "resources": lambda: self.document.get("resources"),
            "this": lambda: self.resource,
        }.get(first, lambda: None)()
        for name in rest:
            here = here.get(name) if isinstance(here, dict) else None
        if not rest or here is None:
            raise ExpressionError(
                Text(f"${{{source}}}: there is no {path} in this file", f"${{{source}}}：文件里没有 {path}")
            )
        return self.expand(here, depth + 1) if isinstance(here, str) and "${" in here else here


class ExpressionError(Failure):
    """Raised for a ``${...}`` that has no value; its sentence says why."""
