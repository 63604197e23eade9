"""Packages that a file of the function imports, and whether its requirements bring them."""

import ast
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

from ops.terminal.language import Failure, Text

REQUIREMENTS = "requirements.txt"
REDIS_REQUIREMENTS = "requirements/redis.txt"
# They work on the operator's machine; a function that imports them would not start in the cloud.
NOT_FOR_THE_FUNCTION = frozenset({"manage", "ops", "deploy", "local", "tests", "quality"})


def requirements_for(quota_url: str) -> list[str]:
    """Requirements of a deployment with this ``QUOTA_URL``, which may be empty or invalid."""
    return [REQUIREMENTS, *([REDIS_REQUIREMENTS] if quota_url.startswith(("redis:", "rediss:")) else [])]


def packages_of(path: Path, name: str, ours: Collection[str]) -> list[str]:
    """Return what the file imports beside ``ours``; raise ``Failure`` for what cannot be in the function."""
    imported = sorted(set(_imported_names(path, name)) - sys.stdlib_module_names - set(ours))
    for package in imported:
        if package in NOT_FOR_THE_FUNCTION:
            raise Failure(
                Text(
                    f"{name} imports {package}, which is not part of the function",
                    f"{name} 导入了 {package}，而它不属于函数",
                )
            )
    return imported


def missing_packages(
    packages: Mapping[str, str], there: Collection[str], pinned: Sequence[str]
) -> list[Text]:
    """Return a sentence for each imported package (by name, its file) that ``pinned`` does not bring."""
    names = ", ".join(pinned)
    return [
        Text(
            f"{file} imports {package}, which {names} does not bring; add and pin it",
            f"{file} 导入了 {package}，而 {names} 里没有；请加上并锁定版本",
        )
        for package, file in sorted(packages.items())
        if package not in there
    ]


def _imported_names(path: Path, name: str) -> Iterator[str]:
    """Yield the first part of every imported name; raise ``Failure`` if the file is not Python."""
    # Bytes, as the interpreter reads them: Notepad puts a mark in front.
    try:
        tree = ast.parse(path.read_bytes(), name)
    except (SyntaxError, ValueError) as error:
        raise Failure(Text(f"{name} is not Python: {error}", f"{name} 不是 Python：“{error}”")) from None
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                raise Failure(
                    Text(
                        f"{name}:{node.lineno} imports relatively; name the whole module",
                        f"{name}:{node.lineno} 用了相对导入，请写完整的模块名",
                    )
                )
            yield (node.module or "").partition(".")[0]
