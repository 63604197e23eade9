"""Which files the function consists of."""

import re
import subprocess
import zipfile
from contextlib import nullcontext
from io import BytesIO

import pytest

from ops.package.function_files import (
    PackagingError,
    callers_extra,
    extras_of,
    find_function_files,
)
from tests.ops.package.project import pack


@pytest.mark.parametrize(("source", "named"), [
    ("import ops.package.command\n", " ops"),
    ("def later():\n    from local import accounts\n", " local"),
    ("import manage\n", " manage"),
    ("from . import errors\n", ""),
    ("def broken(:\n", "Python"),
    ("import boto3\n", " boto3, which requirements.txt"),
])  # fmt: skip
def test_refuses_a_function_that_could_not_start(project, without_pip, source, named):
    (project / "function" / "errors.py").write_text(source, "utf-8")
    with pytest.raises(PackagingError, match=f"^function/errors.py.*{named}"):
        pack(project)


def test_hooks_are_packaged_if_present(project):
    assert "hooks.py" not in find_function_files(project).files
    (project / "hooks.py").write_text("import json\n", "utf-8")
    assert "hooks.py" in find_function_files(project).files
    (project / "hooks.py").write_text("import redis, requests\n", "utf-8")
    assert {"redis", "requests"} <= find_function_files(project).packages.keys()
    (project / "hooks.py").write_text("from ops import deploy\n", "utf-8")
    with pytest.raises(PackagingError, match="hooks.py.* ops"):
        find_function_files(project)


@pytest.mark.parametrize(("quota_url", "data_files"), [
    ("", []),
    ("https://redis.example.com", []),
    ("redis://:password@host", [()]),
    ("rediss://:password@host?ssl_ca_certs=certs/ca.pem", [("certs/ca.pem",)]),
    ("redis://[", [()]),
])  # fmt: skip
def test_a_redis_quota_url_adds_the_redis_extra(quota_url, data_files):
    extras = extras_of(quota_url)
    assert [extra.data_files for extra in extras] == data_files
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


SEVERAL = {"CALLER_AUTH": "several"}
CALLERS = """
[pay]
kind = "alipay"
key = "file:keys/pay.pem"
[tt]
kind = "douyin"
secret = "env:TT_SECRET"
[site]
kind = "jwt"
key = "file:/mnt/nas/site.pem"
"""


@pytest.fixture
def several(project):
    """The small project with several callers."""
    (project / "callers.toml").write_text(CALLERS, "utf-8")
    (project / "keys").mkdir()
    for name in ("pay.pem", "other.pem"):
        (project / "keys" / name).write_text("key", "utf-8")
    return project


def test_callers_and_exactly_the_files_of_the_project_that_they_name_are_packaged(several):
    plain = find_function_files(several).files
    files = find_function_files(several, *callers_extra(several, SEVERAL)).files
    assert {*files} - {*plain} == {"callers.toml", "keys/pay.pem"}
    assert callers_extra(several, {"CALLER_AUTH": "wechat"}) == ()


@pytest.mark.parametrize("name", ["keys/gone.pem", "../gone.pem", "callers.toml"])
def test_a_file_of_callers_that_is_not_there_is_named(several, name):
    (several / "callers.toml").write_text(CALLERS.replace("keys/pay.pem", name), "utf-8")
    if name == "callers.toml":
        (several / name).unlink()
    with pytest.raises(PackagingError, match=re.escape(name)):
        find_function_files(several, *callers_extra(several, SEVERAL))


@pytest.mark.parametrize(("user", "mode"), [("", 0o600), ("0", 0o600), ("10003", 0o644)])
def test_only_the_user_of_the_function_may_read_the_files_of_callers(several, without_pip, user, mode):
    nas = f"nasConfig: {{userId: {user}, groupId: 0, mountPoints: []}}" if user else "region: x"
    (several / "s.yaml").write_text(f"resources: {{upload: {{props: {{{nas}}}}}}}\n", "utf-8")
    zipped = pack(several, None, *callers_extra(several, SEVERAL))
    with zipfile.ZipFile(BytesIO(zipped)) as archive:
        modes = {entry.filename: entry.external_attr >> 16 & 0o777 for entry in archive.infolist()}
    for name in ("callers.toml", "keys/pay.pem"):
        assert modes.pop(name) == (several / "build/function" / name).stat().st_mode & 0o777 == mode
    assert {*modes.values()} == {0o644}


@pytest.mark.parametrize(("added", "named"), [
    ("callers.toml", "callers.toml"), ("keys/pay.pem", "keys/pay.pem"), ("keys/other.pem", ""),
    ("private", "private/pay.pem"),
], ids=["callers", "a key", "no key of theirs", "what a link leads to"])  # fmt: skip
def test_files_of_callers_that_git_tracks_are_refused(several, added, named):
    if added == "private":
        (several / "keys").rename(several / "private")
        (several / "keys").symlink_to("private")
    for command in (["init", "-q"], ["add", added]):
        subprocess.run(["git", *command], cwd=several, check=True)
    refused = pytest.raises(PackagingError, match=f"git rm --cached {named}")
    with refused if named else nullcontext():
        assert callers_extra(several, SEVERAL)
