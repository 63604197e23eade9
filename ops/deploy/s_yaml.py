"""
``s.yaml`` as the deployment tool sees it: laid over the file that it extends, ``${env(...)}`` replaced.

Source: https://manual.serverless-devs.com/user-guide/spec/ and @serverless-devs/parse-spec 0.0.29.
"""

import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from pathlib import Path
from typing import Any

import yaml

from ops.terminal.language import Failure, Text, why_unreadable

Place = tuple[str | int, ...]

EXTEND = "extend"
CALL = re.compile(
    r"""\$\{\s*(?:config\(\s*(['"])AccountID\1\s*\)
        |env\(\s*(['"])(?P<name>\w+)\2\s*(?:,\s*(['"])(?P<default>[^'"{}]*)\4\s*)?\))\s*\}""",
    re.VERBOSE,
)
NO_DOCUMENT = Text("names a file that holds no mapping", "指的文件里没有映射")
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


@dataclass(frozen=True)
class Problem:
    """
    What is wrong: where, such as ``resources.upload.props.cpu``, and a sentence with value and remedy.

    Args:
        names_itself: whether the sentence begins with the last part of the place already.
    """

    place: Place
    sentence: Text
    names_itself: bool = False


@dataclass(frozen=True)
class SourceFile:
    """
    Args:
        folder: the project's: that of the file that extends no other, where ``.env`` and the code are.
        layers: each file's own document with its ``${...}`` as written, the extended one first.
    """

    folder: Path
    layers: tuple[Any, ...]
    problems: tuple[Problem, ...] = ()

    @property
    def content(self) -> Any:
        """The whole document, as written."""
        return reduce(laid_over, self.layers, None)


def laid_over(below: Any, above: Any) -> Any:
    """What the tool makes of the values of two files: mappings are joined, all else is replaced."""
    if not (isinstance(below, dict) and isinstance(above, dict)):
        return above
    return {**below, **{name: laid_over(below.get(name), value) for name, value in above.items()}}


def mapping(value: Any) -> dict[str, Any]:
    """Return the value, or an empty mapping where the file has anything else."""
    return value if isinstance(value, dict) else {}


def functions(document: Any) -> Iterator[tuple[Place, dict[str, Any]]]:
    """The place and the ``props`` of every resource."""
    for name, resource in mapping(mapping(document).get("resources")).items():
        if isinstance(props := mapping(resource).get("props"), dict):
            yield ("resources", name, "props"), props


def environment(props: Mapping[str, Any]) -> dict[str, str]:
    """The settings that this function would be deployed with."""
    return {name: str(value) for name, value in mapping(props.get("environmentVariables")).items()}


def read_s_yaml(path: Path) -> SourceFile:
    """Read it, and the one file that it may extend; what YAML itself refuses is a problem."""
    own = _read_one(path)
    if not isinstance(own.content, dict) or EXTEND not in own.content:
        return own
    extended = _read_one(Path(os.path.normpath(path.parent / str(own.content[EXTEND]))))
    if isinstance(extended.content, dict):
        return SourceFile(extended.folder, (extended.content, own.content))
    why = extended.problems or (Problem((), NO_DOCUMENT),)
    return SourceFile(extended.folder, own.layers, tuple(Problem((EXTEND,), one.sentence) for one in why))


def parsed(text: str) -> Any:
    """The document in a text of YAML, by the parser in C, which is ten times as fast, where there is one."""
    return yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def _read_one(path: Path) -> SourceFile:
    try:
        # Keys are texts for the tool, whatever YAML takes them for.
        content = json.loads(json.dumps(parsed(path.read_text("utf-8")), default=str))
    except (OSError, UnicodeDecodeError) as error:
        why = why_unreadable(error)
        sentence = Text(f"cannot be read: {why.en}", f"无法读取：{why.zh}")
    except (yaml.YAMLError, TypeError, ValueError) as error:
        said = " ".join(str(error).split())
        sentence = Text(f"is not YAML: {said}", f"不是 YAML：“{said}”")
    else:
        return SourceFile(path.parent, (content,))
    return SourceFile(path.parent, (), (Problem((), sentence),))


@dataclass
class Resolver:
    """
    Replaces ``${...}``.

    Args:
        environ: what ``env('NAME')`` finds; an empty value counts as unset, as in the tool.
        account_id: what ``config('AccountID')`` stands for.

    Attributes:
        used: of each name the default that was taken, or ``None`` where it is set.
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
            if "${" in CALL.sub("", value):
                raise Failure(OTHERS.filled(text=value))
            return CALL.sub(self._value, value)
        except Failure as error:
            self.problems += [Problem(place, sentence) for sentence in error.sentences]
            self.unresolved.add(place)
            return ""

    def _value(self, call: re.Match[str]) -> str:
        name, default = call["name"], call["default"]
        if name is None:
            return self.account_id
        value = self.environ.get(name)
        if not value and default is None:
            raise Failure(UNSET.filled(name=name))
        if value and "${" in value:
            raise Failure(REPLACED_AGAIN.filled(name=name))
        self.used[name] = None if value else default
        return value or default or ""
