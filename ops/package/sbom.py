"""
The bill of materials of the package: CycloneDX of what is in it, and of what the SDK carries inside.

Source: https://cyclonedx.org/docs/1.6/json/
"""

import json
import os
import re
import subprocess
import sys
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

from ops.package.carried import CARRIER, carried_packages
from ops.package.function_files import PackagingError
from ops.terminal.language import Text

NOT_STATED = "not stated"
CLASSIFIER = "License :: OSI Approved :: "
Bill = dict[str, Any]


def write_sbom(folder: Path, target: Path, pyproject: Path) -> dict[str, list[str]]:
    """
    Describe what is left of what ``pip install --target folder`` put there, while its metadata still is.

    Args:
        folder: a distribution of which it holds no file any more is not in the bill.

        pyproject: names the function itself and its version.

    Returns:
        the distributions by licence, and those that the SDK carries.

    Raises:
        PackagingError: with the last words of the tool that describes.
    """
    bill = _described(folder, pyproject)
    _forget(bill, emptied_distributions(folder))
    groups: dict[str, list[str]] = {}
    for component in bill["components"]:
        groups.setdefault(_licence(component), []).append(component["name"])
    carried = [_carried(name, version) for name, version in carried_packages(folder)]
    if carried:
        groups[f"carried inside {CARRIER}"] = [f"{one['name']} {one['version']}" for one in carried]
    _add(bill, carried)
    target.write_text(json.dumps(bill, indent=2, ensure_ascii=False) + "\n", "utf-8")
    return groups


def emptied_distributions(folder: Path) -> set[str]:
    """The distributions, by their names as in PEP 503, whose list of files names none that is there."""
    return {
        _normalised(found.metadata["Name"])
        for found in distributions(path=[str(folder)])
        if found.files is not None and not any(_is_there(folder, path.parts) for path in found.files)
    }


def _is_there(folder: Path, parts: tuple[str, ...]) -> bool:
    return not parts[0].endswith(".dist-info") and folder.joinpath(*parts).is_file()


def _normalised(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _forget(bill: Bill, names: set[str]) -> None:
    components = bill.setdefault("components", [])
    gone = {component["bom-ref"] for component in components if _normalised(component["name"]) in names}
    bill["components"] = [component for component in components if component["bom-ref"] not in gone]
    bill["dependencies"] = [entry for entry in bill["dependencies"] if entry["ref"] not in gone]
    for entry in bill["dependencies"]:
        if "dependsOn" in entry:
            entry["dependsOn"] = [ref for ref in entry["dependsOn"] if ref not in gone]


def _described(folder: Path, pyproject: Path) -> Bill:
    command = [sys.executable, "-I", "-m", "cyclonedx_py", "environment", "--output-reproducible"]
    # -I keeps the folder's modules out of the tool; -S keeps this interpreter's packages out of the bill.
    command += ["--no-validate", "--pyproject", str(pyproject), "-S", sys.executable]
    environ = {**os.environ, "PYTHONPATH": str(folder.resolve())}
    done = subprocess.run(command, capture_output=True, text=True, env=environ, check=False)
    if done.returncode:
        words = done.stderr.strip()[-500:]
        raise PackagingError(
            Text(f"no bill of materials could be made:\n{words}", f"无法生成物料清单：\n“{words}”")
        )
    bill: Bill = json.loads(done.stdout)
    return bill


def _add(bill: Bill, carried: list[Bill]) -> None:
    """The carried ones as components that the SDK depends on; the function depends on all the others."""
    top = bill["metadata"]["component"]["bom-ref"]
    installed = [component["bom-ref"] for component in bill["components"]]
    bill["components"] += carried
    for entry in bill["dependencies"]:
        if entry["ref"] == top:
            entry["dependsOn"] = installed
        elif entry["ref"].startswith(f"{CARRIER}=="):
            entry["dependsOn"] = sorted([*entry.get("dependsOn", []), *(one["bom-ref"] for one in carried)])
    bill["dependencies"] += [{"ref": one["bom-ref"]} for one in carried]


def _carried(name: str, version: str) -> Bill:
    return {
        "type": "library",
        "bom-ref": f"{CARRIER}/{name}=={version}",
        "name": name,
        "version": version,
        "purl": f"pkg:pypi/{name.lower()}@{version}",
    }


def _licence(component: Bill) -> str:
    """The first that is stated, an SPDX id before a name."""
    entries = component.get("licenses", [])
    stated = [entry.get("expression") or entry["license"].get("id") for entry in entries]
    named = [str(entry["license"]["name"]) for entry in entries if "name" in entry.get("license", {})]
    return next(filter(None, [*stated, *named]), NOT_STATED).removeprefix(CLASSIFIER)
