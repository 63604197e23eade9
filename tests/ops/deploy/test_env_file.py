from pathlib import Path

import pytest

from ops.deploy.env_file import exported_problems, parse_env, read_env_file
from ops.deploy.expressions import ExpressionError, Resolver
from tests.ops.words import in_english

# Read by dotenv 16.6.1 and dotenv-expand 10.0.0, the ones inside the tool, with exactly these values.
AS_THE_TOOL_READS_IT = r"""
# a remark
PLAIN=value
QUOTED="acs:ram::1:role/x" # remark
SINGLE='pass#word'
KEY="-----BEGIN PUBLIC KEY-----
abc
-----END PUBLIC KEY-----"
SPACED = spaced out
export EXPORTED=`5/s`
LINES="a\nb"
EMPTY=
"""


def test_reads_what_the_deployment_tool_reads() -> None:
    assert parse_env(AS_THE_TOOL_READS_IT).values == {
        "PLAIN": "value",
        "QUOTED": "acs:ram::1:role/x",
        "SINGLE": "pass#word",
        "KEY": "-----BEGIN PUBLIC KEY-----\nabc\n-----END PUBLIC KEY-----",
        "SPACED": "spaced out",
        "EXPORTED": "5/s",
        "LINES": "a\nb",
        "EMPTY": "",
    }
    assert parse_env(AS_THE_TOOL_READS_IT).problems == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("A=1\nSECRET=abc#def\n", ".env:2: SECRET holds a # and ends there"),
        ("SECRET=pa$word\n", ".env:1: SECRET holds a $"),
        ("SECRET='pa$word'\n", ".env:1: SECRET holds a $"),
        ('SECRET="pa\\$word"\n', ".env:1: SECRET holds a $"),
        ("A=1\n\nno assignment\nB=2\n", ".env:3: is not NAME=value"),
        ("A=1\nA=2\n", ".env:2: A is set twice"),
        ('A="never closed\n', ".env:1: A begins with a quote"),
    ],
)
def test_warns_of_what_the_tool_reads_otherwise_than_it_looks(text: str, said: str) -> None:
    problems = in_english(parse_env(text).problems)
    assert len(problems) == 1 and problems[0].startswith(said)
    assert "word" not in problems[0] and "abc" not in problems[0]


def test_an_exported_value_with_a_dollar_sign_is_refused_only_where_the_file_names_it_too() -> None:
    env_file = parse_env("A=1\nTOKEN_SECRET=abc\n")
    assert list(exported_problems(env_file, {"ELSEWHERE": "pa$word", "A": "2"})) == []
    [problem] = in_english(exported_problems(env_file, {"TOKEN_SECRET": "pa$word"}))
    assert problem.startswith(".env:2: TOKEN_SECRET ")
    assert "word" not in problem


def test_goes_on_after_a_line_it_cannot_read() -> None:
    assert parse_env("A=1\n???\nB=2").values == {"A": "1", "B": "2"}


def test_a_missing_file_has_no_values_and_one_that_is_not_text_is_a_problem(tmp_path: Path) -> None:
    assert read_env_file(tmp_path / ".env").values == {}
    (tmp_path / ".env").write_bytes(b"A=\xff\n")
    assert len(read_env_file(tmp_path / ".env").problems) == 1


def test_reads_a_file_that_notepad_saved(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"\xef\xbb\xbfOSS_BUCKET=b\r\nOSS_REGION=cn-hangzhou\r\n")
    env_file = read_env_file(tmp_path / ".env")
    assert (env_file.values, env_file.problems) == ({"OSS_BUCKET": "b", "OSS_REGION": "cn-hangzhou"}, ())


def resolver(tmp_path: Path, **environ: str) -> Resolver:
    document = {
        "vars": {"region": "${env('REGION', 'cn-hangzhou')}", "list": [1, 2]},
        "resources": {"upload": {"props": {"cpu": 0.35}}},
    }
    return Resolver(environ, "1000", tmp_path, document)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("${env('SET')}", "yes"),
        ('${env("SET", "no")}', "yes"),
        ("${env('UNSET', 'no')}", "no"),
        ("${env('EMPTY', 'no')}", "no"),
        ("${env('UNSET', '')}", ""),
        ("${env('UNSET', config('AccountID'))}", "1000"),
        ("a ${env('SET')} b ${env('SET')}", "a yes b yes"),
        ("${vars.region}", "cn-hangzhou"),
        ("${ vars.region }", "cn-hangzhou"),
        ("${vars.list}", [1, 2]),
        ("${this.props.cpu}", 0.35),
        ("cpu ${resources.upload.props.cpu}", "cpu 0.35"),
        ("${file('note.json')}", '{"a": 1}'),
        ("${json(file('note.json'))}", {"a": 1}),
        ("no expression, $5", "no expression, $5"),
    ],
)
def test_replaces_expressions_as_the_tool_does(tmp_path: Path, text: str, value: object) -> None:
    (tmp_path / "note.json").write_text('{"a": 1}', "utf-8")
    found = resolver(tmp_path, SET="yes", EMPTY="")
    assert found.resolve(text, ("resources", "upload", "props", "x")) == value
    assert found.problems == []


@pytest.mark.parametrize(
    "text",
    [
        "${env('UNSET')}",
        "${env('EMPTY')}",
        "${env(SET)}",
        "${env()}",
        "${env('A', 'b', 'c')}",
        "${config('AccessKeySecret')}",
        "${file('missing.txt')}",
        "${json('{')}",
        "${vars}",
        "${vars.nothing}",
        "${process.env.HOME}",
        "${__import__('os').system('true')}",
        "${(lambda: 1)()}",
        "${env('SET'",
        "${}",
    ],
)
def test_refuses_expressions_without_a_value(tmp_path: Path, text: str) -> None:
    found = resolver(tmp_path, SET="yes", EMPTY="")
    with pytest.raises(ExpressionError):
        found.expand(text, 0)
    assert found.resolve({"a": [text]}, ("x",)) == {"a": [""]}
    assert found.unresolved == {("x", "a", 0)}


def test_refuses_a_value_that_the_tool_would_replace_once_more(tmp_path: Path) -> None:
    found = resolver(tmp_path, SECRET="a${b}c")
    found.resolve("${env('SECRET')}", ("vars",))
    assert found.problems[0].sentence.en.startswith("SECRET: ")
