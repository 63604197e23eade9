"""``s.yaml`` as it ships and as the tool reads it, and ``s.own.yaml`` with the blocks of the settings."""

import re

import pytest
import yaml

from function.app import load_settings
from ops.deploy import check_deploy, deploy
from ops.deploy.env_file import parse_env
from ops.deploy.own_blocks import SWITCHES, with_own_blocks
from ops.deploy.rules import SETTING_NAMES
from ops.deploy.s_yaml import Resolver, read_s_yaml
from ops.terminal.command_line import run_command
from tests.ops.deploy.project import (
    CLOUD_KEYS,
    CONFIGURED,
    FOR_OPTIONAL_BLOCKS,
    ROOT,
    arguments,
    check,
    replace,
)

SHIPPED = yaml.safe_load((ROOT / "s.yaml").read_text("utf-8"))["resources"]["upload"]
NUMBERS = {"RESERVED_INSTANCES": "5", "PROVISIONED_INSTANCES": "2"}
EVERY = {**CONFIGURED, **CLOUD_KEYS, **FOR_OPTIONAL_BLOCKS, **NUMBERS, "CLOSE_TEST_ADDRESS": "true"}
BURST = "deploy/burst/s.burst.yaml"


def props_of(file):
    return read_s_yaml(file).content["resources"]["upload"]["props"]


def resolved(file, environ):
    return Resolver(environ, "1").resolve_layers(read_s_yaml(file).layers)["resources"]["upload"]["props"]


@pytest.mark.parametrize(("text", "value"), [
    ("${env('SET')}", "yes"), ('${env("SET", "no")}', "yes"), ("${env('UNSET', 'no')}", "no"),
    ("${ env( 'EMPTY', 'no' ) }", "no"), ("${env('UNSET', '')}", ""),
    ("acs:${config('AccountID')}", "acs:1000"), ("a ${env('SET')} b ${env('SET')}", "a yes b yes"),
    ("no expression, $5", "no expression, $5"),
])  # fmt: skip
def test_expressions_are_replaced_as_the_tool_does(text, value):
    found = Resolver({"SET": "yes", "EMPTY": ""}, "1000")
    assert found.resolve(text, ("resources", "upload", "props", "x")) == value
    assert found.problems == []


@pytest.mark.parametrize("text", [
    *("${env('UNSET')}", "${env('EMPTY')}", "${env(SET)}", "${env()}", "${env('A', 'b', 'c')}"),
    *("${config('AccessKeySecret')}", "${file('note.json')}", "${vars.region}", "${env('SET'", "${}"),
    "${env('AGAIN')}",
])  # fmt: skip
def test_expressions_without_a_value_are_refused(text):
    found = Resolver({"SET": "yes", "EMPTY": "", "AGAIN": "a${b}c"}, "1000")
    assert found.resolve({"a": [text]}, ("x",)) == {"a": [""]}
    assert found.unresolved == {("x", "a", 0)} and len(found.problems) == 1


@pytest.mark.parametrize("text", ["", "- a list\n", None])
def test_a_file_to_extend_that_is_missing_or_no_mapping_is_named(project, text):
    (project / "s.yaml").unlink()
    if text is not None:
        (project / "s.yaml").write_text(text, "utf-8")
    assert any("extend" in problem for problem in check(project / BURST, CONFIGURED).problems)


@pytest.mark.parametrize("setting", [*(setting for setting, _ in SWITCHES.values()), "CLOSE_TEST_ADDRESS"])
def test_each_setting_switches_on_its_own_block_alone(project, setting):
    own = with_own_blocks(project / "s.yaml", {setting: EVERY[setting]})
    written = yaml.safe_load(own.read_text("utf-8"))["resources"]["upload"]["props"]
    block = {setting: name for name, (setting, _) in SWITCHES.items()}.get(setting, "triggers")
    assert [*written] == [block]
    report = check(own, EVERY)
    assert report.problems == []
    # An open test address beside a domain is a hint.
    assert any("fcapp.run" in hint for hint in report.hints) is (setting == "CUSTOM_DOMAIN")
    if block != "triggers":
        first = next(iter(written[block]))
        replace(own, f"        {first}:", f"        x{first}:")
        problems = check(own, EVERY).problems
        assert any(each.startswith("s.yaml: ") and f"x{first}" in each for each in problems)


def test_without_a_setting_the_shipped_file_is_deployed_and_an_old_own_one_goes(project):
    (project / "s.own.yaml").write_text("of before")
    assert with_own_blocks(project / "s.yaml", CONFIGURED) == project / "s.yaml"
    assert not (project / "s.own.yaml").exists()


@pytest.mark.parametrize("value", ["0", "-1", "two", "1.5", "10000", "１"])
def test_a_number_of_instances_that_is_none_is_named(project, value, monkeypatch, capsys):
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
    run_command(deploy.run, parser.parse_args([str(project / "s.yaml"), "--tool", str(project / "s")]))
    assert f"-t {project / 's.own.yaml'}" in (project / "calls").read_text("utf-8")


def test_s_yaml_names_every_setting_the_function_reads_with_its_default():
    props = resolved(ROOT / "s.yaml", CONFIGURED)
    assert set(SHIPPED["props"]["environmentVariables"]) == SETTING_NAMES
    assert load_settings(props["environmentVariables"]) == load_settings(
        {**CONFIGURED, "FC_REGION": props["region"]}
    )


def test_the_example_names_every_variable_of_s_yaml_with_its_default():
    example = (ROOT / ".env.example").read_text("utf-8")
    named = dict(re.findall(r"^(?:# )?([A-Z][A-Z0-9_]+)=(.*)$", example, re.MULTILINE))
    used = dict(re.findall(r"env\('(\w+)'(?:, '([^']*)')?\)", (ROOT / "s.yaml").read_text("utf-8")))
    # Written into s.own.yaml as what they are; no text may stand there.
    numbers = {"RESERVED_INSTANCES", "PROVISIONED_INSTANCES", "CLOSE_TEST_ADDRESS"}
    assert named.keys() - {"JWT_ALGORITHM"} - numbers == used.keys() - {"JWT_ALGORITHM"}
    commented = re.findall(r"^# ([A-Z][A-Z0-9_]+)=(.*)$", example, re.MULTILINE)
    for name, value in commented:
        assert name in {"JWT_ALGORITHM", *numbers} or used[name] == value, name
    assert parse_env(example).problems == ()
