"""The command line in both languages: where ``--lang`` may stand, and the words of argparse."""

import re

import pytest

from manage import COMMANDS, GONE, main
from ops.terminal.command_line import CHINESE, speak
from ops.terminal.language import LOCALE_NAMES, asked_language
from tests.ops.words import chinese_in, english_in

FIELD = re.compile(r"%(?:\(\w+\))?[sr]")


@pytest.fixture(autouse=True)
def in_no_locale(monkeypatch):
    for name in LOCALE_NAMES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LANG", "C.UTF-8")
    yield
    speak("en")


@pytest.mark.parametrize("english", CHINESE)
def test_the_twin_is_chinese_and_has_the_same_fields(english):
    assert sorted(FIELD.findall(english)) == sorted(FIELD.findall(CHINESE[english]))
    assert not english_in(FIELD.sub("", CHINESE[english]))


@pytest.mark.parametrize(("arguments", "language"), [
    ("doctor", "en"), ("--lang zh doctor --url x", "zh"), ("doctor --url x --lang=zh", "zh"),
])  # fmt: skip
def test_the_lang_option_works_before_and_after_the_command(arguments, language):
    assert asked_language(arguments.split()) == language


def ended(arguments, capsys):
    """What a command line that goes no further prints, and its code."""
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    printed = capsys.readouterr()
    return caught.value.code, printed.out + printed.err


@pytest.mark.parametrize("command", ["", *COMMANDS])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_help_is_whole_in_one_language(command, language, capsys):
    code, text = ended([*command.split(), "--help", "--lang", language], capsys)
    assert code == 0
    strangers = english_in if language == "zh" else chinese_in
    # The usage is code; what follows it is prose.
    prose = text.split("\n\n", 1)[1]
    assert [line for line in prose.splitlines() if strangers(line)] == []
    assert ("用法：" in text) is (language == "zh")
    assert "--lang {en,zh}" in text


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ([], "COMMAND"),
        (["doctor", "--url"], "--url"),
        (["setup", "--egress-alarm", "many"], "--egress-alarm"),
        (["doctor", "--local=1"], "--local"),
        (["setup", "--bucket", "x"], "--bucket x"),
    ],
)
def test_a_command_line_error_is_in_one_language(arguments, named, language, capsys):
    code, text = ended([*arguments, "--lang", language], capsys)
    assert code == 2
    last = text.splitlines()[-1]
    assert named in last
    assert not (english_in if language == "zh" else chinese_in)(last), last
    assert last.startswith("manage.py") and ("：错误：" in last) is (language == "zh")


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("command", GONE)
def test_a_command_that_went_names_what_does_its_work_now(command, language, capsys):
    assert command not in COMMANDS
    for arguments in ([command, "--anything", "--lang", language], ["--lang", language, command]):
        assert main(arguments) == 2
        assert capsys.readouterr().err.strip() == GONE[command].say(language)


def test_a_command_that_is_misspelt_is_answered_with_all(capsys):
    _, said = ended(["setpu", "setup"], capsys)
    assert all(name in said for name in COMMANDS)
