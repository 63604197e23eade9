"""``check-deploy``: what it refuses in ``s.yaml``, the settings and the keys, where, and how it ends."""

import shutil

import pytest

from ops.deploy.check_deploy import run
from ops.deploy.cloud_keys import KEY_NAMES, missing_keys, wrong_values
from ops.deploy.own_blocks import with_own_blocks
from ops.deploy.rules import setting_problems
from ops.deploy.setting_rules import doubtful_settings
from tests.ops.deploy.project import (
    CLOUD_KEYS,
    CONFIGURED,
    FOR_OPTIONAL_BLOCKS,
    REFUSED,
    ROOT,
    arguments,
    check,
    mutated,
    refuses,
    replace,
)
from tests.ops.words import in_english
from tests.support.cases import profile_toml

BURST = "deploy/burst/s.burst.yaml"
PASSWORD = "RedisPasswordSecretCanary0001"
SETTINGS, SCHEDULES = REFUSED["settings"], REFUSED["schedules"]
SLOWER = "webhooks --redeliver"
THERE = "https://my-contracts.oss-cn-shanghai.aliyuncs.com"
HOST = "https://photos-of-users.oss-cn-hangzhou.aliyuncs.com"
CONTRACT = profile_toml("contract", "contracts", max_size=9, content_types=["image/png"])
IN_SHANGHAI = 'bucket = "my-contracts"\nregion = "cn-shanghai"\n'
OWN_ROLE = "acs:ram::1000000000000001:role/oss-direct-upload-function"


def write_env(project, values):
    (project / ".env").write_text("".join(f"{name}={value}\n" for name, value in values.items()), "utf-8")


@pytest.mark.parametrize("case", REFUSED["s_yaml"].values(), ids=REFUSED["s_yaml"])
def test_an_invalid_s_yaml_is_refused(project, case):
    refuses(mutated(project, *case[:2]), *case[2:])


@pytest.mark.parametrize(("old", "new", "said"), [
    ("handler: handler.handler", "handler: ${this.props.code}", "props.handler: ${this.props.code}: "),
    ("      runtime:", "      tags:", "props"),
    ("triggerType: http", "description: http", "props.triggers.0"),
])  # fmt: skip
def test_one_mistake_is_one_problem(project, old, new, said):
    (problem,) = mutated(project, old, new).problems
    assert problem.startswith(f"s.yaml: resources.upload.{said}")


@pytest.mark.parametrize("case", REFUSED["burst"].values(), ids=REFUSED["burst"])
def test_an_unusable_instance_configuration_is_refused(project, case):
    replace(project / BURST, *case[:2])
    report = check(project / BURST, CONFIGURED)
    if case[2:]:
        refuses(report, *case[2:])
    else:
        assert report.problems == []


@pytest.mark.parametrize(("text", "named"), [
    *((text, "s.yaml") for text in ("", "- a\n", "a: [")),
    ("resources: 5\nedition: 3.0.0\n", "resources: 5"),
    ("resources: {upload: 5}\n", "resources.upload: 5"),
    ("resources: {upload: {props: {triggers: {a: 1}, environmentVariables: [1], cpu: x}}}\n", "triggers"),
])  # fmt: skip
def test_files_of_any_other_shape_are_refused(tmp_path, text, named):
    (tmp_path / "s.yaml").write_text(text, "utf-8")
    problems = check(tmp_path / "s.yaml", CONFIGURED).problems
    assert any(named in problem for problem in problems), problems


@pytest.mark.parametrize("name", ["WECHAT_SECRET", "TOKEN_SECRET", "JWT_KEY", "OWNER_SECRET"])
def test_a_secret_written_into_the_file_is_refused_without_repeating_it(project, name):
    secret = "k" * 40
    for written in (secret, f"${{env('{name}', '{secret}')}}"):
        shutil.copyfile(ROOT / "s.yaml", project / "s.yaml")
        problems = mutated(project, f"${{env('{name}', '')}}", written).problems
        assert any(name in problem for problem in problems)
        assert secret not in "\n".join(problems)


@pytest.mark.parametrize("block", [
    *("environmentVariables: [canary]", "handler: {TOKEN_SECRET: canary}", "JWT_KEY: canary"),
    "environmentVariables: {TOKEN_SECRET: 3141592}",
])  # fmt: skip
def test_a_block_of_the_wrong_shape_is_refused_without_showing_what_it_holds(tmp_path, block):
    (tmp_path / "s.yaml").write_text(f"resources: {{upload: {{props: {{{block}}}}}}}\n", "utf-8")
    problems = "\n".join(check(tmp_path / "s.yaml", CONFIGURED).problems)
    assert block.partition(":")[0] in problems and "canary" not in problems and "3141592" not in problems


