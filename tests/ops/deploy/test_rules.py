"""What the deployment tool lets pass in ``s.yaml``, and ``check-deploy`` refuses."""

import re
import shutil
from pathlib import Path

import pytest

from tests.ops.deploy.project import (
    CONFIGURED,
    FOR_OPTIONAL_BLOCKS,
    PROPS,
    ROLE,
    ROOT,
    check,
    mutated,
    uncommented,
)

REFUSED = {
    "an unknown property": (
        "      diskSize: 512\n",
        "      diskSize: 512\n      memory: 512\n",
        "memory is not a property",
    ),
    "a misspelt property": ("      memorySize: 512\n", "      memorysize: 512\n", "did you mean memorySize?"),
    "a misspelt key in a trigger": (
        "            authType: anonymous\n",
        "            authType: anonymous\n            disableUrlInternet: true\n",
        "did you mean disableURLInternet?",
    ),
    "a misspelt key beside triggers": (
        "          qualifier: LATEST\n",
        "          qualifer: LATEST\n",
        "qualifer is not a property",
    ),
    "a misspelt key in a hook": (
        "          timeout: 30\n",
        "          timeOut: 30\n",
        "did you mean timeout?",
    ),
    "a misspelt key in an action": ("          path: .\n", "          paths: .\n", "did you mean path?"),
    "a misspelt action": ("pre-deploy:", "predeploy:", "predeploy is not a property"),
    "a misspelt key at the top": (
        "name: oss-direct-upload\n",
        "title: oss-direct-upload\n",
        "title is not a property",
    ),
    "a misspelt setting": (
        "OSS_BUCKET: ${env('OSS_BUCKET')}",
        "OSS_BUKET: ${env('OSS_BUCKET')}",
        "OSS_BUKET is no setting",
    ),
    "memory that is no multiple of 64": (
        "memorySize: 512",
        "memorySize: 500",
        "memorySize = 500: must be 128 to 32768 and a multiple of 64",
    ),
    "memory as text": ("memorySize: 512", "memorySize: '512'", 'memorySize = "512": must be a whole number'),
    "cpu without disk": (
        "      diskSize: 512\n",
        "",
        "diskSize is missing; cpu, memorySize and diskSize belong together",
    ),
    "memory without cpu": (
        "      cpu: 0.35\n",
        "",
        "cpu is missing; cpu, memorySize and diskSize belong together",
    ),
    "cpu that does not go with memory": ("cpu: 0.35", "cpu: 1", "cpu 0.125 to 0.5"),
    "cpu between the steps": ("cpu: 0.35", "cpu: 0.33", "must be a multiple of 0.05"),
    "a disk of another size": ("diskSize: 512", "diskSize: 1024", "one of 512, 10240"),
    "a setting that is a number": (
        "${env('TOKEN_SECONDS', '7200')}",
        "7200",
        "TOKEN_SECONDS = 7200: must be a text (quote it)",
    ),
    "a setting that is a truth value": (
        "${env('LOG_LEVEL', 'INFO')}",
        "true",
        "LOG_LEVEL = true: must be a text",
    ),
    "concurrency on a built-in runtime": (
        "      cpu: 0.35\n",
        "      cpu: 0.35\n      instanceConcurrency: 10\n",
        "instanceConcurrency is for custom runtimes",
    ),
    "another runtime": (
        "runtime: python3.12",
        "runtime: python3.10",
        'runtime = "python3.10": must be one of python3.12, custom.debian11',
    ),
    "role auto": (ROLE, "role: auto", 'role = "auto": must be a full ARN'),
    "a bare role name": ("role: acs:ram::${config('AccountID')}:role/", "role: ", "must be a full ARN"),
    "a trigger without methods": ("            methods: [GET, POST, OPTIONS]\n", "", "methods is missing"),
    "a trigger with no method": (
        "            methods: [GET, POST, OPTIONS]\n",
        "            methods: []\n",
        "methods = []: must be a list of at least 1",
    ),
    "a trigger that lacks a method": (
        "            methods: [GET, POST, OPTIONS]\n",
        "            methods: [GET, POST]\n",
        "lacks OPTIONS",
    ),
    "a method in lower case": (
        "            methods: [GET, POST, OPTIONS]\n",
        "            methods: [get, POST, OPTIONS]\n",
        'methods.0 = "get": must be one of GET',
    ),
    "an unknown authType": ("authType: anonymous", "authType: bearer", "one of anonymous, function, jwt"),
    "authType jwt alone": ("authType: anonymous", "authType: jwt", "authConfig is missing"),
    "another kind of trigger": (
        "triggerType: http",
        "triggerType: timer",
        'triggerType = "timer": must be http',
    ),
    "an old edition": ("edition: 3.0.0", "edition: 1.0.0", 'edition = "1.0.0": must be 3.0.0'),
    "an unset variable": (
        "${env('LOGIN_RATE', '30/min')}",
        "${env('NOT_SET_ANYWHERE')}",
        "NOT_SET_ANYWHERE is not set and has no default",
    ),
    "a variable of this file that is not there": (
        "region: ${vars.region}\n      functionName",
        "region: ${vars.regio}\n      functionName",
        "there is no vars.regio",
    ),
    "an expression that does not close": (
        "${env('LOGIN_RATE', '30/min')}",
        "${env('LOGIN_RATE', '30/min')",
        "not closed",
    ),
    "code in an expression": ("${env('LOGIN_RATE', '30/min')}", "${1 + 1}", "cannot be worked out offline"),
    "a variable where none is replaced": (
        "access: default",
        "access: ${env('ACCESS', 'default')}",
        "must be a literal",
    ),
    "a timeout that is too short": ("timeout: 30 #", "timeout: 3 #", "timeout = 3: must be 10 to 86400"),
    "a handler in a missing module": (
        "handler: handler.handler",
        "handler: index.handler",
        "there is no index.py",
    ),
    "a handler that is not defined": (
        "handler: handler.handler",
        "handler: handler.main",
        "handler.py has no function main (it has:",
    ),
    "a handler with a slash": (
        "handler: handler.handler",
        "handler: handler/handler",
        "must be module.function",
    ),
    "an initializer that is not defined": (
        "handler: handler.initialize",
        "handler: handler.warm_up",
        "has no function warm_up",
    ),
    "a region that does not exist": (
        "'cn-hangzhou')} #",
        "'oss-cn-hangzhou')} #",
        'region = "oss-cn-hangzhou": must be one of 26 names; did you mean cn-hangzhou?',
    ),
    "a region that resembles none": (
        "'cn-hangzhou')} #",
        "'moon')} #",
        'region = "moon": must be one of cn-',
    ),
    "a trigger that wants a signature": (
        "authType: anonymous",
        "authType: function",
        "authType = function: a mini-program cannot sign",
    ),
    "a reserved variable": (
        "        OSS_HOST:",
        "        FC_REGION: x\n        OSS_HOST:",
        "is set by Function Compute itself",
    ),
    "a function name with a dot": (
        "'oss-direct-upload')}\n      description",
        "'oss.direct.upload')}\n      description",
        "functionName",
    ),
    "no packaging": ("run: make package", "run: make lint", "must run `make package`"),
    "a packaging that may fail": (
        "          path: .\n",
        "          path: .\n          allow_failure: true\n",
        "must not allow a failing packaging",
    ),
    "a key written twice": (
        "      timeout: 30 #",
        "      timeout: 20\n      timeout: 30 #",
        "timeout is written twice",
    ),
    "a setting that the function refuses": (
        "'60/min'",
        "'sixty'",
        "CALLER_RATE = 'sixty' must be a number over s, min or h",
    ),
    "another file of profiles": (
        "'profiles.toml'",
        "'other.toml'",
        "must be profiles.toml; only that is packaged",
    ),
}


