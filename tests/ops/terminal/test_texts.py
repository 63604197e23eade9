"""Sentences for the operator are in both languages, and none is printed outside of a pair."""

import ast
import re
from functools import cache
from string import Formatter

import pytest

from ops.terminal.messages import chinese_templates
from tests.docs.markdown import ROOT
from tests.ops.words import chinese_in, english_in

# The contract questions, for makers and careful operators, are in English alone.
PROOF = ROOT / "ops" / "doctor" / "proof"
SOURCES = sorted({ROOT / "manage.py", *(ROOT / "ops").rglob("*.py")} - {*PROOF.glob("*.py")})
EVERY_SOURCE = pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(ROOT).as_posix())
# What puts a text before the operator, and the arguments of argparse that do.
PRINTS = {"line", "title", "good", "warn", "fail", "print", "exit", "write", "Failure", "input"}
# With an English and a Chinese sentence.
OF_THE_DEMO = {"line", "good"}
SHOWN_ARGUMENTS = {"help", "description", "epilog"}


def text_of(node):
    """What a literal of Python says, or None."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(text_of(part) or "{}" for part in node.values)
    return None


@cache
def calls_in(source):
    return [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]


def name_of(call):
    return getattr(call.func, "attr", getattr(call.func, "id", ""))


def pair_in(call):
    """English and Chinese, both literals, of a ``Text`` or of what the demo prints; else nothing."""
    pair = [text_of(part) for part in call.args] if name_of(call) in {"Text", *OF_THE_DEMO} else []
    return pair if len(pair) == 2 and None not in pair else []


def pairs_of(path):
    yield from filter(None, map(pair_in, calls_in(path.read_text("utf-8"))))


@EVERY_SOURCE
def test_each_half_of_a_pair_is_whole_in_its_language_and_has_the_same_fields(path):
    for english, chinese in pairs_of(path):
        assert not chinese_in(english), english
        assert not english_in(chinese.replace("{}", "·")), chinese
        fields = [re.findall(r"{(\w*)}", text) for text in (english, chinese)]
        assert sorted(set(fields[0])) == sorted(set(fields[1])), chinese
        for text in (english, chinese):
            if "${" not in text:
                list(Formatter().parse(text))


def printed_outside_of_pairs(source):
    for node in calls_in(source):
        if not pair_in(node):
            shown = node.args if name_of(node) in PRINTS else []
            shown = [*shown, *(word.value for word in node.keywords if word.arg in SHOWN_ARGUMENTS)]
            texts = filter(None, map(text_of, shown))
            yield from (text for text in texts if english_in(text) or chinese_in(text))


@EVERY_SOURCE
def test_no_sentence_is_printed_outside_of_a_pair(path):
    assert list(printed_outside_of_pairs(path.read_text("utf-8"))) == []


@pytest.mark.parametrize(
    "source", ['screen.line("it is wrong")', 'add_argument("x", help="the name")', 'print(f"用{x}")']
)
def test_a_sentence_outside_of_a_pair_is_found(source):
    assert list(printed_outside_of_pairs(source))


def templates():
    """The first argument of each ``Message(...)`` of the function, as it stands in the source."""
    for path in (ROOT / "sts_credentials.py", *(ROOT / "function").rglob("*.py")):
        for node in calls_in(path.read_text("utf-8")):
            if getattr(node.func, "id", "") == "Message":
                yield f"{path.name}:{node.lineno}", getattr(node.args[0], "value", node.args[0])


def fields_of(template):
    return sorted(name for _, name, _, _ in Formatter().parse(template) if name)


def test_each_template_has_a_chinese_twin_and_no_twin_is_left_over():
    assert {template for _, template in templates()} == set(chinese_templates())


@pytest.mark.parametrize("template", chinese_templates())
def test_both_twins_have_the_same_fields(template):
    assert fields_of(chinese_templates()[template]) == fields_of(template)