@pytest.mark.parametrize("kind", SCHEDULES)
def test_a_schedule_is_taken_slower_or_refused(project, kind):
    for schedule in SCHEDULES[kind]:
        shutil.copyfile(ROOT / "s.yaml", project / "s.yaml")
        report = mutated(project, "'@every 1m'", f"'{schedule}'")
        if kind == "refused":
            refuses(report, "props.triggers.1.triggerConfig.cronExpression")
            continue
        assert report.problems == []
        assert any(SLOWER in hint for hint in report.hints) is (kind == "slower")


@pytest.mark.parametrize("is_there", [True, False])
@pytest.mark.parametrize("option", ["", 'hold = ["check"]\ncheck_by = ["aliyun"]', "strip = true"])
def test_a_check_or_strip_without_a_timer_is_refused_and_else_a_hint(project, option, is_there):
    text = (project / "s.yaml").read_text("utf-8")
    timer = text[text.index("        - triggerName: timer") : text.index("      ## Optional, RESERVED")]
    hold = 'hold = ["commit"]\n' if "strip" in option else ""
    (project / "profiles.toml").write_text(f"{CONTRACT}confirm = true\n{hold}{option}\n", "utf-8")
    report = mutated(project, *(("enable: true", "enable: false") if is_there else (timer, "")))
    burst = check(project / BURST, CONFIGURED)
    assert any(SLOWER in hint for hint in report.hints) and burst.hints == report.hints
    for each in (report, burst):
        if option:
            refuses(each, "props.triggers", "[contract]")
        else:
            assert each.problems == []


def said_of(project, changed):
    (project / "ca.pem").touch()
    (project.parent / "ca.pem").touch()
    given = {name: value.replace("{p}", PASSWORD) for name, value in changed.items()}
    if given.get("JWT_ISSUER"):
        given["JWT_ISSUER"] = "a" * int(given["JWT_ISSUER"])
    environ = {**CONFIGURED, "QUOTA_WHEN_DOWN": "deny", **given}
    if "VPC_ID" in given:
        environ |= {name: FOR_OPTIONAL_BLOCKS[name] for name in ("SECURITY_GROUP_ID", "VSWITCH_ID")}
    problems = check(with_own_blocks(project / "s.yaml", environ), environ).problems
    assert PASSWORD not in str(problems)
    return problems


@pytest.mark.parametrize(("changed", "said"), SETTINGS["cases"])
def test_an_unusable_setting_is_one_problem(project, changed, said):
    (problem,) = said_of(project, changed)
    assert said in problem


@pytest.mark.parametrize("changed", SETTINGS["accepted"])
def test_a_setting_that_works_is_no_problem(project, changed):
    assert said_of(project, changed) == []


@pytest.mark.parametrize(("changed", "named"), [
    ({"OSS_HOST": HOST.replace("oss-cn-hangzhou", "oss-accelerate")}, "OSS_ENDPOINT"),
    ({"OSS_HOST": HOST.replace("oss-cn-hangzhou", "oss-accelerate"), "OSS_ENDPOINT": HOST}, ""),
    ({"OSS_HOST": HOST}, ""),
    ({"ALLOWED_ORIGINS": "https://m.example.com,http://old.example.com"}, "http://old.example.com"),
    ({"GREEN_ENDPOINT": "https://green-cip.ap-southeast-1.aliyuncs.com"}, "GREEN_ENDPOINT"),
    ({"GREEN_ENDPOINT": "https://green-cip-vpc.cn-hangzhou.aliyuncs.com"}, ""),
    ({"GREEN_ENDPOINT": "https://moderation.example.com"}, ""),
    ({"SIGN_PART_LENGTH": "false"}, "SIGN_PART_LENGTH"),
    ({"QUOTA_URL": "memory:"}, "QUOTA_URL"),
])  # fmt: skip
def test_a_setting_that_is_rarely_meant_is_doubted(changed, named):
    hints = in_english(doubtful_settings({"OSS_REGION": "cn-hangzhou", **changed}))
    assert [named in hint for hint in hints] == [True] * bool(named)


@pytest.mark.parametrize(("host", "more", "said"), [
    (THERE.replace("shanghai", "beijing"), IN_SHANGHAI, ["region is cn-shanghai"]),
    (HOST, IN_SHANGHAI, ["bucket is my-contracts"]),
    (THERE, "", ["my-contracts", "bucket is photos-of-users"]),
    (THERE, IN_SHANGHAI, None),
    ("https://files.example.com", IN_SHANGHAI, None),
    ("", IN_SHANGHAI, None),
    ("", f'{IN_SHANGHAI}role = "{OWN_ROLE}"\n', [f"[contract] role = {OWN_ROLE}: "]),
    ("", f'{IN_SHANGHAI}role = "{OWN_ROLE[:-1]}"\n', None),
])  # fmt: skip
def test_a_wrong_host_or_role_is_a_problem_of_the_profiles(tmp_path, host, more, said):
    file = tmp_path / "own.toml"
    file.write_text(CONTRACT + more + (f'host = "{host}"\n' if host else ""), "utf-8")
    variables = {**CONFIGURED, "PROFILES_FILE": str(file)}
    props = {"region": "cn-hangzhou", "environmentVariables": variables, "role": OWN_ROLE}
    document = {"resources": {"upload": {"props": props}}}
    found = list(setting_problems(document, ("resources", "upload", "props")))
    assert [problem.place for problem in found] == [("profiles.toml",)] * bool(said)
    for sentence in in_english(problem.sentence for problem in found):
        assert all(piece in sentence for piece in [f"[contract] host = {host}: " if host else "", *said])


