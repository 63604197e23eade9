"""Two ways to deploy: what each runtime needs, and what it cannot use."""

from pathlib import Path

import pytest

from ops.deploy.check_deploy import Report
from ops.deploy.expressions import Resolver
from ops.deploy.rules import SETTING_NAMES
from ops.deploy.s_yaml import read_s_yaml
from tests.ops.deploy.project import CLOUD_KEYS, CONFIGURED, FOR_OPTIONAL_BLOCKS, check, uncommented

BURST = "deploy/burst/s.burst.yaml"


def burst_props(project: Path) -> dict:
    source = read_s_yaml(project / BURST)
    resolver = Resolver(CONFIGURED, "1", source.folder, source.content)
    return resolver.resolve_layers(source.layers)["resources"]["upload"]["props"]


def changed(project: Path, old: str, new: str, name: str = BURST) -> Report:
    text = (project / name).read_text("utf-8")
    assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {name}"
    (project / name).write_text(text.replace(old, new), "utf-8")
    return check(project / BURST, CONFIGURED)


def test_the_file_for_bursts_is_accepted_as_it_ships(project: Path) -> None:
    assert check(project / BURST, {**CONFIGURED, **CLOUD_KEYS}, for_deploy=True).problems == []
    assert check(project / BURST, {}).problems == []
    (project / ".env").write_text("CALLER_AUTH=nobody\n", "utf-8")
    (problem,) = check(project / BURST, {}).problems
    assert problem.startswith(".env: CALLER_AUTH")


def test_it_holds_all_that_the_plain_file_has(project: Path) -> None:
    props = burst_props(project)
    assert props["runtime"] == "custom.debian11"
    assert (props["role"], props["timeout"], props["memorySize"]) == (
        "acs:ram::1:role/oss-direct-upload-function",
        30,
        512,
    )
    assert set(props["environmentVariables"]) == SETTING_NAMES | {"PATH"}
    assert props["functionName"] == "oss-direct-upload-burst"
    assert [trigger["triggerConfig"]["authType"] for trigger in props["triggers"]] == ["anonymous"]


def test_a_block_switched_on_in_the_plain_file_counts_for_both(project: Path) -> None:
    text = uncommented((project / "s.yaml").read_text("utf-8"), "customDomain:")
    (project / "s.yaml").write_text(text, "utf-8")
    assert "customDomain" not in burst_props(project)["environmentVariables"]
    report = check(project / BURST, {**CONFIGURED, **FOR_OPTIONAL_BLOCKS})
    assert report.problems == []
    assert any("write disableURLInternet" in hint for hint in report.hints)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("instanceConcurrency: 20", "instanceConcurrency: 201", "must be 1 to 200"),
        ("instanceConcurrency: 20", "instanceConcurrency: 40", "must be the number behind --threads in args"),
        ("'20']", "'20', --threads]", ""),
        ("      instanceConcurrency: 20\n", "", "instanceConcurrency is missing; custom.debian11 needs it"),
        ("port: 9000", "port: 8000", "must be the number behind --port in args"),
        ("[burst_server.py, ", "[handler.py, ", "args = "),
        ("/python3]", "/python3.9]", "must be [/var/fc/lang/python3.12/bin/python3]"),
        ("httpGetUrl: /health", "httpGetUrl: /upload-params", "must be /health"),
        ("timeoutSeconds: 3", "timeoutSecond: 3", "did you mean timeoutSeconds?"),
        ("periodSeconds: 30", "periodSeconds: 0", "periodSeconds = 0: must be 1 to 120"),
        ("../../build/function-burst", "./build/function-burst", "must be ../../build/function-burst"),
        ("        PATH:", "        PATHS:", "PATHS is no setting of this function"),
        ("custom.debian11 #", "custom.debian10 #", "must be one of python3.12, custom.debian11"),
        ("custom.debian11 #", "python3.12 #", "customRuntimeConfig is for custom runtimes"),
        ("${env('CLIENT_ADDRESS_HEADER', 'X-Forwarded-For')}", "''", "all phones would share one LOGIN_RATE"),
        ("extend: ../../s.yaml", "extend: ../../t.yaml", "extend cannot be read: No such file"),
        ("extend: ../../s.yaml", "extends: ../../s.yaml", "extends is not a property; did you mean extend?"),
    ],
)
def test_refuses_what_would_not_start_or_not_help(project: Path, old: str, new: str, said: str) -> None:
    problems = changed(project, old, new).problems
    if said:
        assert any(said in problem for problem in problems), problems
    else:
        assert problems == []


def test_says_in_which_of_the_two_files_a_mistake_stands(project: Path) -> None:
    text = (project / "s.yaml").read_text("utf-8").replace("memorySize: 512", "memorySize: 500")
    (project / "s.yaml").write_text(text, "utf-8")
    line = text.splitlines().index("      memorySize: 500") + 1
    (own, other) = changed(project, "port: 9000", "port: 80").problems[:2]
    said = sorted([own, other])
    place = (project / BURST).read_text("utf-8").splitlines().index("        port: 80") + 1
    assert said[0].startswith(f"s.burst.yaml:{place}: ")
    assert said[1].startswith(f"s.yaml:{line}: ")


def test_a_file_that_is_extended_extends_no_other(project: Path) -> None:
    report = changed(project, "edition: 3.0.0\n", "edition: 3.0.0\nextend: ./x.yaml\n", "s.yaml")
    assert any("extend is not followed by the tool" in problem for problem in report.problems)


@pytest.mark.parametrize("text", ["", "- a list\n"])
def test_what_is_extended_must_be_a_file_of_this_kind(project: Path, text: str) -> None:
    (project / "s.yaml").write_text(text, "utf-8")
    problems = check(project / BURST, CONFIGURED).problems
    assert any("extend names a file that holds no mapping" in problem for problem in problems), problems


def test_without_the_server_beside_it_nothing_would_start(project: Path) -> None:
    (project / "deploy/burst/burst_server.py").unlink()
    problems = check(project / BURST, CONFIGURED).problems
    assert any("there is no deploy/burst/burst_server.py" in problem for problem in problems)


def test_a_variable_of_the_extended_file_is_asked_for_even_where_its_value_is_replaced(project: Path) -> None:
    old = "functionName: ${env('FUNCTION_NAME', 'oss-direct-upload')}\n"
    problems = changed(project, old, "functionName: ${env('NOWHERE')}\n", "s.yaml").problems
    assert any("NOWHERE is not set" in problem for problem in problems)
