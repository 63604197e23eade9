"""The import of the package in a bare interpreter, with its bytecode and without."""

import zipfile
from io import BytesIO

from ops.package import cold_import
from ops.package.size import INSTANT_EPOCH
from tests.ops.package.project import names

COUNTING = """
from importlib.machinery import SourceFileLoader

compiled, compile_source = [], SourceFileLoader.source_to_code

def source_to_code(self, data, path, **more):
    compiled.append(path)
    return compile_source(self, data, path, **more)

SourceFileLoader.source_to_code = source_to_code
"""


def test_bytecode_saves_every_compilation_wherever_the_package_is_unpacked(package, python312, monkeypatch):
    """Instead of the milliseconds that ``make package`` measures, the modules that had to be compiled."""
    program, _, _ = cold_import.PROGRAM.rpartition("print(")
    monkeypatch.setattr(cold_import, "PROGRAM", f"{COUNTING}{program}print(len(compiled) / 1000)\n")
    with_bytecode, without = cold_import.measure_cold_import(python312, package[1], rounds=1)
    assert with_bytecode == [0]
    assert without[0] > 100


def test_the_measured_folders_differ_in_bytecode_only(tmp_path):
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in (
            "a.py",
            "b/c.py",
            "__pycache__/a.cpython-312.pyc",
            "b/__pycache__/c.cpython-312.pyc",
            "bytecode.bin",
        ):
            archive.writestr(name, "")
    with_bytecode, without = cold_import.unpack_twice(buffer.getvalue(), tmp_path)
    assert len(names(with_bytecode)) == 5
    assert names(without) == ["a.py", "b/c.py"]
    assert {path.stat().st_mtime for path in tmp_path.rglob("*")} == {INSTANT_EPOCH}
