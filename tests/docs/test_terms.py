"""Chinese texts name each thing with the one word of the glossary, and use full-width punctuation."""

import ast
import re

import pytest

from tests.docs.markdown import PAIRS, ROOT, page, tables, without_code

HAN = r"\u4e00-\u9fff"
BEFORE_A_TERM = rf"(?:(?<=[{HAN}，。；：、（])|(?<=[{HAN}，。；：、（] ))"
HALF_WIDTH = re.compile(rf"[{HAN}][,;:!?()]|[,;:!?()][{HAN}]")
SOURCES = {".py", ".toml", ".js", ".ts", ".wxml", ".json", ".html", ".svg"}
FOLDERS = ("docs", "ops", "local", "miniprogram/example", "miniprogram/example/utils/oss-direct-upload")
CHINESE_PAGES = sorted(
    {*PAIRS.values(), "miniprogram/example/utils/oss-direct-upload/README.md", "docs/decisions/README.md"}
)


def forbidden_words():
    """Each forbidden word with the one that the glossary has instead."""
    (table,) = tables(page("docs/glossary.md"))
    return {word: row[1] for row in table for word in row[3].split("、") if word}


def pattern_of(word):
    """A Latin word is a term only where it stands within Chinese, not where it is code."""
    if not word.isascii():
        return re.escape(word)
    return rf"{BEFORE_A_TERM}{word}(?![\w.=\-/]| ?=)|(?<![\w.\-/]){word}(?= ?[{HAN}])"


FORBIDDEN = re.compile("|".join(f"(?:{pattern_of(word)})" for word in forbidden_words()))


def without_labels(text):
    """Without what stands between “ ”: labels of others' consoles."""
    return re.sub(r"“[^”]*”", "", text)


def prose_of(name):
    """What a reader reads of a page: no code, no addresses."""
    text = re.sub(r"`[^`\n]*`", "`", without_code(page(name)))
    return re.sub(r"\]\([^)]*\)", "]", text)


def text_of(node):
    """What a literal of Python says, or None."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(text_of(part) or "{}" for part in node.values)
    return None


def is_english_of_a_pair(node):
    """Whether this is ``Text(English, Chinese)``, whose English may quote a Chinese label."""
    return isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Text" and len(node.args) == 2


def literals_of(tree):
    if (text := text_of(tree)) is not None:
        yield text
        return
    children = list(ast.iter_child_nodes(tree))
    for child in children[2:] if is_english_of_a_pair(tree) else children:
        yield from literals_of(child)


def texts_of(path):
    text = path.read_text("utf-8")
    found = literals_of(ast.parse(text)) if path.suffix == ".py" else text.splitlines()
    return [each for each in found if re.search(rf"[{HAN}]", each)]


def sources():
    found = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*") if path.suffix in SOURCES]
    return sorted(path.relative_to(ROOT).as_posix() for path in found if "node_modules" not in path.parts)


def complaints(texts):
    return [
        f"{found[0]}: {text.strip()}"
        for text in map(without_labels, texts)
        for pattern in (FORBIDDEN, HALF_WIDTH)
        if (found := pattern.search(text))
    ]


@pytest.mark.parametrize("name", CHINESE_PAGES)
def test_a_chinese_page_uses_the_words_of_the_glossary(name):
    assert complaints(prose_of(name).splitlines()) == []


@pytest.mark.parametrize("name", sources())
def test_chinese_texts_of_the_programs_use_the_words_of_the_glossary(name):
    assert complaints(texts_of(ROOT / name)) == []


@pytest.mark.parametrize(
    "text",
    [
        *("存进存储桶", "没有这个 profile", "profile 不对", "这份秘钥", "这个 ticket，", "缺省为 3"),
        *("默认的配置", "好(坏)", "一,二", "结果:好"),
    ],
)
def test_a_forbidden_word_or_comma_is_found(text):
    assert complaints([text])


@pytest.mark.parametrize(
    "text",
    "看 profiles.toml|没有 profile=avatar|key 结尾|x-oss-security-token 不对|（UTC）|secrets".split("|"),
)
def test_names_of_the_code_and_full_width_punctuation_pass(text):
    assert complaints([text]) == []


def test_no_word_is_right_and_forbidden_at_once():
    (table,) = tables(page("docs/glossary.md"))
    right = {word for row in table for word in row[1].split("、")}
    assert right.isdisjoint(forbidden_words())
    assert complaints([row[2] for row in table]) == []


@pytest.mark.parametrize(
    "name", "存储空间（Bucket）|临时访问凭证|预签名 URL|响应|限流|先审后发|碎片".split("|")
)
def test_an_official_name_may_be_written(name):
    assert complaints([f"这里的{name}，"]) == []
