"""``manage.py package``: the same bytes everywhere, and the last package kept when the new one fails."""

import os
import shutil
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO

import pytest

from ops.package.function_files import PackagingError
from ops.package.zip_file import INSTANT_EPOCH
from tests.ops.package.project import make_project, make_wheel, names, pack

UNCHECKED_HASH = 1  # the flags word of a .pyc file, see PEP 552


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The small project with its package, made without bytecode: the folder, the zip, what was printed."""
    root = make_project(tmp_path_factory.mktemp("built") / "project")
    out, err = StringIO(), StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        zipped = pack(root)
    return root, zipped, out.getvalue(), err.getvalue()


@pytest.fixture
def packed(built, tmp_path):
    """A copy of it, to be changed by the test."""
    return shutil.copytree(built[0], tmp_path / "project")


def test_packs_only_the_function_and_warns_without_bytecode(built):
    root, _, out, err = built
    of_the_function = "__init__ errors room/answers".split()
    assert names(root / "build/function") == [
        *("bytecode.py", "demo/__init__.py", "demo/data.json"),
        *(f"function/{name}.py" for name in of_the_function),
        *("handler.py", "profiles.json", "profiles.toml", "sts_credentials.py"),
    ]
    assert "build/function: 10 files" in out
    assert "NO BYTECODE" in err


def test_two_clones_in_different_folders_give_the_same_bytes(tmp_path, monkeypatch, python312):
    monkeypatch.setenv("PYTHONOPTIMIZE", "2")
    one = make_project(tmp_path / "one")
    other = make_project(tmp_path / "quite another" / "place")
    os.utime(other / "handler.py", (1, 1))
    (other / "function" / "errors.py").chmod(0o600)
    (other / "build/function").mkdir(parents=True)
    (other / "build/function/of_the_last_build.py").touch()
    assert pack(one, python312) == pack(other, python312)
    assert names(one / "build/function") == names(other / "build/function")
    compiled = list((one / "build/function").rglob("*.pyc"))
    # The function itself is in one file, but for the way to it.
    assert {path.name for path in compiled} == {
        f"{name}.cpython-312.pyc" for name in ("handler", "bytecode", "__init__")
    }
    assert len(compiled) == 3
    in_one = (one / "build/function/bytecode.bin").read_bytes()
    assert b"known" in in_one and str(tmp_path).encode() not in in_one
    for path in compiled:
        content = path.read_bytes()
        assert int.from_bytes(content[4:8], "little") == UNCHECKED_HASH
        assert str(tmp_path).encode() not in content
    for path in (one / "build/function").rglob("*"):
        assert path.stat().st_mtime == INSTANT_EPOCH
        assert path.stat().st_mode & 0o777 == (0o755 if path.is_dir() else 0o644)


def test_leaves_the_last_package_alone_when_the_new_one_is_over_the_budget(packed, without_pip):
    before = names(packed / "build/function")
    (packed / "function" / "errors.py").write_text(f"NOISE = '{os.urandom(4000).hex()}'\n", "utf-8")
    with pytest.raises(PackagingError, match="3,000"):
        pack(packed, None, budget_bytes=3000)
    assert names(packed / "build/function") == before
    assert "NOISE" not in (packed / "build/function/function/errors.py").read_text("utf-8")
    assert sorted(path.name for path in (packed / "build").iterdir()) == ["function", "function.cdx.json"]


def test_an_error_of_pip_is_passed_on(project):
    (project / "requirements.txt").write_text("--no-index\n--find-links wheels\nnowhere==3.0\n", "utf-8")
    with pytest.raises(PackagingError, match=r"(?s)requirements\.txt.*nowhere==3\.0"):
        pack(project)
    assert not (project / "build/function").exists()


def test_keeps_metadata_that_is_read_at_run_time(project):
    reads = "from importlib.metadata import version\nVOWELS = version('demo')\n"
    make_wheel(project / "wheels", "demo", {"demo/__init__.py": reads})
    pack(project)
    assert "demo-1.0.dist-info/METADATA" in names(project / "build/function")
