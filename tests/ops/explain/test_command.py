"""``manage.py explain``: what it reads, its language, its exit status."""

import argparse
import io

import pytest

from function.auth import owner_of
from ops.deploy.operator_env import ENV_FILE
from ops.explain import command
from ops.terminal.command_line import run_command
from tests.ops.explain.pastes import error_xml
from tests.ops.explain.test_function_output import ENV, OPENID, SECRET


def run_with(monkeypatch, data, file="-", lang="en"):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(data), encoding="utf-8"))
    args = argparse.Namespace(file=str(file), lang=lang, env_file=ENV_FILE, caller="")
    return run_command(command.run, args)


def test_the_command_reads_standard_input_and_files_alike(monkeypatch, capsys, tmp_path):
    document = error_xml("NoSuchBucket").encode()
    (tmp_path / "error.xml").write_bytes(document)
    assert run_with(monkeypatch, document) == 0
    from_stdin = capsys.readouterr().out
    assert run_with(monkeypatch, b"", tmp_path / "error.xml") == 0
    assert capsys.readouterr().out == from_stdin


@pytest.mark.parametrize("data", [b"", b"\xff\xfe\x00garbage", b"what is this"])
def test_explain_exits_2_with_an_error_for_unreadable_input(monkeypatch, capsys, data):
    assert run_with(monkeypatch, data) == 2
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.startswith("✗ ")


def test_the_folder_name_of_an_openid_comes_from_the_secret_of_the_env_file(monkeypatch, capsys, tmp_path):
    for name in ENV:
        monkeypatch.delenv(name, raising=False)
    env_file = tmp_path / ".env"
    env_file.write_text("".join(f"{name}={value}\n" for name, value in ENV.items()), "utf-8")
    args = argparse.Namespace(file=OPENID, lang="en", env_file=env_file, caller="")
    assert run_command(command.run, args) == 0
    assert owner_of(OPENID, SECRET) in capsys.readouterr().out
    # The name of a user of another platform has any shape.
    args.file, args.caller = "a name", "douyin:tt1"
    assert run_command(command.run, args) == 0
    assert owner_of("a name", SECRET, "douyin:tt1") in capsys.readouterr().out
    args.caller = "nobody"
    assert run_command(command.run, args) == 2


def test_the_command_exits_2_for_a_file_that_is_not_there(monkeypatch, capsys, tmp_path):
    assert run_with(monkeypatch, b"", tmp_path / "none.json", "zh") == 2
    assert "none.json" in capsys.readouterr().err
