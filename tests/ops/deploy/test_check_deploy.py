import argparse
import re
import shutil
from pathlib import Path

import pytest
import yaml

from function.settings import read_settings
from ops.deploy.check_deploy import Report, add_arguments, check, run
from ops.deploy.env_file import parse_env
from ops.deploy.expressions import Resolver
from ops.deploy.rules import SETTING_NAMES, setting_problems
from ops.deploy.s_yaml import read_s_yaml

ROOT = Path(__file__).resolve().parents[3]
TOKEN_SECRET = "token-secret-0123456789abcdefghi"
CONFIGURED = {
    "OSS_BUCKET": "photos-of-users",
    "STS_ROLE_ARN": "acs:ram::1000000000000001:role/oss-direct-upload",
    "CALLER_AUTH": "wechat",
    "WECHAT_APPID": "wx0123456789abcdef",
    "WECHAT_SECRET": "0123456789abcdef0123456789abcdef",
    "TOKEN_SECRET": TOKEN_SECRET,
}
FOR_OPTIONAL_BLOCKS = {
    "CUSTOM_DOMAIN": "upload.example.com",
    "CERTIFICATE_FILE": "upload.pem",
    "CERTIFICATE_KEY_FILE": "upload.key",
    "LOG_PROJECT": "uploads",
    "VPC_ID": "vpc-1",
    "SECURITY_GROUP_ID": "sg-1",
    "VSWITCH_ID": "vsw-1",
}
CLOUD_KEYS = {"AccountID": "1000000000000001", "AccessKeyID": "LTAI", "AccessKeySecret": "s"}
PROPS = "resources.upload.props."
ROLE = "role: acs:ram::${config('AccountID')}:role/${env('FUNCTION_ROLE_NAME', 'oss-direct-upload-function')}"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name in ("s.yaml", ".env.example", "handler.py"):
        shutil.copyfile(ROOT / name, tmp_path / name)
    return tmp_path


@pytest.mark.parametrize("configured", [True, False])
def test_a_profile_that_the_function_would_refuse_is_named_even_before_anything_is_configured(
    project: Path, monkeypatch: pytest.MonkeyPatch, configured: bool
) -> None:
    broken = (ROOT / "profiles.toml").read_text("utf-8").replace('"10MiB"', '"10M"')
    (project / "profiles.toml").write_text(broken, "utf-8")
    monkeypatch.setattr("function.settings.DEFAULT_PROFILES_FILE", project / "profiles.toml")
    (problem,) = check(project / "s.yaml", CONFIGURED if configured else {}).problems
    assert problem.startswith("profiles.toml: [default]: max_size = '10M' must be")


def mutated(project: Path, old: str, new: str) -> Report:
    file = project / "s.yaml"
    text = file.read_text("utf-8")
    assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in s.yaml"
    file.write_text(text.replace(old, new), "utf-8")
    return check(file, CONFIGURED)


def uncommented(text: str, wanted: str = "") -> str:
    """The optional blocks switched on: all of them, or the one whose first line is ``wanted``."""
    lines, below_heading, inside = [], False, False
    for line in text.splitlines():
        match = re.fullmatch(r"( +)# (.*)", line)
        if line.strip().startswith("## Optional"):
            below_heading, inside = True, False
        elif below_heading and match:
            inside = inside or not wanted or match[2] == wanted
            line = match[1] + match[2] if inside else line
        elif not line.strip():
            below_heading = False
        lines.append(line)
    return "\n".join(lines) + "\n"


def test_accepts_the_file_that_ships_once_it_is_configured() -> None:
    report = check(ROOT / "s.yaml", {**CONFIGURED, **CLOUD_KEYS}, for_deploy=True)
    assert report.problems == []


def test_accepts_a_fresh_clone_and_says_which_values_stand_in(project: Path) -> None:
    report = check(project / "s.yaml", {})
    assert report.problems == []
    assert any("CALLER_AUTH, OSS_BUCKET, STS_ROLE_ARN stand in" in hint for hint in report.hints)


def test_refuses_to_deploy_a_fresh_clone(project: Path) -> None:
    problems = "\n".join(check(project / "s.yaml", {}, for_deploy=True).problems)
    assert all(f"{name} is not set and has no default" in problems for name in ("OSS_BUCKET", "CALLER_AUTH"))


def test_refuses_to_deploy_an_example_that_was_copied_and_not_filled_in(project: Path) -> None:
    shutil.copyfile(project / ".env.example", project / ".env")
    assert check(project / "s.yaml", {}).problems == []
    problems = check(project / "s.yaml", {}, for_deploy=True).problems
    assert ".env: OSS_BUCKET still has the value of .env.example; set your own" in problems
    assert any("WECHAT_SECRET is missing" in problem for problem in problems)


