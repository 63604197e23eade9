"""Settings that ``check-deploy`` refuses or doubts before a phone finds out."""

from pathlib import Path

import pytest

from function.app import load_settings
from function.config.settings import Settings
from ops.deploy.rules import setting_problems
from ops.deploy.s_yaml import Problem
from ops.deploy.setting_rules import doubtful_settings, unusable_hosts
from tests.ops.deploy.project import CONFIGURED, REFUSED, check
from tests.ops.words import in_english

HOST = "https://photos-of-users.oss-cn-hangzhou.aliyuncs.com"


@pytest.mark.parametrize(("name", "value", "said"), REFUSED["settings"]["cases"])
def test_refuses_a_setting_that_no_phone_could_use(project: Path, name: str, value: str, said: str) -> None:
    (problem,) = check(project / "s.yaml", {**CONFIGURED, name: value}).problems
    assert problem.startswith(f"environment: {name} = {value}: ")
    assert said in problem


@pytest.mark.parametrize(
    "host",
    ["", HOST, HOST.replace("oss-cn-hangzhou", "oss-accelerate"), "https://img.example.com", HOST + "/"],
)
def test_takes_a_host_that_phones_reach(project: Path, host: str) -> None:
    problems = check(project / "s.yaml", {**CONFIGURED, "OSS_HOST": host}).problems
    assert not any("OSS_HOST = " in problem and "leave it empty" in problem for problem in problems)


@pytest.mark.parametrize("host", ["", HOST, HOST.replace(".aliyuncs", "-internal.aliyuncs")])
def test_the_function_may_ask_oss_from_inside(project: Path, host: str) -> None:
    assert check(project / "s.yaml", {**CONFIGURED, "OSS_ENDPOINT": host}).problems == []


@pytest.mark.parametrize(
    ("host", "endpoint", "is_doubted"),
    [
        ("oss-accelerate", "", True),
        ("oss-accelerate-overseas", "", True),
        ("oss-accelerate", HOST.replace(".aliyuncs", "-internal.aliyuncs"), False),
        ("oss-cn-hangzhou", "", False),
        ("oss-accelerated", "", False),
    ],
)
def test_own_calls_over_the_acceleration_address_are_doubted(
    host: str, endpoint: str, is_doubted: bool
) -> None:
    origin = HOST.replace("oss-cn-hangzhou", host)
    hints = in_english(doubtful_settings({"OSS_HOST": origin, "OSS_ENDPOINT": endpoint}))
    assert ["OSS_ENDPOINT" in hint for hint in hints] == [True] * is_doubted


def test_an_origin_without_https_is_doubted(project: Path) -> None:
    origins = "https://m.example.com, http://old.example.com"
    hints = check(project / "s.yaml", {**CONFIGURED, "ALLOWED_ORIGINS": origins.replace(" ", "")}).hints
    [hint] = [hint for hint in hints if "ALLOWED_ORIGINS" in hint]
    assert "http://old.example.com" in hint and "https://m" not in hint


@pytest.mark.parametrize(
    ("endpoint", "is_doubted"),
    [
        ("", False),
        ("https://green-cip.cn-hangzhou.aliyuncs.com", False),
        ("https://green-cip-vpc.cn-hangzhou.aliyuncs.com", False),
        ("https://green-cip.ap-southeast-1.aliyuncs.com", True),
        ("https://moderation.example.com", False),
    ],
)
def test_a_checker_in_another_region_is_doubted(endpoint: str, is_doubted: bool) -> None:
    variables = {"OSS_REGION": "cn-hangzhou", "GREEN_ENDPOINT": endpoint}
    hints = in_english(doubtful_settings(variables))
    assert ["GREEN_ENDPOINT" in hint for hint in hints] == [True] * is_doubted


THERE = "https://my-contracts.oss-cn-shanghai.aliyuncs.com"
CONTRACT = """
[contract]
key = "contracts/{owner}/{id}{ext}"
max_size = 9
content_types = ["image/png"]
bucket = "my-contracts"
region = "cn-shanghai"
"""


@pytest.fixture
def settings_with(tmp_path: Path):
    def read(host: str, profile: str = CONTRACT) -> Settings:
        file = tmp_path / "own.toml"
        file.write_text(f'{profile}host = "{host}"\n' if host else profile, "utf-8")
        return load_settings({**CONFIGURED, "OSS_REGION": "cn-hangzhou", "PROFILES_FILE": str(file)})

    return read


@pytest.mark.parametrize(
    ("host", "said"),
    [
        (THERE.replace(".aliyuncs", "-internal.aliyuncs"), ""),
        (THERE.replace("shanghai", "beijing"), "region is cn-shanghai"),
        (HOST, "bucket is my-contracts"),
        ("http://127.0.0.1:9006", ""),
    ],
)
def test_refuses_a_host_of_a_profile_that_no_phone_could_use(settings_with, host: str, said: str) -> None:
    (problem,) = in_english(unusable_hosts(settings_with(host)))
    assert problem.startswith(f"[contract] host = {host}: ") and said in problem


@pytest.mark.parametrize("host", ["", THERE, "https://files.example.com"])
def test_takes_a_host_of_a_profile_that_phones_reach(settings_with, host: str) -> None:
    assert list(unusable_hosts(settings_with(host))) == []


def test_a_host_alone_is_of_the_deployment_s_bucket(settings_with) -> None:
    alone = CONTRACT.partition("bucket =")[0]
    (problem,) = in_english(unusable_hosts(settings_with(THERE, alone)))
    assert "my-contracts" in problem and "photos-of-users" in problem


def problems_of(folder: Path, **more: str) -> list[Problem]:
    variables = {**CONFIGURED, "PROFILES_FILE": str(folder / "own.toml")}
    props = {"region": "cn-hangzhou", "environmentVariables": variables, **more}
    return list(
        setting_problems({"resources": {"upload": {"props": props}}}, ("resources", "upload", "props"))
    )


def test_an_insecure_profile_host_is_a_problem_of_the_file(settings_with, tmp_path: Path) -> None:
    settings_with("http://127.0.0.1:9006")
    (problem,) = problems_of(tmp_path)
    assert problem.place == ("profiles.toml",)
    assert "[contract] host = http://127.0.0.1:9006" in problem.sentence.en


OWN_ROLE = "acs:ram::1000000000000001:role/oss-direct-upload-function"


def test_the_role_that_the_function_runs_as_is_not_the_one_it_takes(project: Path) -> None:
    given = {**CONFIGURED, "STS_ROLE_ARN": OWN_ROLE, "AccountID": "1000000000000001"}
    (problem,) = check(project / "s.yaml", given).problems
    assert problem.startswith(f"environment: STS_ROLE_ARN = {OWN_ROLE}: ")


def test_the_function_role_cannot_be_a_profile_s_role(settings_with, tmp_path: Path) -> None:
    settings_with("", f'{CONTRACT}role = "{OWN_ROLE}"\n')
    (problem,) = problems_of(tmp_path, role=OWN_ROLE)
    assert problem.place == ("profiles.toml",)
    assert in_english([problem.sentence])[0].startswith(f"[contract] role = {OWN_ROLE}: ")
    assert problems_of(tmp_path, role=OWN_ROLE.replace("function", "other")) == []


def test_an_address_that_takes_parts_of_any_length_is_doubted():
    (doubt,) = in_english(doubtful_settings({"SIGN_PART_LENGTH": "false"}))
    assert doubt.startswith("SIGN_PART_LENGTH = false: ")
    assert list(doubtful_settings({"SIGN_PART_LENGTH": "true"})) == list(doubtful_settings({})) == []
