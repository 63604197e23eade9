"""own_blocks: ``s.own.yaml``, with the blocks of ``s.yaml`` that a setting switches on."""

import pytest
import yaml

from ops.deploy import check_deploy, deploy
from ops.deploy.new_files import chinese_comments, in_chinese
from ops.deploy.own_blocks import SWITCHES, optional_blocks, with_own_blocks
from ops.deploy.s_yaml import read_s_yaml
from ops.terminal.language import Failure
from tests.ops.deploy.project import CLOUD_KEYS, CONFIGURED, FOR_OPTIONAL_BLOCKS, arguments, check

NUMBERS = {"RESERVED_INSTANCES": "5", "PROVISIONED_INSTANCES": "2"}
EVERY = {**CONFIGURED, **CLOUD_KEYS, **FOR_OPTIONAL_BLOCKS, **NUMBERS, "CLOSE_TEST_ADDRESS": "true"}
BURST = "deploy/burst/s.burst.yaml"


def props_of(file):
    return read_s_yaml(file).content["resources"]["upload"]["props"]


@pytest.mark.parametrize("name", ["s.yaml", BURST])
def test_all_settings_together_switch_on_every_block(project, name):
    own = with_own_blocks(project / name, EVERY)
    assert own == (project / name).with_name("s.own.yaml")
    report = check(own, EVERY, for_deploy=True)
    assert report.problems == [] and not any("fcapp.run" in hint for hint in report.hints)
    before, props = props_of(project / name), props_of(own)
    assert {*props} == {*before, *SWITCHES}
    assert props["concurrencyConfig"] == {"reservedConcurrency": 5}
    assert props["provisionConfig"]["defaultTarget"] == 2
    assert props["code"] == before["code"] and props["runtime"] == before["runtime"]
    assert props["triggers"][0]["triggerConfig"]["disableURLInternet"] is True
    assert props["triggers"][1:] == before["triggers"][1:]


@pytest.mark.parametrize("setting", [*(setting for setting, _ in SWITCHES.values()), "CLOSE_TEST_ADDRESS"])
def test_each_setting_switches_on_its_own_block_alone(project, setting):
    own = with_own_blocks(project / "s.yaml", {setting: EVERY[setting]})
    written = yaml.safe_load(own.read_text("utf-8"))["resources"]["upload"]["props"]
    blocks = {setting: name for name, (setting, _) in SWITCHES.items()}
    assert [*written] == [blocks.get(setting, "triggers")]


def test_without_a_setting_the_shipped_file_is_deployed_and_an_old_own_one_goes(project):
    (project / "s.own.yaml").write_text("of before")
    assert with_own_blocks(project / "s.yaml", CONFIGURED) == project / "s.yaml"
    assert not (project / "s.own.yaml").exists()


@pytest.mark.parametrize("value", ["0", "-1", "two", "1.5", "10000", "１"])
def test_a_number_of_instances_that_is_none_is_named(project, value, monkeypatch, capsys):
    with pytest.raises(Failure, match="RESERVED_INSTANCES"):
        with_own_blocks(project / "s.yaml", {"RESERVED_INSTANCES": value})
    monkeypatch.setenv("RESERVED_INSTANCES", value)
    assert check_deploy.run(arguments(project / "s.yaml")) == 1
    assert "RESERVED_INSTANCES" in capsys.readouterr().err
    assert not (project / "s.own.yaml").exists()


def test_a_block_that_somebody_edited_in_the_file_stays_theirs(project):
    text = (project / "s.yaml").read_text("utf-8").replace("# concurrencyConfig:", "concurrencyConfig:")
    (project / "s.yaml").write_text(text.replace("#   reservedConcurrency: 20", "  reservedConcurrency: 9"))
    file = with_own_blocks(project / "s.yaml", NUMBERS)
    assert props_of(file)["concurrencyConfig"] == {"reservedConcurrency": 9}


def test_check_and_deployment_go_by_the_own_file(project, monkeypatch, capsys):
    (project / ".env").write_text("LOG_PROJECT=uploads\n", "utf-8")
    for name, value in {**CONFIGURED, **CLOUD_KEYS, "HOME": str(project)}.items():
        monkeypatch.setenv(name, value)
    (project / "s").write_text('#!/bin/sh\necho "$@" >> calls\nexit 1\n')
    (project / "s").chmod(0o755)
    assert check_deploy.run(arguments(project / "s.yaml")) == 0
    assert "s.own.yaml" in capsys.readouterr().out
    parser = deploy.argparse.ArgumentParser()
    deploy.add_arguments(parser)
    deploy.run(parser.parse_args([str(project / "s.yaml"), "--tool", str(project / "s")]))
    assert f"-t {project / 's.own.yaml'}" in (project / "calls").read_text("utf-8")


def test_a_file_with_chinese_comments_has_the_same_blocks(project):
    before = dict(optional_blocks(project / "s.yaml"))
    text = (project / "s.yaml").read_text("utf-8")
    (project / "s.yaml").write_text(in_chinese(text, chinese_comments()["s.yaml"]), "utf-8")
    assert dict(optional_blocks(project / "s.yaml")) == before and len(before) > len(SWITCHES)
