"""
The mistakes of a first evening: each ends with a sentence that says what is wrong and what to do.

In either language, whole: no line of the one holds words of the other.
"""

import json
import os
import shutil
import subprocess
import sys

import pytest

from manage import main
from ops.terminal.command_line import asked_language
from tests.end_to_end.mistakes import ANONYMOUS, CHECK, ENV, MISTAKES, PROJECT, Mistake
from tests.ops.words import chinese_in, english_in

PATIENCE_SECONDS = 60
# Their process is theirs: environment and logging are replaced.
GIVEN_OVER = ("demo", "serve")


@pytest.fixture(scope="module")
def cloud():
    """The addresses of a local cloud that runs for all of them."""
    process = subprocess.Popen(
        [sys.executable, "manage.py", "serve", "--json"],
        cwd=PROJECT,
        env={**os.environ, "PORT": "0"},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    yield json.loads(process.stdout.readline())
    process.terminate()
    process.communicate(timeout=PATIENCE_SECONDS)


def make_place(here, mistake, cloud):
    for name in ("s.yaml", ".env.example", "handler.py"):
        shutil.copyfile(PROJECT / name, here / name)
    if mistake.s_yaml:
        text = (here / "s.yaml").read_text("utf-8")
        assert mistake.s_yaml[0] in text
        (here / "s.yaml").write_text(text.replace(*mistake.s_yaml), "utf-8")
    values = {name: value for name, value in {**ENV, **mistake.env}.items() if value is not None}
    lines = "".join(f"{name}={value.format(here=here, **cloud)}\n" for name, value in values.items())
    (here / ".env").write_bytes(mistake.env_file or lines.encode())
    (here / "profiles.toml").write_text(mistake.profiles, "utf-8")
    (here / "pasted.xml").write_text(ANONYMOUS, "utf-8")
    (here / "nothing.txt").write_text("hello", "utf-8")


@pytest.fixture
def ended(tmp_path, cloud, monkeypatch, capfd):
    """Run the command of a mistake: its code, and all that it prints."""

    def run(mistake, language):
        make_place(tmp_path, mistake, cloud)
        command, *options = mistake.command.format(here=tmp_path, **cloud).split()
        words = ["--lang", language, command, *options]
        kept = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "NO_PROXY": "*", "COLUMNS": "400"}
        if command in GIVEN_OVER:
            return in_a_process(words, {**kept, **mistake.shell})
        for name in os.environ:
            monkeypatch.delenv(name)
        for name, value in {**kept, **mistake.shell}.items():
            monkeypatch.setenv(name, value)
        code = in_this_process(words)
        return code, "".join(capfd.readouterr())

    yield run
    asked_language(["--lang", "en"])


def in_this_process(words):
    try:
        return main(words)
    except SystemExit as end:
        return end.code


def in_a_process(words, environ):
    done = subprocess.run(
        [sys.executable, "manage.py", *words],
        cwd=PROJECT,
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    return done.returncode, done.stdout


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("case", MISTAKES)
def test_a_mistake_ends_in_a_sentence_that_names_it_and_what_to_change(case, language, tmp_path, ended):
    mistake = MISTAKES[case]
    code, printed = ended(mistake, language)
    assert code == mistake.code, printed
    assert mistake.names.format(here=tmp_path) in printed
    assert getattr(mistake, language) in printed
    strangers = english_in if language == "zh" else chinese_in
    lines = [line for line in printed.splitlines() if not line.startswith(("用法：", "usage: "))]
    assert [line for line in lines if strangers(line.replace(str(tmp_path), "·"))] == []
    assert "Traceback" not in printed


def test_a_file_from_notepad_is_no_mistake(ended):
    """It begins with a mark, which the deployment tool reads over."""
    lines = "".join(f"{name}={value}\r\n" for name, value in ENV.items())
    right = Mistake(CHECK, "", "", "", env_file=b"\xef\xbb\xbf" + lines.encode())
    assert ended(right, "en")[0] == 0
