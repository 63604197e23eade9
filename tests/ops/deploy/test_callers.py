"""callers: several callers in the files of a deployment, and the room that their secrets have."""

import shutil

import pytest

from ops.deploy.callers import caller_called
from ops.deploy.own_blocks import with_own_blocks
from ops.deploy.rules import MAX_ENVIRONMENT_BYTES
from ops.deploy.s_yaml import environment, functions, read_s_yaml
from ops.deploy.schema_check import is_secret
from ops.terminal.language import Failure
from tests.ops.deploy.project import CONFIGURED, ROOT, check, replace

CALLER = """
[app{n}]
kind = "wechat"
appid = "wx{n:016x}"
secret = "env:APP{n}_SECRET"
push_token = "env:APP{n}_TOKEN"
push_aes_key = "env:APP{n}_AES_KEY"
"""
SEVERAL = {**CONFIGURED, "CALLER_AUTH": "several", "WECHAT_APPID": "", "WECHAT_SECRET": ""}


def environment_of(file):
    """The variables of the one function, as written."""
    ((_, props),) = functions(read_s_yaml(file).content)
    return environment(props)


@pytest.fixture
def several(project, monkeypatch):
    """A project with as many WeChat AppIDs as it is told, and its ``.env``."""
    monkeypatch.setattr("function.config.settings.DEFAULT_PROFILES_FILE", project / "profiles.toml")
    shutil.copyfile(ROOT / "profiles.example.toml", project / "profiles.toml")

    def having(count):
        callers = "".join(CALLER.format(n=number) for number in range(1, count + 1))
        (project / "callers.toml").write_text(callers, "utf-8")
        secrets = {"SECRET": "5" * 32, "TOKEN": "t" * 32, "AES_KEY": "k" * 43}
        each = {f"APP{n}_{name}": secret for n in range(1, count + 1) for name, secret in secrets.items()}
        return project / "s.yaml", {**SEVERAL, **each}

    return having


@pytest.mark.parametrize(("settings", "name", "found"), [
    ({"CALLER_AUTH": "wechat", "WECHAT_APPID": "wx9"}, "", ("wechat:wx9", "")),
    ({"CALLER_AUTH": "wechat", "WECHAT_APPID": "wx9"}, "wechat:wx9", ("wechat:wx9", "")),
    ({"CALLER_AUTH": "wechat", "WECHAT_APPID": "wx9"}, "douyin:tt1", ("douyin:tt1", "douyin:tt1")),
    ({"CALLER_AUTH": "jwt"}, "", ("jwt:", "")),
    ({"CALLER_AUTH": "several"}, "app2", ("wechat:wx0000000000000002",) * 2),
    ({"CALLER_AUTH": "several"}, "wechat:wx0000000000000002", ("wechat:wx0000000000000002",) * 2),
    ({"CALLER_AUTH": "several"}, "wechat:wxgone", ("wechat:wxgone",) * 2),
    ({"CALLER_AUTH": "several"}, "app3", None),
    ({"CALLER_AUTH": "several"}, "", None),
])  # fmt: skip
def test_a_caller_is_found_by_its_name_or_id_also_after_its_entry_went(several, settings, name, found):
    file, _ = several(2)
    if found is None:
        with pytest.raises(Failure, match="app2, wechat:wx0000000000000001"):
            caller_called(name, settings)
        return
    assert caller_called(name, settings) == found
    if name == "app2":
        with (file.parent / "callers.toml").open("a") as callers:
            callers.write('owners = "unnamed"\n')
        assert caller_called("", settings) == (found[0], "")


def test_variables_of_callers_are_handed_over_as_secrets(several):
    file, environ = several(2)
    variables = environment_of(with_own_blocks(file, environ))
    assert variables["APP2_AES_KEY"] == "${env('APP2_AES_KEY')}" and is_secret("APP2_AES_KEY")
    (file.parent / "callers.toml").unlink()
    assert not is_secret("APP2_AES_KEY")


@pytest.mark.parametrize(("written", "instead", "environ", "said"), [
    ("", None, {}, [" is not there: docs/callers.md"]),
    ('"env:APP1_SECRET"', '"literal"', {}, [" [app1]: secret "]),
    ("env:APP2_SECRET", "env:literal", {}, [" [app2]: secret: "]),
    ("wx0000000000000002", "wx0000000000000001", {}, [" [app2]: "]),
    ('push_aes_key = "env:APP1_AES_KEY"\n', "", {}, ["push_aes_key", "push_token"]),
    ("env:APP1_SECRET", "env:APP1-SECRET", {}, ["secret"]),
    ("wx0000000000000001", "5" * 32, {"APP1_SECRET": "wx0000000000000001"}, ["[app1]", "appid", "secret"]),
], ids=[
    "no file", "a secret", "no such variable", "twice", "half a push", "no name of a variable", "swapped",
])  # fmt: skip
def test_a_fault_of_callers_is_named_once_in_their_file_by_its_keys(several, written, instead, environ, said):
    file, given = several(2)
    callers = file.with_name("callers.toml")
    if instead is None:
        callers.unlink()
    else:
        replace(callers, written, instead)
    environ = {**given, **environ}
    (problem,) = check(with_own_blocks(file, environ), environ).problems
    assert problem.startswith("callers.toml") and all(each in problem for each in said)
    assert "literal" not in problem and "WECHAT" not in problem


def test_the_line_that_hands_over_no_secret_is_named(several):
    file, environ = several(1)
    lacking = {name: value for name, value in environ.items() if name != "APP1_TOKEN"}
    (problem,) = check(with_own_blocks(file, lacking), lacking).problems
    assert problem.startswith(".env: APP1_TOKEN ") and "callers.toml" in problem and "s.own" not in problem
    # An own s.yaml of several functions hands over nothing by itself.
    problems = check(file, environ).problems
    assert len(problems) == 3 and any("APP1_TOKEN: ${env('APP1_TOKEN')}" in each for each in problems)


@pytest.mark.parametrize(
    ("mounted", "count"), [(None, 1), ("/mnt/other", 1), ("/mnt/keys", 0), ("/mnt/keys/", 0)]
)
def test_a_file_on_a_mounted_nas_need_not_be_on_this_machine(several, mounted, count):
    file, environ = several(1)
    replace(file.with_name("callers.toml"), "env:APP1_SECRET", "file:/mnt/keys/app1")
    if mounted:
        point = f"[{{serverAddr: 'a.cn-hangzhou.nas.aliyuncs.com:/', mountDir: {mounted}}}]"
        block = f"      nasConfig: {{userId: 0, groupId: 0, mountPoints: {point}}}\n"
        replace(file, "      cpu: ", f"{block}      cpu: ")
    assert len(check(with_own_blocks(file, environ), environ).problems) == count


@pytest.mark.parametrize(("count", "fit"), [(15, True), (16, True), (30, False)])
def test_fifteen_callers_are_deployed_and_their_secrets_fit_into_the_environment(several, count, fit):
    file, environ = several(count)
    problems = check(with_own_blocks(file, environ), environ).problems
    assert [str(MAX_ENVIRONMENT_BYTES) in each and "file:" in each for each in problems] == [True] * (not fit)
