"""Two ways to deploy: what each runtime needs, and what it cannot use."""

from pathlib import Path

import pytest

from ops.deploy.check_deploy import Report
from ops.deploy.expressions import Resolver
from ops.deploy.rules import SETTING_NAMES
from ops.deploy.s_yaml import read_s_yaml
from tests.ops.deploy.project import (
    CLOUD_KEYS,
    CONFIGURED,
    FOR_OPTIONAL_BLOCKS,
    REFUSED,
    check,
    refuses,
    replace,
    switch_on,
)

BURST = "deploy/burst/s.burst.yaml"


def burst_props(project: Path) -> dict:
    source = read_s_yaml(project / BURST)
    resolver = Resolver(CONFIGURED, "1")
    return resolver.resolve_layers(source.layers)["resources"]["upload"]["props"]


def changed(project: Path, old: str, new: str, name: str = BURST) -> Report:
    replace(project / name, old, new)
    return check(project / BURST, CONFIGURED)


def test_the_file_for_bursts_is_accepted_as_it_ships(project: Path) -> None:
    assert check(project / BURST, {**CONFIGURED, **CLOUD_KEYS}, for_deploy=True).problems == []


def test_the_burst_file_inherits_everything_of_s_yaml(project: Path) -> None:
    props = burst_props(project)
    assert props["runtime"] == "custom.debian11"
    assert (props["role"], props["timeout"], props["memorySize"]) == (
        "acs:ram::1:role/oss-direct-upload-function",
        30,
        512,
    )
    assert set(props["environmentVariables"]) == SETTING_NAMES | {"PATH"}
    assert props["functionName"] == "oss-direct-upload-burst"
    assert [(trigger["triggerType"], trigger["qualifier"]) for trigger in props["triggers"]] == [
        ("http", "live"),
        ("timer", "live"),
    ]


def test_a_block_switched_on_in_the_plain_file_counts_for_both(project: Path) -> None:
    switch_on(project, "customDomain:")
    assert "customDomain" not in burst_props(project)["environmentVariables"]
    report = check(project / BURST, {**CONFIGURED, **FOR_OPTIONAL_BLOCKS})
    assert report.problems == []
    assert any("disableURLInternet" in hint for hint in report.hints)


@pytest.mark.parametrize("case", REFUSED["burst"].values(), ids=REFUSED["burst"])
def test_an_unusable_instance_configuration_is_refused(project: Path, case: list[str]) -> None:
    report = changed(project, *case[:2])
    if case[2:]:
        refuses(report, *case[2:])
    else:
        assert report.problems == []


def test_a_problem_names_its_file_and_line(project: Path) -> None:
    replace(project / "s.yaml", "memorySize: 512", "memorySize: 500")
    said = sorted(changed(project, "port: 9000", "port: 80").problems[:2])
    for problem, name, wrong in zip(said, (BURST, "s.yaml"), ("port: 80", "memorySize: 500"), strict=True):
        lines = [line.strip() for line in (project / name).read_text("utf-8").splitlines()]
        assert problem.startswith(f"{Path(name).name}:{lines.index(wrong) + 1}: ")


def test_an_extended_file_must_not_extend_another(project: Path) -> None:
    report = changed(project, "edition: 3.0.0\n", "edition: 3.0.0\nextend: ./x.yaml\n", "s.yaml")
    assert any("extend" in problem for problem in report.problems)


@pytest.mark.parametrize(
    ("name", "text", "named"),
    [
        ("s.yaml", "", "extend"),
        ("s.yaml", "- a list\n", "extend"),
        ("s.yaml", None, "extend"),
    ],
)
def test_a_missing_or_invalid_companion_file_is_refused(
    project: Path, name: str, text: str | None, named: str
) -> None:
    if text is None:
        (project / name).unlink()
    else:
        (project / name).write_text(text, "utf-8")
    problems = check(project / BURST, CONFIGURED).problems
    assert any(named in problem for problem in problems), problems


def test_a_variable_of_the_extended_file_is_needed_even_if_overridden(project: Path) -> None:
    old = "functionName: ${env('FUNCTION_NAME', 'oss-direct-upload')}\n"
    problems = changed(project, old, "functionName: ${env('NOWHERE')}\n", "s.yaml").problems
    assert any("NOWHERE" in problem for problem in problems)
