"""Which files the function consists of."""

import re
from pathlib import Path

import pytest

from ops.package.function_files import PackagingError, find_function_files
from tests.ops.package.project import build_in, make_project


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("import ops.package.command\n", "imports ops, which is not part of the function"),
        ("def later():\n    from local import accounts\n", "imports local, which is not part"),
        ("import manage\n", "imports manage, which is not part"),
        ("from . import errors\n", "imports relatively"),
        ("def broken(:\n", "is not Python"),
        ("import boto3\n", "imports boto3, which requirements.txt does not bring"),
    ],
)
def test_refuses_a_function_that_could_not_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, said: str
) -> None:
    root = make_project(tmp_path / "project")
    (root / "function" / "errors.py").write_text(source, "utf-8")
    with pytest.raises(PackagingError, match=re.escape(said)) as raised:
        build_in(root, monkeypatch, None)
    assert str(raised.value).startswith("function/errors.py")


@pytest.mark.parametrize("name", ["handler.py", "profiles.toml"])
def test_refuses_a_project_without_its_files(tmp_path: Path, name: str) -> None:
    root = make_project(tmp_path / "project")
    (root / name).unlink()
    with pytest.raises(PackagingError, match=f"{name} is missing"):
        find_function_files(root)


def test_rules_of_one_s_own_are_packaged_where_there_are_any(tmp_path: Path) -> None:
    root = make_project(tmp_path / "project")
    assert root / "hooks.py" not in find_function_files(root).files
    (root / "hooks.py").write_text("import json\n", "utf-8")
    assert root / "hooks.py" in find_function_files(root).files
    (root / "hooks.py").write_text("from ops import deploy\n", "utf-8")
    with pytest.raises(PackagingError, match=re.escape("hooks.py imports ops")):
        find_function_files(root)
