"""
The bill of materials of the package: CycloneDX of what is in it, and of what the SDK carries inside.

Source: https://cyclonedx.org/docs/1.6/json/
"""

import ast
import json
import re
import tomllib
from collections.abc import Iterator
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Any

from ops.package.function_files import PackagingError
from ops.terminal.language import Text

# Identifiers of SPDX for what older metadata has as a classifier.
SPDX = {
    "Apache Software License": "Apache-2.0",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
}
NO_NAME = Text("a dependency has no name in its metadata", "有一个依赖的元数据里没有名字")
# What the SDK carries inside: copies of other projects' packages that no requirements file names.
CARRIER = "aliyun-python-sdk-core"
PLACE = Path("aliyunsdkcore", "vendored")
# Files in which a package states its version; any other file is a module of one file.
STATING = ("__init__", "__version__", "version")
# Modules whose projects go by another name.
PROJECT_OF_MODULE = {"socks": "PySocks", "ssl_match_hostname": "backports.ssl_match_hostname"}
Bill = dict[str, Any]


def write_sbom(folder: Path, target: Path, pyproject: Path) -> None:
    """
    Describe what is left of what ``pip install --target folder`` put there, while its metadata still is.

    Args:
        folder: a distribution of which it holds no file any more is not in the bill.
        pyproject: names the function itself and its version.

    Raises:
        PackagingError: a distribution without a name.
    """
    project = tomllib.loads(pyproject.read_text("utf-8"))["project"]
    installed = {_name(found): found for found in distributions(path=[str(folder)])}
    components = [
        _component("", name, found.version) | _licences(found)
        for name, found in sorted(installed.items())
        if _is_there(folder, found)
    ]
    carried = [
        _component(f"{CARRIER}/", name, version) for name, version in sorted(set(_stated(folder / PLACE)))
    ]
    about = {"type": "application", "name": project["name"], "version": project["version"]}
    bill = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "metadata": {"component": about},
        "components": [*components, *carried],
    }
    target.write_text(json.dumps(bill, indent=2, ensure_ascii=False) + "\n", "utf-8")


def _name(found: Distribution) -> str:
    name = found.metadata.json.get("name")
    if not isinstance(name, str):
        raise PackagingError(NO_NAME)
    return name


def _is_there(folder: Path, found: Distribution) -> bool:
    """Return whether a file of it is left beside its metadata; one without a list of files is there."""
    files = [path for path in found.files or () if not path.parts[0].endswith(".dist-info")]
    return found.files is None or any(folder.joinpath(*path.parts).is_file() for path in files)


def _component(inside: str, name: str, version: str) -> Bill:
    return {
        "type": "library",
        "bom-ref": f"{inside}{name}=={version}",
        "name": name,
        "version": version,
        "purl": f"pkg:pypi/{re.sub(r'[-_.]+', '-', name).lower()}@{version}",
    }


def _licences(found: Distribution) -> Bill:
    """The first that is stated, an expression of SPDX before a name; nothing where none is."""
    facts: dict[str, Any] = found.metadata.json
    if expression := facts.get("license_expression"):
        return {"licenses": [{"expression": expression}]}
    marked = [one for one in facts.get("classifier", ()) if one.startswith("License ::")]
    name = marked[0].rpartition(":: ")[2] if marked else facts.get("license", "")
    named = {"id": SPDX[name]} if name in SPDX else {"name": name}
    return {"licenses": [{"license": named}]} if name else {}


def _stated(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield name and version of each copy, as the copy itself states them."""
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
