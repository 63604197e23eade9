"""
``s.yaml`` as YAML, laid over the file that it extends, with the line of every value.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import reduce
from pathlib import Path
from typing import Any

import yaml

from ops.terminal.language import Text, why_unreadable

Place = tuple[str | int, ...]

EXTEND = "extend"
NO_DOCUMENT = Text("names a file that holds no mapping", "指的文件里没有映射")
WRITTEN_TWICE = Text("is written twice; keep one of them", "写了两次，请只留一处")
EXTENDS_AGAIN = Text(
    "is not followed by the tool in a file that is extended itself; write it into one of them",
    "在被继承的文件里不起作用；请只写在其中一个文件里",
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
        lines: file and 1-based line of each place, such as ``s.yaml:12``.
    """

    folder: Path
    layers: tuple[Any, ...]
    lines: Mapping[Place, str]
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


def read_s_yaml(path: Path) -> SourceFile:
    """Read it, and what it extends, with the line of every value; what YAML itself refuses is a problem."""
    own = _read_one(path)
    content = own.content
    if not isinstance(content, dict) or not isinstance(content.get(EXTEND), str):
        return own
    extended = _read_one(Path(os.path.normpath(path.parent / content[EXTEND])))
    own = replace(own, folder=extended.folder)
    below = extended.content
    if not isinstance(below, dict):
        why = extended.problems or (Problem((), NO_DOCUMENT),)
        return replace(own, problems=tuple(Problem((EXTEND,), one.sentence) for one in why))
    again = (Problem((EXTEND,), EXTENDS_AGAIN),) if EXTEND in below else ()
    lines, problems = {**extended.lines, **own.lines}, (*extended.problems, *own.problems, *again)
    return SourceFile(own.folder, (below, content), lines, problems)


def _read_one(path: Path) -> SourceFile:
    try:
        text = path.read_text("utf-8")
        loader = yaml.SafeLoader(text)
        try:
            node = loader.get_single_node()
            reader = _NodeReader(loader, path.name)
            content = reader.value(node, ()) if node is not None else None
        finally:
            loader.dispose()
    except (OSError, UnicodeDecodeError) as error:
        why = why_unreadable(error)
        sentence = Text(f"cannot be read: {why.en}", f"无法读取：{why.zh}")
        return SourceFile(path.parent, (), {}, (Problem((), sentence),))
    except yaml.YAMLError as error:
        said = " ".join(str(error).split())
        sentence = Text(f"is not YAML: {said}", f"不是 YAML：“{said}”")
        return SourceFile(path.parent, (), {}, (Problem((), sentence),))
    return SourceFile(path.parent, (content,), reader.lines, tuple(reader.problems))


class _NodeReader:
    """YAML nodes to values, keeping the lines and refusing the second of two equal keys."""

    def __init__(self, loader: yaml.SafeLoader, file: str) -> None:
        self.loader = loader
        self.file = file
        self.lines: dict[Place, str] = {}
        self.problems: list[Problem] = []

    def value(self, node: yaml.Node, place: Place) -> Any:
        self.lines.setdefault(place, self.line(node))
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item, (*place, index)) for index, item in enumerate(node.value)]
        if isinstance(node, yaml.MappingNode):
            return self.mapping(node, place)
        return self.loader.construct_object(node, deep=True)

    def line(self, node: yaml.Node) -> str:
        return f"{self.file}:{node.start_mark.line + 1}"

    def mapping(self, node: yaml.MappingNode, place: Place) -> dict[str, Any]:
        written = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        for key in sorted({key for key in written if written.count(key) > 1}):
            self.problems.append(Problem((*place, key), WRITTEN_TWICE))
        self.loader.flatten_mapping(node)
        content: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = str(key_node.value)
            self.lines[(*place, key)] = self.line(key_node)
            content[key] = self.value(value_node, (*place, key))
        return content
