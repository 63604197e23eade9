"""``.env`` as the deployment tool reads it, with a warning where it reads otherwise than it looks."""

import pytest

from ops.deploy.env_file import parse_env
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


def test_an_env_file_is_read_like_the_deployment_tool_reads_it() -> None:
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


@pytest.mark.parametrize(("text", "said"), [
    ("A=1\nSECRET=abc#def\n", ".env:2: SECRET holds a # and ends there"),
    ("SECRET='pa$word'\n", ".env:1: SECRET holds a $"),
    ('SECRET="pa\\$word"\n', ".env:1: SECRET holds a $"),
])  # fmt: skip
def test_lines_that_the_tool_reads_differently_get_a_warning(text: str, said: str) -> None:
    problems = in_english(parse_env(text).problems)
    assert len(problems) == 1 and problems[0].startswith(said)
    assert "word" not in problems[0] and "abc" not in problems[0]
