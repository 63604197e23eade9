"""Whether the deployment tool finds a key of the cloud, asked before it is started."""

import shutil
from pathlib import Path

import pytest

from ops.deploy.cloud_keys import KEY_NAMES, missing_keys
from tests.ops.deploy.project import check

ROOT = Path(__file__).parents[3]
THREE = {"AccountID": "1000000000000001", "AccessKeyID": "LTAI", "AccessKeySecret": "s"}


@pytest.mark.parametrize(
    ("environ", "missing"),
    [
        ({"HOME": "/nowhere"}, KEY_NAMES),
        ({}, KEY_NAMES),
        (THREE, ()),
        *(({**THREE, name: ""}, (name,)) for name in KEY_NAMES),
    ],
)
def test_each_of_the_three_exports_that_is_missing_or_empty_is_named(environ, missing):
    assert missing_keys(environ, "default") == list(missing)


@pytest.mark.parametrize("variable", ["HOME", "serverless_devs_config_home"])
def test_a_key_pair_that_the_tool_keeps_is_enough_where_s_yaml_names_it(tmp_path, variable):
    (tmp_path / ".s").mkdir()
    (tmp_path / ".s" / "access.yaml").write_text("default:\n  AccountID: x\n", "utf-8")
    assert missing_keys({variable: str(tmp_path)}, "default") == []
    assert missing_keys({variable: str(tmp_path)}, "other") == list(KEY_NAMES)


def test_a_file_of_keys_that_is_none_has_none(tmp_path):
    (tmp_path / ".s").mkdir()
    for text in ("", "- a", "{"):
        (tmp_path / ".s" / "access.yaml").write_text(text, "utf-8")
        assert missing_keys({"HOME": str(tmp_path)}, "default") == list(KEY_NAMES)


def test_a_named_key_of_the_environment_is_enough():
    name = "mine_serverless_devs_key"
    assert missing_keys({name: "{}"}, name) == []
    assert missing_keys({name: "{}"}, "default") == list(KEY_NAMES)


def test_a_deployment_without_keys_is_refused_before_the_tool_is_started(tmp_path):
    for name in ("s.yaml", ".env.example", "handler.py"):
        shutil.copyfile(ROOT / name, tmp_path / name)
    [problem] = [
        one for one in check(tmp_path / "s.yaml", {}, for_deploy=True).problems if "AccountID" in one
    ]
    assert problem.startswith("environment: AccountID, AccessKeyID, AccessKeySecret ")
    assert not any("AccountID" in one for one in check(tmp_path / "s.yaml", {}).problems)
    (tmp_path / ".env").write_text("".join(f"{name}={value}\n" for name, value in THREE.items()), "utf-8")
    assert not any("AccountID" in one for one in check(tmp_path / "s.yaml", {}, for_deploy=True).problems)
