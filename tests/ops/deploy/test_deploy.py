"""``manage.py deploy`` and ``rollback``: versions, the alias, and no secret on the screen."""

import re
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from ops.deploy import deploy, rollback, target
from ops.deploy.cli import Cli, CliFailed, Filter, secret_pieces
from ops.deploy.cloud_keys import KEY_NAMES
from ops.terminal.screen import Screen
from tests.ops.deploy.control_plane import S_YAML, ControlPlane, Interrupted, run_in

# Printed by s 3.1.10 with the component beside it; real_tool.test.js runs the two themselves.
RECORDED = (Path(__file__).parent / "tool" / "recorded.txt").read_text("utf-8")
SECRET = "the-secret-of-today-0123456789abcdef"
# Prints what it is given, and remembers its arguments and the file it was told.
TOOL = """#!/bin/sh
echo "$1 | $serverless_devs_traceid" >> calls
for file; do :; done
cat "$file" > file
said=$1.txt code=$(cat code 2>/dev/null)
case " $* " in *" -o "*) said=raw.txt code=0 ;; esac
cat "$said" 2>/dev/null
exit "${code:-0}"
"""
BEGIN = "-----BEGIN PRIVATE KEY-----"
SECRETS = (SECRET, "the-secret-of-last-year", "line-of-the-old-key", "line-of-the-new-key", "old-private")


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A folder with a tool that prints what it is given and remembers its arguments."""
    (tmp_path / "s.yaml").write_text(S_YAML, "utf-8")
    (tmp_path / ".env").write_text(f"TOKEN_SECRET={SECRET}\n", "utf-8")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("serverless_devs_config_home", raising=False)
    for name in KEY_NAMES:
        monkeypatch.setenv(name, "1234567890123456")
    tool = tmp_path / "s"
    tool.write_text(TOOL, "utf-8")
    tool.chmod(0o755)
    return tmp_path


@pytest.fixture
def plane(project, monkeypatch):
    """Function Compute behind the tool."""
    plane = ControlPlane()
    monkeypatch.setattr(target, "Cli", lambda *_: plane)
    return plane


@pytest.fixture
def run(project):
    return partial(run_in, project)


@pytest.fixture
def cli(project):
    shown = Filter(secret_pieces({"TOKEN_SECRET": SECRET}))
    file = project / "s.yaml"
    return Cli(project / "s", file, file, project, "oss-direct-upload-1", shown, Screen())


@pytest.mark.parametrize("step", ["function", "publish", "alias", "rest"])
@pytest.mark.parametrize("is_first", [True, False])
def test_an_interrupted_deployment_is_completed_by_the_next(plane, run, step, is_first):
    if not is_first:
        run()
        plane.has_changed = True
    plane.dies_after = step
    with pytest.raises(Interrupted):
        run()
    assert run() == 0
    assert plane.live() == (("1", {}, "") if is_first else ("2", {}, "before: 1"))
    assert plane.versions == (["1"] if is_first else ["2", "1"])


@pytest.mark.parametrize(("option", "command", "named"), [
    *((f"--canary={each}", deploy, "CANARY") for each in ("0", "100", "-1", "1.5", "10%", "ten", "１")),
    *((f"--version={each}", rollback, "VERSION") for each in ("live", "v3", "-1", "１")),
])  # fmt: skip
def test_a_wrong_number_is_refused_before_anything_is_called(plane, run, capfd, option, command, named):
    assert run(option, command=command) == 2
    assert plane.calls == [] and named in capfd.readouterr().err


@pytest.mark.parametrize("is_there", [True, False])
def test_a_canary_of_a_first_deployment_changes_nothing(plane, run, is_there):
    plane.is_there = is_there
    assert run("--canary", "10") == 2
    assert plane.changes == []


@pytest.mark.parametrize("keeps_weights", [True, False])
@pytest.mark.parametrize(("command", "after"), [(deploy, ("2", {}, "before: 1")), (rollback, ("1", {}, ""))])
def test_a_canary_shares_and_ends(plane, run, keeps_weights, command, after):
    plane.keeps_weights = keeps_weights
    run()
    plane.has_changed = True
    assert run("--canary", "10") == 0
    assert plane.live() == ("1", {"2": 0.1}, "")
    assert run("--canary", "50") == 0
    assert plane.live() == ("1", {"2": 0.5}, "")
    assert run(command=command) == 0
    assert plane.live() == after


def test_a_canary_without_a_change_shares_nothing(plane, run):
    run()
    assert run("--canary", "10") == 0
    assert plane.live() == ("1", {}, "")


@pytest.mark.parametrize("step", ["read", "function", "publish", "alias"])
def test_a_step_that_fails_leaves_what_is_live(plane, run, step, capfd):
    run()
    plane.has_changed = True
    plane.failing[step] = CliFailed("version", 101, "AccessDenied", "AccessDenied: code: 403")
    assert run() == 101
    assert plane.live() == ("1", {}, "")
    assert "rest" not in plane.changes[4:]
    assert "403" in capfd.readouterr().err


def test_an_alias_that_does_not_move_is_a_failure(plane, run):
    run()
    plane.has_changed = plane.is_deaf = True
    assert run() == 2
    assert plane.changes[-1] == "alias"


def test_says_when_the_address_has_changed(plane, run, capfd):
    plane.is_there, plane.address = True, "https://latest.example"
    assert run() == 0
    assert "https://latest.example" in capfd.readouterr().out
    assert run() == 0
    assert "https://latest.example" not in capfd.readouterr().out


def test_a_trigger_that_stays_where_it_was_is_a_failure(plane, run, capfd):
    plane.is_there, plane.address, plane.keeps_qualifier = True, "https://latest.example", True
    assert run() == 2
    assert "LATEST" in capfd.readouterr().err


def test_rollbacks_go_back_one_by_one_and_a_number_goes_anywhere(plane, run, capfd):
    for _ in range(4):
        plane.has_changed = True
        run()
    plane.calls.clear()
    capfd.readouterr()
    for after in (("3", {}, "before: 2 1"), ("2", {}, "before: 1"), ("1", {}, "")):
        assert run(command=rollback) == 0
        assert plane.live() == after
        assert "secrets" in capfd.readouterr().out
    assert run(command=rollback) == 2
    assert run("--version", "3", command=rollback) == 0
    assert plane.live() == ("3", {}, "before: 1")
    assert run("--version", "9", command=rollback) == 2
    assert plane.live()[0] == "3"
    assert plane.changes == ["alias"] * 4


def test_a_list_of_versions_changes_nothing(plane, run, capfd):
    run()
    plane.has_changed = True
    run("--canary", "10")
    plane.calls.clear()
    capfd.readouterr()
    assert run("--list", command=rollback) == 0
    assert plane.changes == []
    live, *versions = capfd.readouterr().out.splitlines()
    assert "90 % version 1, 10 % version 2" in live
    assert [line.split() for line in versions] == [["2", "2026", "0.2.0"], ["1", "2026", "0.2.0"]]


@pytest.mark.parametrize(
    "said", ["getaddrinfo ENOTFOUND api.example", "read ECONNRESET", "write EPIPE", "Error: socket hang up"]
)
def test_a_tool_without_a_network_names_its_setting(said):
    assert "HTTPS_PROXY" in CliFailed("alias", 1, words=said).said.en


@pytest.mark.parametrize("command", [deploy, rollback])
def test_without_a_key_or_the_tool_nothing_is_called(project, run, capfd, monkeypatch, command):
    monkeypatch.delenv("AccessKeyID")
    assert run(command=command) == 2
    assert "AccessKeyID" in capfd.readouterr().err and not (project / "calls").exists()
    (project / "s").unlink()
    assert run(command=command) == 2
    assert "make node_modules/.ready" in capfd.readouterr().err


def test_a_file_that_cannot_be_read_is_named_with_the_reason(run, project, capfd):
    (project / "s.yaml").unlink()
    assert run() == 2
    said = capfd.readouterr().err
    assert "s.yaml" in said and target.SEVERAL.filled(file="s.yaml", count=0).en not in said


def test_a_rollback_before_any_deployment_is_refused(plane, run):
    assert run(command=rollback) == 2
    plane.failing["read"] = CliFailed("alias", 101, "AccessDenied")
    assert run(command=rollback) == 101


@pytest.mark.parametrize(
    "text", ["", "resources: {}\n", S_YAML + S_YAML[S_YAML.index("  upload") :].replace("upload", "more")]
)
def test_a_file_without_exactly_one_function_is_refused(plane, run, project, text):
    (project / "s.yaml").write_text(text, "utf-8")
    assert run() == 2
    assert plane.calls == []


def test_no_secret_of_now_or_before_is_shown(project, cli, capfd):
    (project / "deploy.txt").write_text(f"{RECORDED}\nResult for [deploy]\nresult\n", "utf-8")
    replace(cli, screen=Screen()).show("deploy")
    said = "".join(capfd.readouterr())
    assert all(secret in RECORDED for secret in SECRETS)
    assert [secret for secret in (*SECRETS, "result") if secret in said] == []
    for line in ("cpu: 0.35 => 0.5", "   OSS_BUCKET: old-bucket => photos", "   TOKEN_SECRET: (not shown)"):
        assert f"{line}\n" in said
    assert (project / "calls").read_text() == "deploy | oss-direct-upload-1\n"


def test_requests_about_versions_use_a_file_without_settings(run, project):
    (project / "raw.txt").write_text("[2026][WARN] x\n[]\n", "utf-8")
    assert run("--list", command=rollback) == 2
    written = (project / "file").read_text()
    assert "signs" in written and "timer" not in written and "TOKEN_SECRET" not in written


def test_a_step_without_an_answer_is_repeated_for_its_error(project, cli):
    (project / "raw.txt").write_text("✔ [upload] completed\n", "utf-8")
    (project / "alias.txt").write_text(
        f"Error Message:\nAliasNotFound: code: 404, {SECRET} does not exist\n\nEnv:\n", "utf-8"
    )
    (project / "code").write_text("101")
    with pytest.raises(CliFailed) as failed:
        cli.read("alias", "get")
    error = failed.value
    assert (error.exit_code, error.code) == (101, "AliasNotFound")
    assert "alias" in str(error) and "AliasNotFound: code: 404, (not shown) does not exist" in str(error)


def test_a_step_that_answers_nothing_and_names_no_error_fails(project, cli):
    with pytest.raises(CliFailed):
        cli.read("alias", "list")


@pytest.mark.parametrize(("lines", "shown"), [
    (["TOKEN_SECRET: old-one"], ["TOKEN_SECRET: (not shown)"]),
    (["\x1b[1mJWT_KEY: \x1b[22mold-one"], ["JWT_KEY: (not shown)"]),
    (
        ['environmentVariables: {"A":"b","OWNER_SECRET":"old-one \\" old-one"} => {"A":"c"}'],
        ['environmentVariables: {"A":"b","OWNER_SECRET": "(not shown)"} => {"A":"c"}'],
    ),
    (['{ "UPLOAD_WEBHOOK_URL" : "old-one" '], ['{ "UPLOAD_WEBHOOK_URL": "(not shown)" ']),
    # Each secret of a list, each line of a key, and what follows a key.
    (["x second-secret", "abcdefgh", "ijklmnop"], ["x (not shown)", *["(not shown)"] * 2]),
    ([f"a: {BEGIN}", "old", "-----END PRIVATE KEY----- => x", "cpu: 1"], [f"a: {BEGIN}", "cpu: 1"]),
    *(([line], [line]) for line in ("OSS_BUCKET: a => b", "region: cn-hangzhou", 'x: {"cpu":"0.5"}', "✔")),
])  # fmt: skip
def test_secrets_are_masked_by_name_and_by_value_and_all_else_stays(lines, shown):
    secrets = {
        "TOKEN_SECRET": "first-secret,second-secret",
        "JWT_KEY": "-----BEGIN-----\\nabcdefgh\nijklmnop",
    }
    masked = map(Filter(secret_pieces(secrets)).line, lines)
    assert [line for line in masked if line is not None] == shown


def test_make_deploy_checks_before_it_installs_the_tool():
    makefile = (Path(__file__).parents[3] / "Makefile").read_text("utf-8")
    rule = re.search(r"^deploy: (.*)\n((?:\t.*\n)+)", makefile, re.M)
    assert "NODE" not in rule[1]
    wanted = ("check-deploy --for-deploy", "ops.account.before_deploy", "NODE_READY", "manage.py deploy")
    for step, piece in zip(rule[2].splitlines(), wanted, strict=True):
        assert piece in step
    options = {"deploy": ("CANARY", "ANYWAY"), "rollback": ("VERSION", "LIST")}
    for target_name, option in ((name, each) for name, named in options.items() for each in named):
        rule = re.search(rf"^{target_name}: (.*)\n((?:\t.*\n)+)", makefile, re.M)
        assert f"$(if $({option})," in rule[2] and option in rule[1]
