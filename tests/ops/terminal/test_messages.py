"""Each sentence of the function for its operator has a Chinese twin, found by its template."""

import ast
from string import Formatter

import pytest

from function.messages import Message
from ops.terminal.messages import chinese_templates, in_both
from tests.docs.markdown import ROOT


def templates():
    """The first argument of each ``Message(...)`` of the function, as it stands in the source."""
    for path in (ROOT / "sts_credentials.py", *(ROOT / "function").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Message":
                yield f"{path.name}:{node.lineno}", getattr(node.args[0], "value", node.args[0])


def fields_of(template):
    return sorted(name for _, name, _, _ in Formatter().parse(template) if name)


def test_every_message_template_is_a_literal_string():
    assert [place for place, template in templates() if not isinstance(template, str)] == []


def test_each_template_has_a_chinese_twin_and_no_twin_is_left_over():
    assert {template for _, template in templates()} == set(chinese_templates())


@pytest.mark.parametrize("template", chinese_templates())
def test_both_twins_have_the_same_fields(template):
    assert fields_of(chinese_templates()[template]) == fields_of(template)


def test_a_nested_message_is_translated_too():
    missing = Message(
        "{name} is missing; it must be {allowed}",
        name="CALLER_AUTH",
        allowed=Message("one of {names}", names="wechat, jwt"),
    )
    assert missing == "CALLER_AUTH is missing; it must be one of wechat, jwt"
    assert in_both(missing).en == missing
    assert in_both(missing).zh == "缺少 CALLER_AUTH，应为其中之一：wechat, jwt"


def test_a_message_translates_its_system_error_into_chinese():
    template = "PROFILES_FILE = {path!r} cannot be read: {why}"
    said = in_both(Message(template, path="a.toml", why="No such file or directory"))
    assert said.zh == "无法读取 PROFILES_FILE = 'a.toml'：没有这个文件或目录"
