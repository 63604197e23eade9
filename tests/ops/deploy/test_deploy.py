"""``manage.py deploy``: what the deployment tool said, shown without the secrets in it."""

import argparse
import re
import sys
from pathlib import Path

import pytest

from ops.deploy import deploy
from ops.deploy.cli_output import Filter, secret_pieces
from tests.support.cases import cases_beside

cases = cases_beside(__file__)

# Printed by s 3.1.10 with the component beside it; real_tool.test.js runs the two themselves.
RECORDED = (Path(__file__).parent / "tool" / "recorded.txt").read_text("utf-8")
SECRET = "the-secret-of-today-0123456789abcdef"
SECRETS = (SECRET, "the-secret-of-last-year", "line-of-the-old-key", "line-of-the-new-key", "old-private")


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A folder with a stand-in for the tool, which prints what it is given and remembers its arguments."""
    (tmp_path / "s.yaml").write_text("", "utf-8")
    (tmp_path / ".env").write_text(f"TOKEN_SECRET={SECRET}\n", "utf-8")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("serverless_devs_config_home", raising=False)
    tool = tmp_path / "s"
    tool.write_text(
        f"#!{sys.executable}\n"
        "import os, pathlib, sys\n"
        "here = pathlib.Path(__file__).parent\n"
        "calls = here / 'calls'\n"
        "done = calls.read_text() if calls.exists() else ''\n"
        "(here / 'folder').write_text(os.getcwd())\n"
        "trace = os.environ['serverless_devs_traceid']\n"
        "calls.write_text(f\"{done}{' '.join(sys.argv[1:-2])} | {trace}\\n\")\n"
        "said = here / f'{sys.argv[1]}.txt'\n"
        "sys.stdout.write(said.read_text('utf-8') if said.exists() else '')\n"
        "sys.exit(int((here / 'code').read_text()) if (here / 'code').exists() else 0)\n",
        "utf-8",
    )
    tool.chmod(0o755)
    return tmp_path


def run(project, *options, file="s.yaml"):
    parser = argparse.ArgumentParser()
    deploy.add_arguments(parser)
    given = [str(project / file), "--tool", str(project / "s"), "--lang", "en", *options]
    return deploy.run(parser.parse_args(given))


def test_the_recording_contains_the_secrets_to_mask():
    assert all(secret in RECORDED for secret in SECRETS)


def test_no_secret_of_now_or_before_is_shown(project, capfd):
    (project / "deploy.txt").write_text(RECORDED, "utf-8")
    assert run(project) == 0
    said = "".join(capfd.readouterr())
    assert [secret for secret in SECRETS if secret in said] == []


def test_a_file_that_extends_another_is_deployed_from_the_folder_of_that(project, capfd):
    (project / "deploy.txt").write_text(RECORDED, "utf-8")
    (project / "deploy/burst").mkdir(parents=True)
    (project / "deploy/burst/s.burst.yaml").write_text("extend: ../../s.yaml\n", "utf-8")
    (project / "s.yaml").write_text("edition: 3.0.0\n", "utf-8")
    assert run(project, file="deploy/burst/s.burst.yaml") == 0
    assert SECRET not in "".join(capfd.readouterr())
    assert (project / "folder").read_text() == str(project)


def test_changes_address_and_log_path_are_shown(project, capfd):
    (project / "deploy.txt").write_text(RECORDED, "utf-8")
    assert run(project) == 0
    said = capfd.readouterr().out
    for line in ("cpu: 0.35 => 0.5", "   OSS_BUCKET: old-bucket => photos", "   TOKEN_SECRET: (not shown)"):
        assert f"{line}\n" in said
    assert re.search(r"address +https://signs\.cn-hangzhou\.fcapp\.run\n", said)
    assert "doctor --url https://upload.example.com" in said
    [_, call] = (project / "calls").read_text().splitlines()
    assert f"{project}/.s/logs/{call.partition(' | ')[2]}" in said
    assert '"functionName"' not in said


def test_a_deployment_is_verified_first_and_asks_nothing(project):
    assert run(project) == 0
    steps = [line.partition(" | ")[0] for line in (project / "calls").read_text().splitlines()]
    assert steps == ["verify", "deploy -y -o raw"]


def test_a_step_that_fails_ends_it_with_the_tools_status(project, capfd):
    (project / "code").write_text("101")
    (project / "verify.txt").write_text(f"Error: TOKEN_SECRET={SECRET} is wrong\n")
    assert run(project) == 101
    said = capfd.readouterr()
    assert said.err == "✗ `s verify` ended with 101.\n"
    assert SECRET not in said.out and "Error: TOKEN_SECRET=(not shown) is wrong" in said.out
    assert len((project / "calls").read_text().splitlines()) == 1


def test_without_the_tool_the_install_command_is_named(project, capfd):
    (project / "s").unlink()
    assert run(project) == 2
    assert "Run: make deploy" in capfd.readouterr().err


def shown(lines, **secrets):
    screen = Filter(secret_pieces(secrets))
    return [text for line in lines if (text := screen.line(line)) is not None]


@cases("line")
def test_a_secret_is_masked_by_its_name_alone(line):
    assert "old-one" not in "".join(shown([line]))


@pytest.mark.parametrize("line", ["OSS_BUCKET: a => b", "region: cn-hangzhou", 'x: {"cpu":"0.5"}', "✔ done"])
def test_a_line_without_secrets_stays_unchanged(line):
    assert shown([line], TOKEN_SECRET="s" * 32) == [line]


def test_each_secret_of_a_list_and_each_line_of_a_key_is_known():
    values = {"TOKEN_SECRET": "first-secret,second-secret", "JWT_KEY": "-----BEGIN-----\\nabcdefgh\nijklmnop"}
    assert shown(["x second-secret", "abcdefgh", "ijklmnop"], **values) == [
        "x (not shown)",
        *["(not shown)"] * 2,
    ]


def test_lines_after_a_key_are_shown_again():
    lines = ["a: -----BEGIN PRIVATE KEY-----", "old", "-----END PRIVATE KEY----- => x", "cpu: 1"]
    assert shown(lines) == ["a: -----BEGIN PRIVATE KEY-----", "cpu: 1"]


def test_make_deploy_checks_before_it_installs_the_tool():
    makefile = (Path(__file__).parents[3] / "Makefile").read_text("utf-8")
    rule = re.search(r"^deploy: (.*)\n((?:\t.*\n)+)", makefile, re.M)
    assert "NODE" not in rule[1]
    wanted = ("check-deploy --for-deploy", "NODE_READY", "manage.py deploy")
    for step, piece in zip(rule[2].splitlines(), wanted, strict=True):
        assert piece in step
