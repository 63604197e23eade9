"""Which files the function consists of."""

import re
from pathlib import Path

import pytest

from ops.package.function_files import REDIS, PackagingError, extras_of, find_function_files
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
    assert "hooks.py" not in find_function_files(root).files
    (root / "hooks.py").write_text("import json\n", "utf-8")
    assert "hooks.py" in find_function_files(root).files
    (root / "hooks.py").write_text("from ops import deploy\n", "utf-8")
    with pytest.raises(PackagingError, match=re.escape("hooks.py imports ops")):
        find_function_files(root)


def test_the_client_of_redis_is_packaged_where_it_is_asked_for_and_nowhere_else(tmp_path: Path) -> None:
    root = make_project(tmp_path / "project")
    (root / "function" / "room" / "answers.py").write_text("import redis.connection\n", "utf-8")
    assert "redis" not in find_function_files(root).packages
    assert find_function_files(root, REDIS).packages["redis"] == "function/room/answers.py"


@pytest.mark.parametrize(
    ("quota_url", "data_files"),
    [
        ("", None),
        ("memory:", None),
        ("https://redis.example.com", None),
        ("redis://:password@host", ()),
        ("rediss://:password@host/0", ()),
        ("rediss://:password@host?ssl_ca_certs=certs/ca.pem", ("certs/ca.pem",)),
        ("redis://[", ()),
    ],
)
def test_a_redis_in_quota_url_asks_for_it(quota_url: str, data_files: tuple[str, ...] | None) -> None:
    extras = extras_of(quota_url)
    assert [extra.data_files for extra in extras] == ([] if data_files is None else [data_files])
    assert all(extra.requirements == "requirements/redis.txt" for extra in extras)


def test_an_authority_of_one_s_own_goes_along(tmp_path: Path) -> None:
    root = make_project(tmp_path / "project")
    (root / "certs").mkdir()
    (root / "certs" / "ca.pem").write_text("", "utf-8")
    (tmp_path / "ca.pem").write_text("", "utf-8")

    def files(name: str) -> dict[str, Path]:
        return find_function_files(root, *extras_of(f"rediss://:p@host?ssl_ca_certs={name}")).files

    assert files("certs/ca.pem")["certs/ca.pem"] == root / "certs" / "ca.pem"
    with pytest.raises(PackagingError, match=re.escape("ca.pem is missing")):
        files("ca.pem")
    with pytest.raises(PackagingError, match=re.escape("../ca.pem is not in")):
        files("../ca.pem")
    with pytest.raises(PackagingError, match="is not in"):
        files(str(tmp_path / "ca.pem"))
