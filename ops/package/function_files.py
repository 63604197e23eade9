"""
Which files the function consists of: ``handler.py``, every module of ours it imports, and ``profiles.toml``.
"""

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ENTRY = "handler"
DATA_FILES = ("profiles.toml",)
# They work on the operator's machine; a function that imports them would not start in the cloud.
NOT_FOR_THE_FUNCTION = frozenset({"manage", "ops", "local", "tests", "bench"})


class PackagingError(Exception):
    """Raised when no usable package can be made; the message says what to change."""


@dataclass(frozen=True)
class FunctionFiles:
    """
    Args:
        files: paths below the project's root, sorted.

        packages: what they import from others, by import name, each with the first file that does.
    """

    files: tuple[Path, ...]
    packages: dict[str, str]


def find_function_files(root: Path) -> FunctionFiles:
    """
    Follow the imports from ``handler.py`` through the modules beside it.

    Raises:
        PackagingError: when a file is missing, is not Python, or imports what stays behind.
    """
    found: dict[str, Path] = {}
    packages: dict[str, str] = {}
    waiting = [ENTRY]
    while waiting:
        name = waiting.pop()
        path = found[name] = root / f"{name}.py"
        for imported in sorted(set(_imports(path))):
            if imported in NOT_FOR_THE_FUNCTION:
                raise PackagingError(f"{path.name} imports {imported}, which is not part of the function")
            if (root / f"{imported}.py").is_file():
                if imported not in found and imported not in waiting:
                    waiting.append(imported)
            elif imported not in sys.stdlib_module_names:
                packages.setdefault(imported, path.name)
    data = [root / name for name in DATA_FILES]
    if missing := [path.name for path in data if not path.is_file()]:
        raise PackagingError(f"{', '.join(missing)} is missing in {root}")
    return FunctionFiles(tuple(sorted([*found.values(), *data])), packages)


def _imports(path: Path) -> Iterator[str]:
    """The first part of every name that the file imports, wherever in it the import stands."""
    try:
        tree = ast.parse(path.read_text("utf-8"), path.name)
    except OSError:
        raise PackagingError(f"{path.name} is missing in {path.parent}") from None
    except (SyntaxError, ValueError) as error:
        raise PackagingError(f"{path.name} is not Python: {error}") from None
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                raise PackagingError(
                    f"{path.name}:{node.lineno} imports relatively; the function's modules are flat"
                )
            yield (node.module or "").partition(".")[0]
