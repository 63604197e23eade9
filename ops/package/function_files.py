"""
Which files the function consists of, and which packages they import.
"""

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ops.terminal.language import Failure, Text

MODULES = ("handler", "sts_credentials")
PACKAGE = "function"
DATA_FILES = ("profiles.toml",)
REQUIREMENTS = "requirements.txt"
# Rules of one's own, where there are any.
OWN_RULES = "hooks.py"
# They work on the operator's machine; a function that imports them would not start in the cloud.
NOT_FOR_THE_FUNCTION = frozenset({"manage", "ops", "local", "tests", "bench"})


class PackagingError(Failure):
    """Raised when no usable package can be made; its sentence says what to change."""


@dataclass(frozen=True)
class Extra:
    """
    What a package holds beyond the plain one, for deployments that ask for it.

    Args:
        modules: of the project's root.

        requirements: the file that pins what they import.
    """

    modules: tuple[str, ...]
    requirements: str


# s.burst.yaml starts a server of our own.
BURST = Extra(("burst_server",), "requirements-burst.txt")


@dataclass(frozen=True)
class FunctionFiles:
    """
    Args:
        files: paths below the project's root, sorted.

        packages: what they import from others, by import name, each with the first file that does.
    """

    files: tuple[Path, ...]
    packages: dict[str, str]


def find_function_files(root: Path, *extras: Extra) -> FunctionFiles:
    """
    The modules, all of ``function/``, ``profiles.toml``, ``hooks.py`` if there is one; each extra's modules.

    Raises:
        PackagingError: when a file is missing, is not Python, or imports what stays behind.
    """
    modules = (*MODULES, *(name for extra in extras for name in extra.modules))
    top = [*(root / f"{name}.py" for name in modules), *(root / name for name in DATA_FILES)]
    if missing := [path.name for path in top if not path.is_file()]:
        names = ", ".join(missing)
        raise PackagingError(Text(f"{names} is missing in {root}", f"{root} 里缺少 {names}"))
    own_rules = [path for path in [root / OWN_RULES] if path.is_file()]
    files = sorted([*top, *own_rules, *(root / PACKAGE).rglob("*.py")])
    packages: dict[str, str] = {}
    for path in files:
        name = path.relative_to(root).as_posix()
        for imported in sorted(set(_imports(path, name))) if path.suffix == ".py" else ():
            if imported in NOT_FOR_THE_FUNCTION:
                raise PackagingError(
                    Text(
                        f"{name} imports {imported}, which is not part of the function",
                        f"{name} 导入了 {imported}，而它不属于函数",
                    )
                )
            if imported not in sys.stdlib_module_names and imported not in (*modules, PACKAGE):
                packages.setdefault(imported, name)
    return FunctionFiles(tuple(files), packages)


def _imports(path: Path, name: str) -> Iterator[str]:
    """The first part of every name that the file imports, wherever in it the import stands."""
    try:
        tree = ast.parse(path.read_text("utf-8"), name)
    except (SyntaxError, ValueError) as error:
        raise PackagingError(
            Text(f"{name} is not Python: {error}", f"{name} 不是 Python：“{error}”")
        ) from None
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                raise PackagingError(
                    Text(
                        f"{name}:{node.lineno} imports relatively; name the whole module",
                        f"{name}:{node.lineno} 用了相对导入，请写完整的模块名",
                    )
                )
            yield (node.module or "").partition(".")[0]
