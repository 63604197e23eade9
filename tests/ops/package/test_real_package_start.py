"""A cold start of the package: its files are opened once, and none of them is out of date."""

import json
import os
import shutil
import sys
from pathlib import Path

import pytest

from tests.ops.package.services import credentials, run_bare, serving, settings

# Every file of the package that Python opens or compiles, and every folder of it that is listed.
WATCHING = """
import json, sys
folder, opened, listed, compiled = sys.argv[1], [], [], []
def watch(event, given):
    if event == "compile" and str(given[1]).startswith((folder, "/code")):
        compiled.append(given[1])
    place = opened if event == "open" else listed if event in ("os.listdir", "os.scandir") else None
    if place is not None and str(given[0]).startswith(folder):
        place.append(str(given[0])[len(folder) + 1:])
sys.addaudithook(watch)
sys.path.insert(0, folder)
"""
FIRST_FORM = """
import handler
handler.initialize(None)
event = {"body": '{"filename": "a.png"}', "requestContext": {"http": {"method": "POST", "path": "/"}}}
status = handler.handler(json.dumps(event).encode(), None)["statusCode"]
print(json.dumps([status, opened, listed, compiled]))
"""


@pytest.fixture
def copy(package, tmp_path):
    return Path(shutil.copytree(package[0], tmp_path / "function"))


def test_a_cold_start_reads_bytecode_from_one_file_and_searches_no_folder(package, python312):
    with serving(lambda path: credentials()) as port:
        environ = settings(f"http://127.0.0.1:{port}")
        said = json.loads(run_bare(python312, WATCHING + FIRST_FORM, package[0], environ))
    status, opened, listed, compiled = said
    assert (status, compiled) == (200, [])
    assert [path for path in opened if path.endswith(".pyc")] == [
        f"__pycache__/{name}.cpython-312.pyc" for name in ("handler", "bytecode")
    ]
    assert opened.count("bytecode.bin") == 1
    # For these two, by the import system itself.
    assert listed == [""]
    # Each source is compared with the one that was compiled, once.
    sources = [path for path in opened if path.endswith(".py")]
    assert "function/app.py" in sources and len(sources) == len(set(sources)) > 90


VERSION = """
import sys, traceback
sys.path.insert(0, sys.argv[1])
import handler
from function import VERSION
from function.config.types import size
try:
    size("1", "2").read("9")
except Exception as error:
    place = traceback.extract_tb(error.__traceback__)[-1]
print([VERSION, place.filename, place.line])
"""


def test_an_edited_source_is_never_passed_over_for_its_bytecode(copy, python312):
    """A file edited in place, as in the console of Function Compute: the same size, the same time."""
    before = run_bare(python312, VERSION, copy, {})
    path = copy / "function" / "__init__.py"
    instant, source = path.stat().st_mtime_ns, path.read_text("utf-8")
    edited = source.replace('VERSION = "0', 'VERSION = "9')
    path.write_text(edited, "utf-8")
    os.utime(path, ns=(instant, instant))
    assert edited != source and len(edited) == len(source)
    assert run_bare(python312, VERSION, copy, {}) == before.replace("['0", "['9")


def test_sources_alone_do_the_same_with_the_same_tracebacks(copy, python312):
    with_bytecode = run_bare(python312, VERSION, copy, {})
    assert str(copy / "function") in with_bytecode
    (copy / "bytecode.bin").unlink()
    assert run_bare(python312, VERSION, copy, {}) == with_bytecode


def test_another_python_runs_the_sources(copy):
    if sys.version_info[:2] == (3, 12):
        pytest.skip("this Python is the package's own")
    assert str(copy / "function") in run_bare(sys.executable, VERSION, copy, {})