@pytest.mark.parametrize(("old", "new", "said"), REFUSED.values(), ids=REFUSED.keys())
def test_refuses(project: Path, old: str, new: str, said: str) -> None:
    problems = mutated(project, old, new).problems
    assert any(said in problem for problem in problems), problems
    assert all(re.match(r"s\.yaml:\d+: [\w.-]+", problem) for problem in problems)


def test_names_the_line_of_the_wrong_value(project: Path) -> None:
    problem = mutated(project, "memorySize: 512", "memorySize: 500").problems[0]
    line = (project / "s.yaml").read_text("utf-8").splitlines().index("      memorySize: 500") + 1
    assert problem.startswith(f"s.yaml:{line}: {PROPS}memorySize = 500")


@pytest.mark.parametrize("name", ["WECHAT_SECRET", "TOKEN_SECRET", "JWT_KEY", "OWNER_SECRET"])
def test_refuses_a_secret_written_into_the_file_without_repeating_it(project: Path, name: str) -> None:
    secret = "k" * 40
    for written in (secret, f"${{env('{name}', '{secret}')}}"):
        shutil.copyfile(ROOT / "s.yaml", project / "s.yaml")
        problems = mutated(project, f"${{env('{name}', '')}}", written).problems
        assert any("is a secret and must come from outside" in problem for problem in problems)
        assert secret not in "\n".join(problems)


