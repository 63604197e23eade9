"""The file of bytecode: code counts for exactly its source and its Python, and is traced to its source."""

import importlib
import marshal
import os
import sys
import traceback
from importlib.util import MAGIC_NUMBER

import pytest

import bytecode
from ops.package.bytecode import bundle, compile_folder

SOURCES = {
    "function/__init__.py": "",
    "function/parts/__init__.py": "from function.parts.one import answer\n",
    "function/parts/one.py": "def answer():\n    return 41 + 1\n\n\ndef fail():\n    raise KeyError('why')\n",
    "sts_credentials.py": "kept = 1\n",
    "other.py": "kept = 2\n",
}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A small package, from which nothing is imported yet; ``packed`` is its ``function``."""
    for name, source in SOURCES.items():
        path = tmp_path / name.replace("function", "packed")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source.replace("function", "packed"), "utf-8")
    compile_folder(sys.executable, tmp_path)
    monkeypatch.setattr("ops.package.bytecode.BUNDLED", ("packed",))
    assert bundle(tmp_path) == 3
    monkeypatch.setattr(bytecode, "FOLDER", tmp_path)
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    monkeypatch.setattr(bytecode.BytecodeLoader, "index", {})
    monkeypatch.setattr(bytecode.BytecodeLoader, "file", -1)
    # Only the file leads there.
    monkeypatch.setattr(sys, "path", [path for path in sys.path if path != str(tmp_path)])
    yield tmp_path
    for name in [name for name in sys.modules if name.partition(".")[0] == "packed"]:
        del sys.modules[name]
    if bytecode.BytecodeLoader.file >= 0:
        os.close(bytecode.BytecodeLoader.file)


def fail():
    """Import the packed module, and return the traceback of its failure."""
    try:
        importlib.import_module("packed.parts.one").fail()
    except KeyError as error:
        return traceback.extract_tb(error.__traceback__)[-1]
    raise AssertionError


def test_modules_and_packages_are_imported_from_the_file(folder, monkeypatch):
    bytecode.install()
    monkeypatch.setattr(bytecode.SourceFileLoader, "source_to_code", None)
    free = os.open(os.devnull, os.O_RDONLY)
    os.close(free)
    parts = importlib.import_module("packed.parts")
    assert parts.answer() == 42
    # The lowest number that is free stays free: no source is left open.
    again = os.open(os.devnull, os.O_RDONLY)
    os.close(again)
    assert again == free
    assert (parts.__file__, parts.__path__) == (
        str(folder / "packed/parts/__init__.py"),
        [str(folder / "packed/parts")],
    )
    one = sys.modules["packed.parts.one"].__spec__
    assert (one.origin, one.cached) == (str(folder / "packed/parts/one.py"), str(folder / "bytecode.bin"))
    assert one.submodule_search_locations is None
    # Nor is any other found there.
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("packed.nothing")


@pytest.mark.parametrize(
    ("changed", "more"), [("43 + 1", 0), ("44", -4), ("41 + 3", 0), ("41 + 1", 40)], ids=str
)
def test_a_source_that_has_changed_runs_instead_of_its_bytecode(folder, changed, more):
    """Also with the size and the time of the one that was compiled."""
    path = folder / "packed/parts/one.py"
    before = path.stat()
    source = path.read_text("utf-8").replace("41 + 1", changed)
    if more > 0:
        source += "    \n\ndef answer():\n    return 22 + 22 + 0\n"
    path.write_text(source, "utf-8")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert (path.stat().st_size > before.st_size, path.stat().st_size < before.st_size) == (
        more > 0,
        more < 0,
    )
    bytecode.install()
    assert importlib.import_module("packed.parts").answer() == 44
    assert fail().lineno == 6


def test_a_file_of_another_python_is_not_used(folder, monkeypatch):
    path = folder / "bytecode.bin"
    content = path.read_bytes()
    assert content.startswith(MAGIC_NUMBER)
    path.write_bytes(bytes([content[0] ^ 1]) + content[1:])
    closed, before = [], list(sys.meta_path)
    monkeypatch.setattr(bytecode.os, "close", closed.append)
    bytecode.install()
    assert sys.meta_path == before
    assert (bytecode.BytecodeLoader.file, len(closed)) == (-1, 1)
    monkeypatch.undo()
    os.close(closed[0])


def test_two_bundles_of_one_source_are_the_same_bytes(folder):
    first = (folder / "bytecode.bin").read_bytes()
    compile_folder(sys.executable, folder)
    bundle(folder)
    assert (folder / "bytecode.bin").read_bytes() == first
    assert str(folder).encode() not in first
    assert marshal.loads(first[8:]).co_filename == "/code/packed/__init__.py"


def test_a_traceback_shows_path_line_and_source(folder):
    bytecode.install()
    frame = fail()
    assert (frame.filename, frame.lineno) == (str(folder / "packed/parts/one.py"), 6)
    assert frame.line == "raise KeyError('why')"
