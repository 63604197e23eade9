"""What is left in the package needs nothing of what was left out: every import of every module, looked up."""

import ast
import importlib
import json
from pathlib import Path

import pytest

from function.sts import aliyun_sdk
from ops.package.vendoring import UNREACHED, prune
from tests.ops.package.services import run_bare

# Where the standard library has none, as on Python 2.
FOR_OLD_PYTHONS = "aliyunsdkcore.vendored.requests.packages.urllib3.packages.ordered_dict"
IMPORT_EVERYTHING = """
import importlib, json, pathlib, sys
root = pathlib.Path(sys.argv[1])
sys.path.insert(0, str(root))
from function.sts import aliyun_sdk
aliyun_sdk.prepare()
names, failed = [], {}
for path in sorted([*root.rglob("*.py"), *root.rglob("*.so")]):
    parts = [*path.relative_to(root).parent.parts, path.name.partition(".")[0]]
    if parts[-1] == "__main__":
        continue  # a program, not a module
    names.append(".".join(parts).removesuffix(".__init__"))
for name in names:
    try:
        importlib.import_module(name)
    except BaseException as error:
        failed[name] = f"{type(error).__name__}: {error}"
print(json.dumps([len(names), failed]))
"""


@pytest.fixture(scope="module")
def folder(package):
    return package[0]


def test_every_module_of_the_package_for_bursts_imports_in_a_bare_interpreter(burst_package, python312):
    """The plain one is a part of it."""
    number, failed = json.loads(run_bare(python312, IMPORT_EVERYTHING, burst_package, {}))
    assert failed == {}
    assert number > 250


def left_out(folder):
    """Modules, by their whole names; a package stands for all in it. Without one that a package hides."""
    paths = [name.removesuffix(".py") for name in UNREACHED]
    return {path.replace("/", ".") for path in paths if not (folder / path).is_dir()}


def named_by(path, folder):
    """
    Every module that a file imports, wherever in it the import stands, by its whole name.

    Without those in a ``try`` that goes on when they are not there.
    """
    tree = ast.parse(path.read_text("utf-8"))
    tolerated = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.Try) and any("ImportError" in ast.dump(one) for one in node.handlers)
        for statement in node.body
        for inner in ast.walk(statement)
    }
    package = path.relative_to(folder).parent.parts
    for node in ast.walk(tree):
        if id(node) in tolerated:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join([*above, *filter(None, [node.module])])
            yield module
            yield from (f"{module}.{alias.name}" for alias in node.names)


def missing_of(folder):
    """What was left out and is named all the same, by who names it; but for what has a stand-in."""
    known = {*aliyun_sdk.ABSENT, *aliyun_sdk.DEFERRED, FOR_OLD_PYTHONS}
    gone = left_out(folder) - known
    found: dict[str, set[str]] = {}
    for path in folder.rglob("*.py"):
        for name in named_by(path, folder):
            if any(name == one or name.startswith(f"{one}.") for one in gone):
                found.setdefault(path.relative_to(folder).as_posix(), set()).add(name)
    return found


def test_no_module_of_the_package_names_one_that_was_left_out(folder):
    """In a function as well, where the import of the module itself does not come across it."""
    assert missing_of(folder) == {}


def test_an_import_of_an_excluded_module_is_found(tmp_path):
    sources = {
        "late.py": "def later():\n    from aliyunsdkcore import client\n",
        "aliyunsdkcore/request.py": "from .endpoint.location import thing\n",
        "tolerant.py": "try:\n    import jmespath\nexcept ImportError:\n    jmespath = None\n",
    }
    for name, source in sources.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(source, "utf-8")
    assert missing_of(tmp_path) == {
        "late.py": {"aliyunsdkcore.client"},
        "aliyunsdkcore/request.py": {
            "aliyunsdkcore.endpoint.location",
            "aliyunsdkcore.endpoint.location.thing",
        },
    }


def test_every_excluded_path_still_exists():
    """A name that a new version no longer has would say nothing about what came in its place."""
    site = Path(str(importlib.import_module("aliyunsdkcore").__file__)).parents[1]
    assert [name for name in UNREACHED if not (site / name).exists()] == []


def test_a_package_that_the_function_s_own_files_import_stays(tmp_path):
    """Hooks may use it."""
    for name in ("cffi", "jmespath"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("", "utf-8")
    prune(tmp_path, ["json", "jmespath"])
    assert [path.name for path in tmp_path.iterdir()] == ["jmespath"]
