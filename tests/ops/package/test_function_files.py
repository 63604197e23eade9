"""Which files the function consists of."""

import re

import pytest

from ops.package.function_files import REDIS, PackagingError, extras_of, find_function_files
from tests.ops.package.project import pack
from tests.support.cases import cases_beside

cases = cases_beside(__file__)


@cases("source", "named")
def test_refuses_a_function_that_could_not_start(project, source, named):
    (project / "function" / "errors.py").write_text(source, "utf-8")
    with pytest.raises(PackagingError, match=f"^function/errors.py.*{named}"):
        pack(project)


@pytest.mark.parametrize("name", ["handler.py", "profiles.toml"])
def test_refuses_a_project_without_its_files(project, name):
    (project / name).unlink()
    with pytest.raises(PackagingError, match=name):
        find_function_files(project)


def test_hooks_are_packaged_if_present(project):
    assert "hooks.py" not in find_function_files(project).files
    (project / "hooks.py").write_text("import json\n", "utf-8")
    assert "hooks.py" in find_function_files(project).files
    (project / "hooks.py").write_text("from ops import deploy\n", "utf-8")
    with pytest.raises(PackagingError, match="hooks.py.* ops"):
        find_function_files(project)


def test_the_redis_client_is_packaged_only_with_its_extra(project):
    (project / "function" / "room" / "answers.py").write_text("import redis.connection\n", "utf-8")
    assert "redis" not in find_function_files(project).packages
    assert find_function_files(project, REDIS).packages["redis"] == "function/room/answers.py"


@cases("quota_url", "data_files")
def test_a_redis_quota_url_adds_the_redis_extra(quota_url, data_files):
    extras = extras_of(quota_url)
    assert [extra.data_files for extra in extras] == ([] if data_files is None else [data_files])
    assert all(extra.requirements == "requirements/redis.txt" for extra in extras)


def test_a_custom_ca_file_is_packaged(project, tmp_path):
    (project / "certs").mkdir()
    (project / "certs" / "ca.pem").write_text("", "utf-8")
    (tmp_path / "ca.pem").write_text("", "utf-8")

    def files(name):
        return find_function_files(project, *extras_of(f"rediss://:p@host?ssl_ca_certs={name}")).files

    assert files("certs/ca.pem")["certs/ca.pem"] == project / "certs" / "ca.pem"
    for name in ("ca.pem", "../ca.pem", str(tmp_path / "ca.pem")):
        with pytest.raises(PackagingError, match=re.escape(name)):
            files(name)
