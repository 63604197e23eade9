"""``check-deploy``: what is configured, where a mistake is, and how it ends."""

import re
import shutil
from pathlib import Path

import pytest

from ops.deploy.check_deploy import run
from ops.deploy.rules import setting_problems
from tests.ops.deploy.project import CLOUD_KEYS, CONFIGURED, ROOT, TOKEN_SECRET, arguments, check


def test_a_profile_that_the_function_would_refuse_is_named(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = (ROOT / "profiles.example.toml").read_text("utf-8").replace('"10MiB"', '"10M"')
    (project / "profiles.toml").write_text(broken, "utf-8")
    monkeypatch.setattr("function.config.settings.DEFAULT_PROFILES_FILE", project / "profiles.toml")
    (problem,) = check(project / "s.yaml", CONFIGURED).problems
    line = 1 + broken.splitlines().index('max_size = "10M"')
    assert problem.startswith(f"profiles.toml:{line} [default]: max_size")


def test_accepts_the_file_that_ships_once_it_is_configured(project: Path) -> None:
    report = check(project / "s.yaml", {**CONFIGURED, **CLOUD_KEYS}, for_deploy=True)
    assert report.problems == []


def test_a_fresh_clone_names_what_must_be_set(project: Path) -> None:
    problems = "\n".join(check(project / "s.yaml", {}).problems)
    assert all(f".env: {name} " in problems for name in ("OSS_BUCKET", "STS_ROLE_ARN", "CALLER_AUTH"))
    assert re.search(r"^\.env: STS_ROLE_ARN .*`manage\.py setup`", problems, re.M)


def test_refuses_an_example_that_was_copied_and_not_filled_in(project: Path) -> None:
    shutil.copyfile(project / ".env.example", project / ".env")
    problems = check(project / "s.yaml", {}).problems
    for name in ("OSS_BUCKET", "STS_ROLE_ARN", "WECHAT_SECRET"):
        assert any(name in problem for problem in problems)
    assert not any("environment" in problem for problem in problems)


@pytest.mark.parametrize(
    ("name", "value"), [("TOKEN_SECRET", ""), ("STS_ROLE_ARN", "wrong"), ("CALLER_RATE", "60")]
)
def test_a_setting_is_wrong_where_its_value_comes_from(project: Path, name: str, value: str) -> None:
    given = {**CONFIGURED, name: value}
    (project / ".env").write_text("".join(f"{one}={given[one]}\n" for one in given), "utf-8")
    (problem,) = check(project / "s.yaml", {}).problems
    at = f".env:{1 + list(given).index(name)}"
    assert problem.startswith(f"{at}: {name} ")
    (project / ".env").unlink()
    (problem,) = check(project / "s.yaml", given).problems
    assert problem.startswith(f"{'environment' if value else '.env'}: {name} ")


@pytest.mark.parametrize(
    ("slip", "place"),
    [
        ({"OSS_REGION": "oss-cn-hangzhou"}, ".env:7: OSS_REGION"),
        ({"OSS_BUCKET": None}, ".env: OSS_BUCKET"),
        (
            {"WECHAT_APPID": CONFIGURED["WECHAT_SECRET"], "WECHAT_SECRET": CONFIGURED["WECHAT_APPID"]},
            ".env:4: WECHAT_APPID",
        ),
        ({"WECHAT_SECRET": "0123456789abcdef"}, ".env:5: WECHAT_SECRET"),
        ({"CALLER_AUTH": "anonymous"}, "profiles.toml:3 [a], profiles.toml:8 [b]: read"),
    ],
)
def test_one_slip_is_one_problem_at_the_line_to_change(
    project: Path, monkeypatch: pytest.MonkeyPatch, slip: dict[str, str | None], place: str
) -> None:
    profile = (
        '[{}]\nkey = "{}/{{owner}}/{{id}}"\nread = "owner"\nmax_size = "1MiB"\ncontent_types = ["image/*"]\n'
    )
    (project / "profiles.toml").write_text(profile.format("a", "a") + profile.format("b", "b"), "utf-8")
    monkeypatch.setattr("function.config.settings.DEFAULT_PROFILES_FILE", project / "profiles.toml")
    given = {name: value for name, value in {**CONFIGURED, **slip}.items() if value}
    (project / ".env").write_text("".join(f"{name}={value}\n" for name, value in given.items()), "utf-8")
    (problem,) = check(project / "s.yaml", {}).problems
    assert problem.startswith(place)


def test_a_misspelt_name_in_the_env_file_is_a_hint(project: Path) -> None:
    others = {"AccountID": "1234567890123456", "HTTPS_PROXY": "http://x"}
    given = {**CONFIGURED, "CALLER_RATES": "5/min", **others}
    (project / ".env").write_text("".join(f"{one}={given[one]}\n" for one in given), "utf-8")
    report = check(project / "s.yaml", {})
    line = list(given).index("CALLER_RATES") + 1
    [hint] = [hint for hint in report.hints if ".env:" in hint]
    assert hint.startswith(f".env:{line}: CALLER_RATES ") and "CALLER_RATE?" in hint


def test_a_dollar_sign_in_the_env_file_or_exported_over_it_is_refused(project: Path) -> None:
    (project / ".env").write_text(f"TOKEN_SECRET={'t' * 20}$HOME{'t' * 20}\nWECHAT_SECRET=abc\n", "utf-8")
    report = check(project / "s.yaml", {**CONFIGURED, "WECHAT_SECRET": "pa$word", "JWT_ISSUER": "a$b"})
    dollars = [problem for problem in report.problems if "$" in problem]
    assert [problem.partition(" ")[0] for problem in dollars] == [".env:1:", ".env:2:"]
    assert not any("word" in problem or "tttt" in problem for problem in report.problems)


def test_a_half_filled_env_file_is_refused_for_its_missing_settings(project: Path) -> None:
    (project / ".env").write_text(
        "OSS_BUCKET=photos\nCALLER_AUTH=wechat\nWECHAT_APPID=wx0123456789abcdef\n", "utf-8"
    )
    problems = check(project / "s.yaml", {}).problems
    assert len(problems) == 3
    missing = ("STS_ROLE_ARN", "TOKEN_SECRET", "WECHAT_SECRET")
    assert all(any(name in problem for problem in problems) for name in missing)


def test_lists_every_problem_at_once_and_exits_with_1(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (project / "s.yaml").read_text("utf-8")
    text = text.replace("memorySize: 512", "memorySize: 500").replace("timeout: 30 #", "timeout: 3 #")
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


def test_a_missing_build_is_a_hint_and_no_problem(project: Path) -> None:
    report = check(project / "s.yaml", CONFIGURED)
    assert report.problems == []
    assert any("./build/function" in hint for hint in report.hints)
    (project / "build/function").mkdir(parents=True)
    (project / "build/function/handler.py").touch()
    assert not any("./build/function" in hint for hint in check(project / "s.yaml", CONFIGURED).hints)


def test_a_setting_refused_by_the_function_is_reported_at_its_place() -> None:
    props = {"region": "cn-hangzhou", "environmentVariables": {**CONFIGURED, "TOKEN_SECRET": "short"}}
    document = {"resources": {"upload": {"props": props}}}
    places = [p.place for p in setting_problems(document, ("resources", "upload", "props"))]
    assert ("resources", "upload", "props", "environmentVariables", "TOKEN_SECRET") in places