@pytest.mark.parametrize(
    ("name", "value"), [("TOKEN_SECRET", ""), ("STS_ROLE_ARN", "wrong"), ("CALLER_RATE", "60")]
)
def test_a_setting_is_wrong_where_its_value_comes_from(project, name, value):
    given = {**CONFIGURED, name: value}
    write_env(project, given)
    (problem,) = check(project / "s.yaml", {}).problems
    assert problem.startswith(f".env:{1 + list(given).index(name)}: {name} ")
    (project / ".env").unlink()
    (problem,) = check(project / "s.yaml", given).problems
    assert problem.startswith(f"{'environment' if value else '.env'}: {name} ")


def test_a_misspelt_name_in_the_env_file_is_a_hint(project):
    given = {
        **CONFIGURED,
        "CALLER_RATES": "5/min",
        "AccountID": "1234567890123456",
        "HTTPS_PROXY": "http://x",
    }
    write_env(project, given)
    [hint] = [hint for hint in check(project / "s.yaml", {}).hints if ".env:" in hint]
    line = list(given).index("CALLER_RATES") + 1
    assert hint.startswith(f".env:{line}: CALLER_RATES ") and "CALLER_RATE?" in hint


def test_a_dollar_sign_in_the_env_file_or_exported_over_it_is_refused(project):
    write_env(project, {"TOKEN_SECRET": f"{'t' * 20}$HOME{'t' * 20}", "WECHAT_SECRET": "abc"})
    report = check(project / "s.yaml", {**CONFIGURED, "WECHAT_SECRET": "pa$word", "JWT_ISSUER": "a$b"})
    dollars = [problem for problem in report.problems if "$" in problem]
    assert [problem.partition(" ")[0] for problem in dollars] == [".env:1:", ".env:2:"]
    assert not any("word" in problem or "tttt" in problem for problem in report.problems)


def test_every_problem_is_listed_at_once_and_the_status_is_1(project, capsys, monkeypatch):
    text = (project / "s.yaml").read_text("utf-8")
    text = text.replace("memorySize: 512", "memorySize: 500").replace("timeout: 30 #", "timeout: 3 #")
    (project / "s.yaml").write_text(text.replace("edition: 3.0.0", "edition: 1.0.0"), "utf-8")
    for name, value in CONFIGURED.items():
        monkeypatch.setenv(name, value)
    assert run(arguments(project / "s.yaml")) == 1
    said = capsys.readouterr()
    assert said.err.count("error: ") == 3 and said.err.endswith("\n3 problems\n")
    assert not any(CONFIGURED[name] in said.out + said.err for name in ("WECHAT_SECRET", "TOKEN_SECRET"))


@pytest.mark.parametrize("variable", ["HOME", "serverless_devs_config_home"])
@pytest.mark.parametrize("text", ["default:\n  AccountID: x\n", "", "- a", "{"])
def test_a_key_pair_that_the_tool_keeps_is_enough_where_s_yaml_names_it(tmp_path, variable, text):
    (tmp_path / ".s").mkdir()
    kept = {variable: str(tmp_path)}
    # The tool reads the second name where the first is not there.
    for name in ("access.yml", "access.yaml"):
        (tmp_path / ".s" / name).write_text(text, "utf-8")
        assert missing_keys(kept, "default") == ([] if "AccountID" in text else list(KEY_NAMES))
        assert missing_keys(kept, "other") == list(KEY_NAMES)


def test_a_deployment_without_keys_is_refused_before_the_tool_is_started(project):
    def named(**more):
        return [each for each in check(project / "s.yaml", {}, **more).problems if "AccountID" in each]

    [problem] = named(for_deploy=True)
    assert problem.startswith("environment: AccountID, AccessKeyID, AccessKeySecret ")
    assert named() == []
    write_env(project, CLOUD_KEYS)
    assert named(for_deploy=True) == []


def test_an_access_key_id_in_the_place_of_its_secret_is_named():
    [(name, _)] = wrong_values({"AccessKeyID": "s" * 30, "AccessKeySecret": "LTAI5tOfSomebody"})
    assert name == "AccessKeySecret"
