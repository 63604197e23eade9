"""Every page is there in both languages, which hold the same; every link leads somewhere."""

import re

import pytest

from tests.docs.markdown import (
    MAKERS,
    PAIRS,
    ROOT,
    anchors,
    both,
    code_blocks,
    links,
    literal,
    names_in,
    page,
    tables,
    without_code,
)

EVERY_PAIR = pytest.mark.parametrize("name", PAIRS)
EVERY_PAGE = pytest.mark.parametrize("name", sorted([*PAIRS, *PAIRS.values(), *MAKERS]))
ONE_LANGUAGE = {"CHANGELOG.md", "docs/agents.md", "docs/glossary.md", *MAKERS}
FOLDERS = (".", "docs", "docs/proved", "docs/zh-CN", "miniprogram/example/utils/oss-direct-upload")
WITH_LINKS = sorted(
    path.relative_to(ROOT).as_posix() for folder in FOLDERS for path in (ROOT / folder).glob("*.md")
)


def test_every_page_is_there_in_both_languages():
    english = {
        path.relative_to(ROOT).as_posix()
        for pages in ("*.md", "docs/*.md", "docs/proved/README.md")
        for path in ROOT.glob(pages)
    }
    assert english - set(PAIRS) - set(PAIRS.values()) == ONE_LANGUAGE
    assert {name for name in PAIRS if not (ROOT / name).exists()} == set()


@EVERY_PAIR
def test_both_languages_have_the_same_headings_and_lists(name):
    for mark in (r"^(#+) ", r"^ *(-|\d+\.) "):
        first, second = (re.findall(mark, without_code(page(each)), flags=re.M) for each in both(name))
        assert first == second


@EVERY_PAIR
def test_both_languages_have_the_same_tables(name):
    english, chinese = tables(page(name)), tables(page(PAIRS[name]))
    assert [len(table) for table in english] == [len(table) for table in chinese]
    for row, twin in zip(sum(english, []), sum(chinese, []), strict=True):
        assert len(row) == len(twin)
        assert names_in(row[0]) == names_in(twin[0])
        assert row[0] == twin[0] or not twin[0].isascii()


@EVERY_PAIR
def test_both_languages_have_the_same_code(name):
    english, chinese = code_blocks(page(name)), code_blocks(page(PAIRS[name]))
    assert [comparable(*block) for block in english] == [comparable(*block) for block in chinese]


def comparable(kind, code):
    """What a command prints is in the language of the page."""
    return kind, literal(code) if kind else code.count("\n")


@pytest.mark.parametrize("name", WITH_LINKS)
def test_every_link_leads_somewhere(name):
    for target, anchor in links(page(name)):
        aim = (ROOT / name).parent / target if target else ROOT / name
        assert aim.exists(), target
        if anchor:
            assert anchor in anchors(aim.read_text("utf-8")), f"{target}#{anchor}"


@EVERY_PAGE
def test_a_page_links_to_pages_of_its_own_language(name):
    other_language = PAIRS if name in PAIRS.values() else PAIRS.values()
    for target, _ in links(page(name))[1:]:
        aim = ((ROOT / name).parent / target).resolve()
        assert not aim.is_relative_to(ROOT) or aim.relative_to(ROOT).as_posix() not in other_language, target


def test_the_readme_leads_to_every_page_for_users_and_contributing_to_those_for_makers():
    makers = {*MAKERS, "docs/glossary.md"}
    for readme in ("README.md", PAIRS["README.md"]):
        named = {target for target, _ in links(page(readme))}
        chinese = readme != "README.md"
        wanted = set(PAIRS.values() if chinese else PAIRS) - {readme} | ONE_LANGUAGE - makers
        assert wanted - named == set() and named & makers == {"CONTRIBUTING.md"}
    assert makers - {target for target, _ in links(page("CONTRIBUTING.md"))} == {"CONTRIBUTING.md"}


# --- Chinese: one word for one thing, full-width punctuation ---

HAN = r"\u4e00-\u9fff"
BEFORE_A_TERM = rf"(?:(?<=[{HAN}，。；：、（])|(?<=[{HAN}，。；：、（] ))"
HALF_WIDTH = rf"[{HAN}][,;:!?()]|[,;:!?()][{HAN}]"


def pattern_of(word):
    """A Latin word is a term only where it stands within Chinese, not where it is code."""
    if not word.isascii():
        return re.escape(word)
    return rf"{BEFORE_A_TERM}{word}(?![\w.=\-/]| ?=)|(?<![\w.\-/]){word}(?= ?[{HAN}])"


@pytest.mark.parametrize("name", [*PAIRS.values(), "miniprogram/example/utils/oss-direct-upload/README.md"])
def test_a_chinese_page_uses_the_words_of_the_glossary(name):
    (glossary,) = tables(page("docs/glossary.md"))
    words = [word for row in glossary for word in row[3].split("、") if word]
    wrong = re.compile("|".join([HALF_WIDTH, *map(pattern_of, words)]))
    # Code, addresses, and the labels of others' consoles, between “ ”, may have another word.
    prose = re.sub(r"`[^`\n]*`", "`", without_code(page(name)))
    prose = re.sub(r"“[^”]*”", "", re.sub(r"\]\([^)]*\)", "]", prose))
    assert [line for line in prose.splitlines() if wrong.search(line)] == []
