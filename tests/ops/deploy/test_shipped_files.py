"""``s.yaml`` and ``.env.example`` as they ship: each block works, and both hold what the function has."""

import re
from pathlib import Path

import pytest
import yaml

from function.app import load_settings
from ops.deploy.env_file import parse_env
from ops.deploy.expressions import Resolver
from ops.deploy.rules import SETTING_NAMES
from ops.deploy.s_yaml import read_s_yaml
from tests.ops.deploy.project import (
    CLOUD_KEYS,
    CONFIGURED,
    FOR_OPTIONAL_BLOCKS,
    ROOT,
    check,
    mutated,
    replace,
    switch_on,
)
from tests.support.cases import cases_beside

cases = cases_beside(__file__)

SHIPPED = yaml.safe_load((ROOT / "s.yaml").read_text("utf-8"))["resources"]["upload"]
ALL = {**CONFIGURED, **CLOUD_KEYS, **FOR_OPTIONAL_BLOCKS}


@pytest.mark.parametrize(
    "block", ["concurrencyConfig:", "customDomain:", "logConfig:", "provisionConfig:", "vpcConfig:"]
)
def test_each_optional_block_works_once_uncommented(project: Path, block: str) -> None:
    text = switch_on(project, block)
    props = yaml.safe_load(text)["resources"]["upload"]["props"]
    assert block.rstrip(":") in props
    assert len(props) == len(SHIPPED["props"]) + 1
    assert check(project / "s.yaml", ALL, for_deploy=True).problems == []
    misspelt = text.replace(f"      {block}\n        ", f"      {block}\n        x", 1)
    (project / "s.yaml").write_text(misspelt, "utf-8")
    assert check(project / "s.yaml", ALL).problems != []


def test_all_optional_blocks_work_together(project: Path) -> None:
    switch_on(project)
    report = check(project / "s.yaml", ALL, for_deploy=True)
    assert report.problems == []
    assert not any("fcapp.run" in hint for hint in report.hints)


def test_an_open_test_url_beside_a_custom_domain_is_a_hint(project: Path) -> None:
    switch_on(project, "customDomain:")
    report = check(project / "s.yaml", ALL)
    assert any("disableURLInternet" in hint for hint in report.hints)
    report = mutated(project, "            # disableURLInternet", "            disableURLInternet")
    assert not any("disableURLInternet" in hint for hint in report.hints)


def test_a_component_without_a_version_is_a_hint(project: Path) -> None:
    assert not any("component" in hint for hint in check(project / "s.yaml", CONFIGURED).hints)
    [hint] = [one for one in mutated(project, "'fc3@0.1.22'", "'fc3'").hints if "component" in one]
    assert hint.endswith("write fc3@0.1.22")


@cases("old", "new", "said")
def test_refuses_a_wrong_custom_domain(project: Path, old: str, new: str, said: str) -> None:
    switch_on(project, "customDomain:")
    replace(project / "s.yaml", old, new)
    problems = check(project / "s.yaml", ALL).problems
    assert any(said in problem for problem in problems), problems


def test_refuses_https_without_a_certificate_and_two_ways_of_scaling(project: Path) -> None:
    more = (
        "      provisionConfig: {defaultTarget: 1, alwaysAllocateCPU: false, alwaysAllocateGPU: false,"
        " scheduledActions: [], targetTrackingPolicies: []}\n"
        "      scalingConfig: {minInstances: 1}\n"
        "      customDomain: {domainName: auto, protocol: HTTPS, route: {path: /*}}\n"
    )
    report = mutated(project, "      triggers:\n", more + "      triggers:\n")
    said = "\n".join(report.problems)
    assert all(name in said for name in ("scalingConfig", "provisionConfig", "certConfig"))
    assert any("auto" in hint for hint in report.hints)


def test_s_yaml_names_every_setting_the_function_reads_and_no_other() -> None:
    assert set(SHIPPED["props"]["environmentVariables"]) == SETTING_NAMES


def test_the_defaults_of_s_yaml_are_those_of_the_function() -> None:
    source = read_s_yaml(ROOT / "s.yaml")
    resolver = Resolver(CONFIGURED, "1")
    props = resolver.resolve(source.content, ())["resources"]["upload"]["props"]
    assert load_settings(props["environmentVariables"]) == load_settings(
        {**CONFIGURED, "FC_REGION": props["region"]}
    )


def test_the_example_names_every_variable_of_s_yaml_with_its_default() -> None:
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
