"""How long the package takes to import, with its bytecode and without."""

import zipfile
from io import BytesIO

from ops.package.cold_import import measure_cold_import, summary, unpack_twice
from ops.package.size import INSTANT_EPOCH
from tests.ops.package.project import names


def test_bytecode_saves_a_third_of_the_cold_import_wherever_the_package_is_unpacked(package, python312):
    _, zipped = package
    with_bytecode, without = measure_cold_import(python312, zipped, rounds=7)
    assert min(without) / min(with_bytecode) >= 1.5, summary(with_bytecode, without)


def test_the_measured_folders_differ_in_bytecode_only(tmp_path):
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in ("a.py", "b/c.py", "__pycache__/a.cpython-312.pyc", "b/__pycache__/c.cpython-312.pyc"):
            archive.writestr(name, "")
    with_bytecode, without = unpack_twice(buffer.getvalue(), tmp_path)
    assert len(names(with_bytecode)) == 4
    assert names(without) == ["a.py", "b/c.py"]
    assert {path.stat().st_mtime for path in tmp_path.rglob("*")} == {INSTANT_EPOCH}
