"""
How large a deployment is: a folder, Python packages with all they need, or a Node package with all it needs.
"""

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path

# Runs in the peers' environment.
CLOSURE = """
import json, sys
from importlib.metadata import distribution
from packaging.requirements import Requirement
waiting, seen, size = sys.argv[1:], set(), 0
while waiting:
    name = waiting.pop().lower().replace("_", "-").replace(".", "-")
    if name in seen:
        continue
    seen.add(name)
    found = distribution(name)
    for path in found.files or ():
        place = found.locate_file(path)
        size += place.stat().st_size if place.is_file() else 0
    for line in found.requires or ():
        needed = Requirement(line)
        if needed.marker is None or needed.marker.evaluate({"extra": ""}):
            waiting.append(needed.name)
print(size)
"""


def size_of_folder(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def size_of_packages(python: str, names: Sequence[str]) -> int:
    """Bytes of the named distributions and, all the way down, of what they require; sources only."""
    # What goes wrong is said on the terminal.
    done = subprocess.run([python, "-c", CLOSURE, *names], stdout=subprocess.PIPE, text=True, check=True)
    return int(done.stdout)


def size_of_node_package(node_modules: Path, name: str) -> int:
    """Bytes of one package of a flat ``node_modules`` and of all it depends on."""
    waiting, folders = [(name, node_modules)], set()
    while waiting:
        wanted, asker = waiting.pop()
        folder = _installed(wanted, asker, node_modules)
        if folder is None or folder in folders:
            continue
        folders.add(folder)
        manifest = json.loads((folder / "package.json").read_text("utf-8"))
        waiting += [(needed, folder) for needed in manifest.get("dependencies", {})]
    # A package nested in another is a dependency of it and counted there.
    return sum(
        size_of_folder(folder) for folder in folders if not any(up in folders for up in folder.parents)
    )


def _installed(name: str, asker: Path, node_modules: Path) -> Path | None:
    for folder in (asker / "node_modules" / name, node_modules / name):
        if (folder / "package.json").is_file():
            return folder
    return None
