"""``manage.py package``: the same bytes everywhere, and the last package kept when the new one fails."""

import os
from contextlib import nullcontext
from pathlib import Path

import pytest

from ops.package.command import build
from ops.package.function_files import Extra, PackagingError
from ops.package.size import INSTANT_EPOCH
from tests.ops.package.project import build_in, make_project, names

UNCHECKED_HASH = 1  # the flags word of a .pyc file, see PEP 552


def test_packs_the_function_and_nothing_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    root = make_project(tmp_path / "project")
    build_in(root, monkeypatch, None)
    assert names(root / "build/function") == [
        "demo/__init__.py",
        "demo/data.json",
        "function/__init__.py",
        "function/errors.py",
        "function/room/answers.py",
        "handler.py",
        "profiles.toml",
        "sts_credentials.py",
    ]
    assert "build/function: 8 files" in capsys.readouterr().out


def test_says_loudly_when_there_is_no_bytecode(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    build_in(make_project(tmp_path / "project"), monkeypatch, None)
    assert "NO BYTECODE: no Python 3.12 that runs was found" in capsys.readouterr().err


def test_two_clones_in_different_folders_give_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, python312: str
) -> None:
    monkeypatch.setenv("PYTHONOPTIMIZE", "2")
    one = make_project(tmp_path / "one")
    other = make_project(tmp_path / "quite another" / "place")
    os.utime(other / "handler.py", (1, 1))
    (other / "function" / "errors.py").chmod(0o600)
    zipped = build_in(one, monkeypatch, python312)
    assert zipped == build_in(other, monkeypatch, python312)
    assert zipped == build_in(other, monkeypatch, python312), "building again over the last build"
    compiled = list((one / "build/function").rglob("*.pyc"))
    assert len(compiled) == 6 and all(path.name.endswith(".cpython-312.pyc") for path in compiled)
    for path in compiled:
        content = path.read_bytes()
        assert int.from_bytes(content[4:8], "little") == UNCHECKED_HASH
        assert str(tmp_path).encode() not in content
    for path in (one / "build/function").rglob("*"):
        assert path.stat().st_mtime == INSTANT_EPOCH
        assert path.stat().st_mode & 0o777 == (0o755 if path.is_dir() else 0o644)


def test_leaves_the_last_package_alone_when_the_new_one_is_over_the_budget(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = make_project(tmp_path / "project")
    build_in(root, monkeypatch, None)
    before = names(root / "build/function")
    (root / "function" / "errors.py").write_text(f"NOISE = '{os.urandom(4000).hex()}'\n", "utf-8")
    with pytest.raises(PackagingError, match=r"bytes zipped; the budget is 3,000"):
        build(root, root / "build" / "function", None, budget_bytes=3000)
    assert names(root / "build/function") == before
    assert "NOISE" not in (root / "build/function/function/errors.py").read_text("utf-8")
    assert sorted(path.name for path in (root / "build").iterdir()) == ["function", "function.cdx.json"]


def test_what_is_packaged_beyond_the_plain_one_may_be_larger_by_so_much(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = make_project(tmp_path / "project")
    (root / "requirements-more.txt").write_text("--no-index\n--find-links wheels\n", "utf-8")
    monkeypatch.chdir(root)
    plain = len(build_in(root, monkeypatch, None))
    for more_bytes, is_taken in ((500, True), (0, False)):
        extra = Extra((), "requirements-more.txt", more_bytes=more_bytes)
        with nullcontext() if is_taken else pytest.raises(PackagingError):
            build(root, root / "build" / "function", None, extra, budget_bytes=plain - 500)


def test_passes_on_what_pip_says_when_it_cannot_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = make_project(tmp_path / "project")
    (root / "requirements.txt").write_text("--no-index\n--find-links wheels\nnowhere==3.0\n", "utf-8")
    with pytest.raises(PackagingError, match=r"(?s)could not install requirements\.txt.*nowhere==3\.0"):
        build_in(root, monkeypatch, None)
    assert not (root / "build/function").exists()
