"""Every page is there in both languages, which hold the same; every link leads somewhere."""

import re

import pytest

from tests.docs.markdown import (
    MAKERS,
    PAIRS,
    ROOT,
    anchors,
    code_blocks,
    headings,
    links,
    literal,
    names_in,
    page,
    tables,
)

MOST_LINES = {"README.md": 100, "ARCHITECTURE.md": 100, "CONTRIBUTING.md": 60}
EVERY_PAIR = pytest.mark.parametrize("name", PAIRS)
EVERY_PAGE = pytest.mark.parametrize("name", sorted([*PAIRS, *PAIRS.values(), *MAKERS]))
ONE_LANGUAGE = {"CHANGELOG.md", "docs/agents.md", "docs/glossary.md", *MAKERS}
WITH_LINKS = sorted(
    path.relative_to(ROOT).as_posix()
    for folder in (
        ".",
        "docs",
        "docs/proved",
        "docs/zh-CN",
        "docs/decisions",
        "miniprogram/example/utils/oss-direct-upload",
    )
    for path in (ROOT / folder).glob("*.md")
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
def test_both_languages_have_the_same_headings(name):
    levels = [[level for level, _ in headings(page(each))] for each in (name, PAIRS[name])]
    assert levels[0] == levels[1]


@EVERY_PAIR
def test_both_languages_have_the_same_lists(name):
    marks = [re.findall(r"^ *(-|\d+\.) ", page(each), flags=re.M) for each in (name, PAIRS[name])]
    assert marks[0] == marks[1]


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


@EVERY_PAIR
def test_both_languages_name_the_same_pages(name):
    english = [target for target, _ in links(page(name)) if target.endswith(".md")]
    chinese = [target for target, _ in links(page(PAIRS[name])) if target.endswith(".md")]
    assert len(english) == len(chinese)


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


@pytest.mark.parametrize("readme", ["README.md", PAIRS["README.md"]])
def test_the_readme_shows_the_command_that_runs_it_and_the_one_that_tests_it(readme):
    first = next(code for kind, code in code_blocks(page(readme)) if kind == "sh")
    assert re.findall(r"^make (\w+)", first, re.M)[:2] == ["demo", "test"]


@pytest.mark.parametrize("name", MOST_LINES)
def test_a_page_that_is_read_first_is_short(name):
    for each in {name, PAIRS.get(name, name)}:
        assert len(page(each).splitlines()) <= MOST_LINES[name], each
