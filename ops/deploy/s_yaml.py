"""
``s.yaml`` as YAML, with the line of every value.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from ops.terminal.language import Text, why_unreadable

Place = tuple[str | int, ...]

WRITTEN_TWICE = Text("is written twice; keep one of them", "写了两次，请只留一处")


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
        content: the document with its ``${...}`` as written.

        lines: 1-based line of each place.
    """

    content: Any
    lines: Mapping[Place, int]
    problems: tuple[Problem, ...] = ()


def read_s_yaml(path: Path) -> SourceFile:
    """Read it with the line of every value; what YAML itself refuses becomes a problem."""
    try:
        text = path.read_text("utf-8")
        loader = yaml.SafeLoader(text)
        try:
            node = loader.get_single_node()
            reader = _NodeReader(loader)
            content = reader.value(node, ()) if node is not None else None
        finally:
            loader.dispose()
    except (OSError, UnicodeDecodeError) as error:
        why = why_unreadable(error)
        sentence = Text(f"cannot be read: {why.en}", f"无法读取：{why.zh}")
        return SourceFile(None, {}, (Problem((), sentence),))
    except yaml.YAMLError as error:
        said = " ".join(str(error).split())
        return SourceFile(None, {}, (Problem((), Text(f"is not YAML: {said}", f"不是 YAML：“{said}”")),))
    return SourceFile(content, reader.lines, tuple(reader.problems))


class _NodeReader:
    """YAML nodes to values, keeping the lines and refusing the second of two equal keys."""

    def __init__(self, loader: yaml.SafeLoader) -> None:
        self.loader = loader
        self.lines: dict[Place, int] = {}
        self.problems: list[Problem] = []

    def value(self, node: yaml.Node, place: Place) -> Any:
        self.lines.setdefault(place, node.start_mark.line + 1)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item, (*place, index)) for index, item in enumerate(node.value)]
        if isinstance(node, yaml.MappingNode):
            return self.mapping(node, place)
        return self.loader.construct_object(node, deep=True)

    def mapping(self, node: yaml.MappingNode, place: Place) -> dict[str, Any]:
        written = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        for key in sorted({key for key in written if written.count(key) > 1}):
            self.problems.append(Problem((*place, key), WRITTEN_TWICE))
        self.loader.flatten_mapping(node)
        content: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = str(key_node.value)
            self.lines[(*place, key)] = key_node.start_mark.line + 1
            content[key] = self.value(value_node, (*place, key))
        return content
