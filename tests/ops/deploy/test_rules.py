"""What the deployment tool lets pass in ``s.yaml``, and ``check-deploy`` refuses."""

import shutil
from pathlib import Path

import pytest

from tests.ops.deploy.project import (
    CONFIGURED,
    FOR_OPTIONAL_BLOCKS,
    PROPS,
    REFUSED,
    ROOT,
    check,
    mutated,
    refuses,
    replace,
    switch_on,
)


@pytest.mark.parametrize("case", REFUSED["s_yaml"].values(), ids=REFUSED["s_yaml"])
def test_an_invalid_s_yaml_is_refused(project: Path, case: list[str]) -> None:
    refuses(mutated(project, *case[:2]), *case[2:])


def test_names_the_line_of_the_wrong_value(project: Path) -> None:
    problem = mutated(project, "memorySize: 512", "memorySize: 500").problems[0]
    line = (project / "s.yaml").read_text("utf-8").splitlines().index("      memorySize: 500") + 1
    assert problem.startswith(f"s.yaml:{line}: {PROPS}memorySize: 500 ")


@pytest.mark.parametrize("name", ["WECHAT_SECRET", "TOKEN_SECRET", "JWT_KEY", "OWNER_SECRET"])
def test_refuses_a_secret_written_into_the_file_without_repeating_it(project: Path, name: str) -> None:
    secret = "k" * 40
    for written in (secret, f"${{env('{name}', '{secret}')}}"):
        shutil.copyfile(ROOT / "s.yaml", project / "s.yaml")
        problems = mutated(project, f"${{env('{name}', '')}}", written).problems
        assert any(name in problem for problem in problems)
        assert secret not in "\n".join(problems)


def test_refuses_a_certificate_key_that_is_wrong_without_repeating_it(project: Path) -> None:
    switch_on(project, "customDomain:")
    replace(project / "s.yaml", "${env('CERTIFICATE_KEY_FILE')}", "[-----BEGIN PRIVATE KEY-----]")
    problems = check(project / "s.yaml", {**CONFIGURED, **FOR_OPTIONAL_BLOCKS}).problems
    assert any("privateKey violates " in problem for problem in problems)
    assert "BEGIN" not in "\n".join(problems)


def test_a_block_of_the_wrong_shape_is_refused_without_showing_what_it_holds(tmp_path: Path) -> None:
    for block in ("environmentVariables: [canary]", "handler: {TOKEN_SECRET: canary}", "JWT_KEY: canary"):
        (tmp_path / "s.yaml").write_text(f"resources: {{upload: {{props: {{{block}}}}}}}\n", "utf-8")
        problems = "\n".join(check(tmp_path / "s.yaml", CONFIGURED).problems)
        assert block.partition(":")[0] in problems and "canary" not in problems


def test_refuses_two_http_triggers_of_one_version(project: Path) -> None:
    text = (project / "s.yaml").read_text("utf-8")
    trigger = (
        text[text.index("        - triggerName: http") : text.index("      ## Optional")].rstrip() + "\n"
    )
    (project / "s.yaml").write_text(text.replace(trigger, trigger + trigger), "utf-8")
    problems = check(project / "s.yaml", CONFIGURED).problems
    assert len(problems) == 1 and "trigger 0" in problems[0]


def test_refuses_an_environment_larger_than_the_cloud_takes(project: Path) -> None:
    key = "a" * 4096
    problems = check(project / "s.yaml", {**CONFIGURED, "JWT_ISSUER": key}).problems
    assert any("Function Compute takes 4096" in problem for problem in problems)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        *((text, "s.yaml") for text in ("", "- a\n", "a: [")),
        ("title: x\n", "'title' was unexpected"),
        ("resources: 5\nedition: 3.0.0\n", "resources: 5"),
        ("resources: {upload: 5}\n", "resources.upload: 5"),
        ("resources: {upload: {props: 5}}\n", "props: 5"),
        ("resources: {upload: {props: {triggers: {a: 1}, environmentVariables: [1], cpu: x}}}\n", "triggers"),
    ],
)
def test_refuses_files_of_any_other_shape(tmp_path: Path, text: str, named: str) -> None:
    (tmp_path / "s.yaml").write_text(text, "utf-8")
    problems = check(tmp_path / "s.yaml", CONFIGURED).problems
    assert any(named in problem for problem in problems), problems


def test_refuses_a_file_that_is_not_there(tmp_path: Path) -> None:
    (problem,) = check(tmp_path / "s.yaml", {}).problems
    assert problem.startswith("s.yaml:1: ")