@pytest.mark.parametrize(
    ("name", "value"), [("TOKEN_SECRET", ""), ("STS_ROLE_ARN", "wrong"), ("CALLER_RATE", "60")]
)
def test_a_setting_is_wrong_where_its_value_comes_from(project: Path, name: str, value: str) -> None:
    given = {**CONFIGURED, name: value}
    (project / ".env").write_text("".join(f"{one}={given[one]}\n" for one in given), "utf-8")
    (problem,) = check(project / "s.yaml", {}).problems
    assert problem.startswith(f".env: {name} ")
    (project / ".env").unlink()
    (problem,) = check(project / "s.yaml", given).problems
    assert problem.startswith(f"{'environment' if value else '.env'}: {name} ")


def test_a_misspelt_name_in_the_env_file_is_told(project: Path) -> None:
    given = {
        **CONFIGURED,
        "CALLER_RATES": "5/min",
        "AccountID": "1234567890123456",
        "HTTPS_PROXY": "http://x",
    }
    (project / ".env").write_text("".join(f"{one}={given[one]}\n" for one in given), "utf-8")
    report = check(project / "s.yaml", {})
    line = list(given).index("CALLER_RATES") + 1
    assert [hint for hint in report.hints if ".env:" in hint] == [
        f".env:{line}: CALLER_RATES is no setting; did you mean CALLER_RATE?"
    ]


def test_a_dollar_sign_in_the_env_file_or_exported_over_it_is_refused(project: Path) -> None:
    (project / ".env").write_text(f"TOKEN_SECRET={'t' * 20}$HOME{'t' * 20}\nWECHAT_SECRET=abc\n", "utf-8")
    report = check(project / "s.yaml", {**CONFIGURED, "WECHAT_SECRET": "pa$word", "JWT_ISSUER": "a$b"})
    dollars = [problem for problem in report.problems if "$" in problem]
    assert [problem.partition(" ")[0] for problem in dollars] == [".env:1:", ".env:2:"]
    assert not any("word" in problem or "tttt" in problem for problem in report.problems)


def test_a_half_filled_env_file_is_refused_for_what_is_left(project: Path) -> None:
    (project / ".env").write_text("OSS_BUCKET=photos\nCALLER_AUTH=anonymous\n", "utf-8")
    problems = check(project / "s.yaml", {}).problems
    assert len(problems) == 1 and "STS_ROLE_ARN is not set and has no default" in problems[0]


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
        'runtime = "python3.10": must be python3.12',
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
    "a timeout that is too short": ("timeout: 15", "timeout: 3", "timeout = 3: must be 10 to 86400"),
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
        "      timeout: 15 #",
        "      timeout: 20\n      timeout: 15 #",
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