def test_refuses_a_certificate_key_that_is_wrong_without_repeating_it(project: Path) -> None:
    text = uncommented((project / "s.yaml").read_text("utf-8"), "customDomain:")
    text = text.replace("${env('CERTIFICATE_KEY_FILE')}", "[-----BEGIN PRIVATE KEY-----]")
    (project / "s.yaml").write_text(text, "utf-8")
    problems = check(project / "s.yaml", {**CONFIGURED, **FOR_OPTIONAL_BLOCKS}).problems
    assert any("privateKey = (a secret, not shown): must be a text" in problem for problem in problems)
    assert "BEGIN" not in "\n".join(problems)


def test_refuses_two_http_triggers_of_one_version(project: Path) -> None:
    text = (project / "s.yaml").read_text("utf-8")
    trigger = (
        text[text.index("        - triggerName: http") : text.index("      ## Optional")].rstrip() + "\n"
    )
    (project / "s.yaml").write_text(text.replace(trigger, trigger + trigger), "utf-8")
    problems = check(project / "s.yaml", CONFIGURED).problems
    assert len(problems) == 1 and "trigger 0 has it too" in problems[0]


def test_refuses_an_environment_larger_than_the_cloud_takes(project: Path) -> None:
    key = "a" * 4096
    problems = check(project / "s.yaml", {**CONFIGURED, "JWT_ISSUER": key}).problems
    assert any("Function Compute takes 4096" in problem for problem in problems)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty"),
        ("- a\n", "is empty; it must be a mapping"),
        ("a: [", "is not YAML"),
        ("resources: 5\nedition: 3.0.0\n", "resources = 5: must be a mapping"),
        ("resources: {upload: 5}\n", "resources.upload = 5: must be a mapping"),
        ("resources: {upload: {props: 5}}\n", "props = 5: must be a mapping"),
        (
            "resources: {upload: {props: {triggers: {a: 1}, environmentVariables: [1], cpu: x}}}\n",
            "must be a list",
        ),
        ("vars: {a: '${vars.a}'}\n", "refers to itself"),
    ],
)
def test_refuses_files_of_any_other_shape(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "s.yaml").write_text(text, "utf-8")
    problems = check(tmp_path / "s.yaml", CONFIGURED).problems
    assert any(said in problem for problem in problems), problems


def test_refuses_a_file_that_is_not_there(tmp_path: Path) -> None:
    assert check(tmp_path / "s.yaml", {}).problems == ["s.yaml:1: cannot be read: No such file or directory"]
