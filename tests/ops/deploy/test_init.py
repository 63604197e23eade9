"""``manage.py init``: the files that it writes, and what it refuses."""

import argparse
import json
import stat
from itertools import chain, combinations
from pathlib import Path

import pytest

from function.app import load_settings
from function.config.profiles import read_profiles
from manage import main
from ops.deploy import init
from ops.deploy.env_file import parse_env
from ops.deploy.features import FEATURES
from ops.deploy.new_files import (
    CALLER_KINDS,
    NEEDED_CALLERS,
    Answers,
    callers_text,
    env_text,
    profiles_text,
)
from tests.ops.deploy.project import CONFIGURED
from tests.ops.words import chinese_in, english_in

ROOT = Path(__file__).parents[3]
VECTORS = json.loads((ROOT / "tests/vectors/alipay.json").read_text("utf-8"))
APP, SECRET = "wx0123456789abcdef", "0123456789abcdef" * 2
# No file depends on more than three of them at once.
SUBSETS = [*chain.from_iterable(combinations(FEATURES, count) for count in range(4)), (*FEATURES,)]
# What init leaves to the commands that it names.
LATER = {
    "STS_ROLE_ARN": "acs:ram::1234567890123456:role/r",
    "QUOTA_URL": "memory:",
    "JWT_KEY": "k" * 32,
    "DOUYIN_APPID": "tt1",
    "DOUYIN_SECRET": "s",
    "ALIPAY_APP_ID": "2021",
    "ALIPAY_KEY": VECTORS["app_private_key"],
    "ALIPAY_PUBLIC_KEY": VECTORS["alipay_public_key"],
}
FOR_ALL = {"quota", "ai-label"}
CODE = "001191330100MA0000000X20001"
ANSWERED = ["my-bucket", "cn-hangzhou", APP]
GIVEN = ["--yes", "--bucket", "my-bucket", "--region", "cn-hangzhou", "--appid", APP]


def run(folder, *options, environ=None, answers=(), lang="en"):
    """Return the exit code; ``answers`` are typed one after the other, and then nobody answers."""
    typed = iter(answers)

    def typing(_question):
        try:
            return next(typed)
        except StopIteration:
            raise EOFError from None

    parser = argparse.ArgumentParser()
    init.add_arguments(parser)
    environ = {"WECHAT_SECRET": SECRET} if environ is None else environ
    asking = init.Asking(folder, environ, line=typing, secret=typing)
    return init.run(parser.parse_args([*options, "--lang", lang]), asking)


def written(folder):
    return sorted(path.name for path in folder.iterdir())


def env_of(folder):
    return parse_env((folder / ".env").read_text("utf-8"))


@pytest.mark.parametrize("caller_auth", CALLER_KINDS)
def test_the_files_of_every_choice_are_what_the_function_takes(caller_auth):
    app = APP if caller_auth in ("wechat", "several") else ""
    for features in SUBSETS:
        answers = Answers("my-bucket", "cn-hangzhou", caller_auth, app, SECRET, features)
        env = parse_env(env_text(answers, "zh"))
        assert env.problems == ()
        settings = {name: value or LATER.get(name, "") for name, value in env.values.items()}
        for language in ("en", "zh"):
            text = profiles_text(answers, language)
            texts = {"profiles.toml": text, "callers.toml": callers_text(answers, language)}
            profiles = load_settings(settings, lambda path, texts=texts: texts[path.name]).profiles
        wanted = {FEATURES[name].profile for name in {*features} - FOR_ALL} or {"default"}
        assert set(profiles) == wanted
        for name in {*features} - FOR_ALL:
            profile = profiles[FEATURES[name].profile]
            for option in FEATURES[name].options:
                expected = caller_auth in NEEDED_CALLERS.get(option, CALLER_KINDS)
                assert bool(getattr(profile, option)) is expected
            seen = profile.read == "callers" and "check" in features
            assert profile.is_checked is seen
            assert profile.is_checked_by_wechat is (seen and caller_auth == "wechat")
        assert {profile.has_quota for profile in profiles.values()} == {"quota" in features}
        has_labels = "ai-label" in features
        for profile in profiles.values():
            assert profile.ai_label is (has_labels or profile.name == "post")
            is_cleaned = has_labels and profile.is_held and "video/mp4" not in profile.content_types
            assert profile.strip is is_cleaned


