"""Settings that ``check-deploy`` refuses or doubts before a phone finds out."""

import shutil
from pathlib import Path

import pytest

from ops.deploy.setting_rules import doubtful_settings
from tests.ops.deploy.project import CONFIGURED, check
from tests.ops.words import in_english

HOST = "https://photos-of-users.oss-cn-hangzhou.aliyuncs.com"


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("OSS_HOST", HOST.replace(".aliyuncs", "-internal.aliyuncs"), "no phone reaches"),
        ("OSS_HOST", HOST.replace("oss-", "vpc100-oss-"), "no phone reaches"),
        ("OSS_HOST", HOST.replace("hangzhou", "beijing"), "is in cn-beijing, and OSS_REGION is cn-hangzhou"),
        ("OSS_HOST", HOST.replace("photos-of-users.", ""), "lacks the bucket in front"),
        ("OSS_HOST", HOST.replace("photos-of-users", "others"), "is the address of bucket others"),
        ("OSS_HOST", "http://127.0.0.1:9002", "is this machine"),
        ("READ_ORIGIN", HOST.replace(".aliyuncs", "-internal.aliyuncs"), "no phone reaches"),
        ("READ_ORIGIN", "http://127.0.0.1:9002", "is this machine; a phone goes there"),
        ("READ_ORIGIN", HOST.replace("photos-of-users", "others"), "is the address of bucket others"),
        ("OSS_ENDPOINT", "http://127.0.0.1:9002", "is this machine; OSS is elsewhere"),
        ("OSS_ENDPOINT", HOST.replace("photos-of-users.", ""), "lacks the bucket in front"),
        ("OSS_ENDPOINT", HOST.replace("hangzhou", "beijing"), "is in cn-beijing"),
        ("WECHAT_APPID", "touristappid", "is no AppID"),
    ],
)
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


def test_an_origin_without_https_is_doubted(project: Path) -> None:
    origins = "https://m.example.com, http://old.example.com"
    hints = check(project / "s.yaml", {**CONFIGURED, "ALLOWED_ORIGINS": origins.replace(" ", "")}).hints
    [hint] = [hint for hint in hints if "ALLOWED_ORIGINS" in hint]
    assert "http://old.example.com" in hint and "https://m" not in hint


def test_what_the_operator_set_is_checked_while_values_of_the_example_stand(project: Path) -> None:
    shutil.copyfile(project / ".env.example", project / ".env")
    with (project / ".env").open("a", encoding="utf-8") as file:
        file.write("CALLER_RATE=sixty\nOSS_HOST=http://localhost:9000\n")
    problems = check(project / "s.yaml", {"WECHAT_APPID": "touristappid"}).problems
    assert [problem.split(" = ")[0] for problem in problems] == [
        ".env: OSS_HOST",
        "environment: WECHAT_APPID",
        ".env: CALLER_RATE",
    ]


def test_an_address_that_takes_parts_of_any_length_is_doubted():
    (doubt,) = in_english(doubtful_settings({"SIGN_PART_LENGTH": "false"}))
    assert doubt.startswith("SIGN_PART_LENGTH = false: the address of a part takes any length")
    assert list(doubtful_settings({"SIGN_PART_LENGTH": "true"})) == list(doubtful_settings({})) == []
