"""
What the SDK carries inside: copies of other projects' packages that no requirements file names.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

CARRIER = "aliyun-python-sdk-core"
PLACE = Path("aliyunsdkcore", "vendored")
# Files in which a package states its version; any other file is a module of one file.
STATING = ("__init__", "__version__", "version")
# Modules whose projects go by another name.
PROJECT_OF_MODULE = {"socks": "PySocks", "ssl_match_hostname": "backports.ssl_match_hostname"}


def carried_packages(site: Path) -> list[tuple[str, str]]:
    """
    Name and version of each copy, as the copy itself states them.

    Args:
        site: the folder that the SDK is installed in.
    """
    return sorted(set(_stated(site / PLACE)))


def _stated(folder: Path) -> Iterator[tuple[str, str]]:
    for path in folder.rglob("*.py"):
        if version := _version(path):
            module = path.parent.name if path.stem in STATING or path.stem.startswith("_") else path.stem
            yield PROJECT_OF_MODULE.get(module, module), version


def _version(path: Path) -> str:
    """The text that the module assigns to ``__version__``; empty when it assigns none."""
    source = path.read_text("utf-8")
    if "__version__" not in source:
        return ""
    for node in ast.parse(source).body:
        match node:
            case ast.Assign(targets=[ast.Name(id="__version__")], value=ast.Constant(value=str() as version)):
                return version
    return ""