@pytest.mark.parametrize(("region", "caller_auth", "checkers"), [
    ("cn-qingdao", "jwt", ["aliyun"]), ("ap-northeast-1", "jwt", []),
    ("ap-northeast-1", "wechat", ["wechat"]),
])  # fmt: skip
def test_pictures_are_checked_by_aliyun_only_where_they_stay_near(region, caller_auth, checkers):
    text = profiles_text(Answers("my-bucket", region, caller_auth, APP, SECRET, ("check",)), "en")
    profile = read_profiles(text, default_signature="v4")[0]["post"]
    assert [*(profile.check_by if profile.is_checked else ())] == checkers


def test_the_comments_are_in_the_language_of_the_reader():
    answers = Answers("b", "cn-hangzhou", "wechat", APP, SECRET, tuple(FEATURES))
    for strangers, language in ((chinese_in, "en"), (english_in, "zh")):
        for text in (env_text(answers, language), profiles_text(answers, language)):
            comments = [line.partition("# ")[2] for line in text.splitlines() if "# " in line]
            assert comments and [each for each in comments if strangers(each)] == []


def test_both_files_are_written_and_only_their_owner_reads_the_secrets(tmp_path, capsys):
    assert run(tmp_path, *GIVEN, "--features", "avatar,video") == 0
    assert written(tmp_path) == [".env", "profiles.toml"]
    assert stat.S_IMODE((tmp_path / ".env").stat().st_mode) == 0o600
    values = env_of(tmp_path).values
    assert (values["WECHAT_APPID"], values["WECHAT_SECRET"]) == (APP, SECRET)
    assert values["TOKEN_SECRET"] != values["RECEIPT_SECRET"] and len(values["TOKEN_SECRET"]) >= 43
    printed = "".join(capsys.readouterr())
    assert "make run" in printed and "cn-hongkong" in printed
    assert SECRET not in printed and values["TOKEN_SECRET"] not in printed


def test_each_project_has_its_own_secrets_and_the_mainland_alone_a_note_about_domains(tmp_path, capsys):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        assert run(tmp_path / name, *GIVEN, "--region", "cn-hongkong", "--features", "check", environ={}) == 0
    a, b = env_of(tmp_path / "a").values, env_of(tmp_path / "b").values
    generated = ("TOKEN_SECRET", "RECEIPT_SECRET", "WECHAT_PUSH_TOKEN", "WECHAT_PUSH_AES_KEY")
    assert not any(a[name] == b[name] for name in generated)
    assert a["WECHAT_SECRET"] == ""
    assert "ap-southeast-1" not in "".join(capsys.readouterr())


@pytest.mark.parametrize(("options", "secret", "names"), [
    (["--bucket", "My_Bucket"], SECRET, ["bucket"]),
    (["--bucket", ""], SECRET, ["--bucket"]),
    *(
        (["--region", each], SECRET, ["region", "cn-hangzhou"])
        for each in ("oss-cn-hangzhou", "cn-hangzou", "hangzhou")
    ),
    (["--region", "ap-southeast-2"], SECRET, ["region", "ap-southeast-"]),
    (["--region", "us-nowhere"], SECRET, ["region", "us-"]),
    (["--region", "xx-yyyy-9"], SECRET, ["region"]),
    (["--appid", "wx123"], SECRET, ["appid"]),
    (["--appid", ""], SECRET, ["--appid"]),
    (["--features", "avatar,all"], SECRET, ["features", "quota"]),
    (["--features", "ai-label", "--ai-label-code", "0011"], SECRET, ["AI_LABEL_CODE"]),
    ([], "short", ["WECHAT_SECRET"]),
    ([], APP, ["appid", "WECHAT_SECRET"]),
    (["--appid", SECRET], APP, ["appid", "WECHAT_SECRET"]),
])  # fmt: skip
def test_a_wrong_answer_is_refused_and_nothing_is_written(tmp_path, capsys, options, secret, names):
    environ = {"WECHAT_SECRET": secret}
    assert run(tmp_path, *GIVEN, "--features", "avatar", *options, environ=environ) == 1
    assert written(tmp_path) == []
    printed = capsys.readouterr().err
    assert printed.count("\n") == 1 and all(name in printed for name in names)