def test_lists_every_problem_at_once_and_exits_with_1(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (project / "s.yaml").read_text("utf-8")
    text = text.replace("memorySize: 512", "memorySize: 500").replace("timeout: 15", "timeout: 3")
    (project / "s.yaml").write_text(text.replace("edition: 3.0.0", "edition: 1.0.0"), "utf-8")
    for name, value in CONFIGURED.items():
        monkeypatch.setenv(name, value)
    assert run(arguments(project / "s.yaml")) == 1
    said = capsys.readouterr()
    assert said.err.count("error: ") == 3
    assert said.err.endswith("\n3 problems\n")
    assert CONFIGURED["WECHAT_SECRET"] not in said.out + said.err and TOKEN_SECRET not in said.out + said.err
    assert re.search(r"OSS_BUCKET +photos-of-users +environment", said.out)


def test_exits_with_0_for_a_configured_file(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = [f'{name}="{value}"' for name, value in {**CONFIGURED, **CLOUD_KEYS}.items()]
    (project / ".env").write_text("\n".join(lines), "utf-8")
    monkeypatch.setenv("OSS_BUCKET", "from-the-environment")
    assert run(arguments(project / "s.yaml", "--for-deploy")) == 0
    said = capsys.readouterr().out
    assert re.search(r"OSS_BUCKET +from-the-environment +environment", said)
    assert re.search(r"CALLER_AUTH +wechat +\.env", said)
    assert re.search(r"TOKEN_SECRET +\(32 characters, not shown\) +\.env", said)


def arguments(file: Path, *more: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return parser.parse_args([str(file), *more])


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


def test_a_missing_build_is_a_hint_and_no_problem(project: Path) -> None:
    report = check(project / "s.yaml", CONFIGURED)
    assert report.problems == []
    assert any("./build/function is not built yet" in hint for hint in report.hints)
    (project / "build/function").mkdir(parents=True)
    (project / "build/function/handler.py").touch()
    assert not any("not built" in hint for hint in check(project / "s.yaml", CONFIGURED).hints)


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


@pytest.mark.parametrize(
    "block", ["concurrencyConfig:", "customDomain:", "logConfig:", "provisionConfig:", "vpcConfig:"]
)
def test_each_optional_block_works_once_uncommented(project: Path, block: str) -> None:
    text = uncommented((project / "s.yaml").read_text("utf-8"), block)
    (project / "s.yaml").write_text(text, "utf-8")
    props = yaml.safe_load(text)["resources"]["upload"]["props"]
    assert block.rstrip(":") in props
    assert (
        len(props)
        == len(yaml.safe_load((ROOT / "s.yaml").read_text("utf-8"))["resources"]["upload"]["props"]) + 1
    )
    assert (
        check(
            project / "s.yaml", {**CONFIGURED, **CLOUD_KEYS, **FOR_OPTIONAL_BLOCKS}, for_deploy=True
        ).problems
        == []
    )
    misspelt = text.replace(f"      {block}\n        ", f"      {block}\n        x", 1)
    (project / "s.yaml").write_text(misspelt, "utf-8")
    problems = check(project / "s.yaml", {**CONFIGURED, **FOR_OPTIONAL_BLOCKS}).problems
    assert any("is not a property" in problem for problem in problems)


def test_all_optional_blocks_work_together(project: Path) -> None:
    text = uncommented((project / "s.yaml").read_text("utf-8"))
    (project / "s.yaml").write_text(text, "utf-8")
    report = check(project / "s.yaml", {**CONFIGURED, **CLOUD_KEYS, **FOR_OPTIONAL_BLOCKS}, for_deploy=True)
    assert report.problems == []
    assert not any("fcapp.run" in hint for hint in report.hints)


def test_an_open_testing_address_beside_a_domain_of_one_s_own_is_told(project: Path) -> None:
    text = uncommented((project / "s.yaml").read_text("utf-8"), "customDomain:")
    (project / "s.yaml").write_text(text, "utf-8")
    report = check(project / "s.yaml", {**CONFIGURED, **FOR_OPTIONAL_BLOCKS})
    assert any("write disableURLInternet: true into triggerConfig" in hint for hint in report.hints)
    report = mutated(project, "            # disableURLInternet", "            disableURLInternet")
    assert not any("disableURLInternet" in hint for hint in report.hints)


def test_a_component_without_a_version_is_told(project: Path) -> None:
    assert not any("component" in hint for hint in check(project / "s.yaml", CONFIGURED).hints)
    [hint] = [one for one in mutated(project, "'fc3@0.1.22'", "'fc3'").hints if "component" in one]
    assert hint.endswith("write fc3@0.1.22")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("protocol: HTTPS", "protocol: SPDY", "one of HTTPS"),
        ("          certName:", "          name:", "certName is missing"),
        ("privateKey:", "private_key:", "did you mean privateKey?"),
        ("route:\n          path: /*", "route:\n          path: '*'", "a path that begins with /"),
    ],
)
def test_refuses_a_wrong_custom_domain(project: Path, old: str, new: str, said: str) -> None:
    text = uncommented((project / "s.yaml").read_text("utf-8"), "customDomain:")
    assert old in text
    (project / "s.yaml").write_text(text.replace(old, new), "utf-8")
    problems = check(project / "s.yaml", {**CONFIGURED, **FOR_OPTIONAL_BLOCKS}).problems
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
    assert "scalingConfig excludes provisionConfig" in said
    assert "certConfig is missing; protocol HTTPS needs a certificate" in said
    assert any("not for production" in hint for hint in report.hints)


def test_s_yaml_names_every_setting_the_function_reads_and_no_other() -> None:
    document = yaml.safe_load((ROOT / "s.yaml").read_text("utf-8"))
    assert set(document["resources"]["upload"]["props"]["environmentVariables"]) == SETTING_NAMES


def test_the_defaults_of_s_yaml_are_those_of_the_function() -> None:
    file = ROOT / "s.yaml"
    source = read_s_yaml(file)
    resolver = Resolver(CONFIGURED, "1", ROOT, source.content)
    props = resolver.resolve(source.content, ())["resources"]["upload"]["props"]
    assert read_settings(props["environmentVariables"]) == read_settings(
        {**CONFIGURED, "FC_REGION": props["region"]}
    )


def test_the_example_names_every_variable_of_s_yaml_with_its_default() -> None:
    example = (ROOT / ".env.example").read_text("utf-8")
    named = dict(re.findall(r"^(?:# )?([A-Z][A-Z0-9_]+)=(.*)$", example, re.MULTILINE))
    used = dict(re.findall(r"env\('(\w+)'(?:, '([^']*)')?\)", (ROOT / "s.yaml").read_text("utf-8")))
    assert named.keys() - {"JWT_ALGORITHM"} == used.keys() - {"JWT_ALGORITHM"}
    commented = re.findall(r"^# ([A-Z][A-Z0-9_]+)=(.*)$", example, re.MULTILINE)
    for name, value in commented:
        assert used[name] == value or name == "JWT_ALGORITHM", name
    assert parse_env(example).problems == ()


def test_reports_what_the_function_would_refuse_at_the_setting_itself() -> None:
    props = {"region": "cn-hangzhou", "environmentVariables": {**CONFIGURED, "TOKEN_SECRET": "short"}}
    document = {"resources": {"upload": {"props": props}}}
    places = [p.place for p in setting_problems(document, ("resources", "upload", "props"))]
    assert ("resources", "upload", "props", "environmentVariables", "TOKEN_SECRET") in places
