"""
Take one line out of the function.

It changes the text of a module before anything imports it, so it works in a process of its own only.
"""

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import CodeType, ModuleType
from typing import NamedTuple


class Deletion(NamedTuple):
    """
    A line that is taken out.

    Args:
        module: where it stands.
        line: its text, which stands there once.
        instead: what stands there then.
        scenario: where it is missed.
        finds: the predicate that does not hold then.
    """

    module: str
    line: str
    instead: str
    scenario: str
    finds: str


def take_out(deletion: Deletion) -> None:
    """Take a line out of its module, which nothing may have imported yet."""
    assert deletion.module not in sys.modules, f"{deletion.module} is imported already"
    sys.meta_path.insert(0, _Finder(deletion))


class _Finder(MetaPathFinder):
    def __init__(self, deletion: Deletion) -> None:
        self._deletion = deletion

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name != self._deletion.module:
            return None
        spec = PathFinder.find_spec(name, path, target)
        assert spec is not None and spec.origin is not None
        spec.loader = _Loader(name, spec.origin, self._deletion)
        return spec


class _Loader(SourceFileLoader):
    def __init__(self, name: str, path: str, deletion: Deletion) -> None:
        super().__init__(name, path)
        self._deletion = deletion

    def get_code(self, fullname: str) -> CodeType:
        text = self.get_data(self.path).decode()
        count = text.count(self._deletion.line)
        assert count == 1, f"{fullname} has this line {count} times: {self._deletion.line}"
        code: CodeType = compile(text.replace(self._deletion.line, self._deletion.instead), self.path, "exec")
        return code