@pytest.mark.parametrize(("answers", "values", "profiles"), [
    (
        ["My_Bucket", "my-bucket", "hangzhou", "cn-hangzhou", SECRET, APP, APP, SECRET, "all", ""],
        ["my-bucket", "cn-hangzhou", APP, SECRET, None],
        {"avatar", "default"},
    ),
    ([*ANSWERED, "", "头像、先审后发，配额"], [*ANSWERED, "", None], {"avatar", "post"}),
    ([*ANSWERED, SECRET, "check、生成合成标识", "x", CODE], [*ANSWERED, SECRET, CODE], {"post"}),
    ([*ANSWERED, SECRET, "check、生成合成标识", ""], [*ANSWERED, SECRET, ""], {"post"}),
], ids=["wrong ones are asked again", "Chinese names, a secret for later", "a code", "no code"])  # fmt: skip
def test_answers_make_the_files(tmp_path, answers, values, profiles):
    assert run(tmp_path, environ={}, answers=answers) == 0
    env = env_of(tmp_path).values
    asked = ("OSS_BUCKET", "OSS_REGION", "WECHAT_APPID", "WECHAT_SECRET", "AI_LABEL_CODE")
    assert [env.get(name) for name in asked] == values
    text = (tmp_path / "profiles.toml").read_text("utf-8")
    read = read_profiles(text, default_signature="v4")[0]
    assert {*read} == profiles and ("files_per_day" in text) is ("配额" in answers[-1])
    if "AI_LABEL_CODE" in env:
        assert read["post"].strip and read["post"].ai_label


def test_no_question_about_a_mini_program_for_other_callers(tmp_path):
    assert run(tmp_path, "--caller-auth", "jwt", environ={}, answers=["b-1", "cn-hangzhou", "图片"]) == 0
    assert "WECHAT_APPID" not in env_of(tmp_path).values


def test_without_a_terminal_the_options_are_named(tmp_path, capsys):
    assert run(tmp_path, environ={}) == 1
    printed = capsys.readouterr().err
    assert all(f"--{name}" in printed for name in ("yes", "bucket", "region", "appid", "features"))
    assert written(tmp_path) == []


@pytest.mark.parametrize("name", [".env", "profiles.toml", "callers.toml"])
def test_a_file_that_is_there_stays_and_nothing_is_written(tmp_path, capsys, name):
    mine = (ROOT / "profiles.example.toml").read_text("utf-8")
    (tmp_path / name).write_text(mine)
    assert run(tmp_path, *GIVEN, "--features", "avatar") == 1
    assert written(tmp_path) == [name] and (tmp_path / name).read_text() == mine
    assert name in capsys.readouterr().err


def test_a_file_that_cannot_be_written_leaves_none(tmp_path, capsys):
    (tmp_path / "profiles.toml").symlink_to(tmp_path / "none" / "profiles.toml")
    assert run(tmp_path, *GIVEN, "--features", "avatar") == 1
    assert "profiles.toml" in capsys.readouterr().err and not (tmp_path / ".env").exists()


@pytest.mark.parametrize("command", [
    *("setup --dry-run", "setup --dry-run --json", "types", "package"),
    *("check-deploy {here}/s.yaml", "doctor --env-file {here}/.env", "erase --dry-run --owner o"),
])  # fmt: skip
def test_without_own_profiles_a_command_names_the_one_that_makes_them(command, project, monkeypatch, capsys):
    for name, value in CONFIGURED.items():
        monkeypatch.setenv(name, value)
    (project / "function").mkdir()
    for name in ("bytecode.py", "sts_credentials.py"):
        (project / name).touch()
    monkeypatch.setattr("ops.package.command.ROOT", project)
    monkeypatch.setattr("function.config.settings.DEFAULT_PROFILES_FILE", project / "profiles.toml")
    assert main(command.format(here=project).split()) != 0
    said = "".join(capsys.readouterr())
    assert "make init" in said and "profiles.example.toml" in said
    assert not (project / "build/function").exists()
