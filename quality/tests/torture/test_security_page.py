"""SECURITY.md holds what is true: both languages alike, and every test it names is there."""

import re
from pathlib import Path

import pytest

from function.auth import all_settings

ROOT = Path(__file__).parents[3]
ENGLISH = (ROOT / "SECURITY.md").read_text("utf-8")
CHINESE = (ROOT / "docs/zh-CN/SECURITY.md").read_text("utf-8")
NAMED_TEST = re.compile(r"`(test_\w+)`")


def tables(text):
    """Every table as rows of cells, its header and rule left out."""
    found = re.findall(r"(?:^\|.*\n)+", text, flags=re.M)
    return [
        [[cell.strip() for cell in row.strip().strip("|").split(" | ")] for row in table.splitlines()[2:]]
        for table in found
    ]


def in_code(text):
    return re.findall(r"`[^`]+`", text)


def test_both_languages_have_the_same_headings_and_lists():
    for pattern in (r"^(#+) ", r"^(\d\.) ", r"^(-) "):
        assert re.findall(pattern, ENGLISH, flags=re.M) == re.findall(pattern, CHINESE, flags=re.M)


def test_both_languages_have_the_same_tables():
    english, chinese = tables(ENGLISH), tables(CHINESE)
    assert [len(table) for table in english] == [len(table) for table in chinese]
    for ours, theirs in zip(english, chinese, strict=True):
        for row, other in zip(ours, theirs, strict=True):
            assert len(row) == len(other)
            assert [sorted(in_code(cell)) for cell in row] == [sorted(in_code(cell)) for cell in other]


def test_every_attack_names_tests_that_are_there():
    attacks = tables(ENGLISH)[1]
    files = [
        path
        for folder in ("miniprogram/test", "tests/ops/deploy")
        for path in (ROOT / folder).glob("*.test.js")
    ]
    clients = "".join(path.read_text("utf-8") for path in files)
    titles = set(re.findall(r"^test\('(.+?)', ", clients.replace("\\'", "’"), flags=re.M))
    assert len(attacks) >= 20
    for attack, tests in attacks:
        named = [name.strip("`") for name in in_code(tests)]
        assert named, attack
        # A test of Python is looked for below; those in JavaScript are sentences.
        assert {name.replace("'", "’") for name in named if not NAMED_TEST.fullmatch(f"`{name}`")} <= titles


ASVS = (
    "5.1.1 5.2.1 5.2.2 5.2.3 5.2.4 5.2.5 5.2.6 5.3.1 5.3.2 5.3.3 5.4.1 5.4.2 5.4.3"
    " 9.1.1 9.1.2 9.1.3 9.2.1 9.2.2 9.2.3 9.2.4"
).split()


def test_each_requirement_of_the_standard_is_answered_and_one_that_is_met_names_a_test():
    requirements = tables(ENGLISH)[3]
    assert [row[0] for row in requirements] == ASVS
    for number, _, answer, how in requirements:
        assert answer in ("met", "in part", "not met", "not applicable"), number
        assert answer != "met" or NAMED_TEST.findall(how), number


@pytest.mark.parametrize("name", sorted(set(NAMED_TEST.findall(ENGLISH))))
def test_a_test_that_is_named_is_there(name):
    files = (path for folder in ("tests", "quality/tests") for path in (ROOT / folder).rglob("test_*.py"))
    sources = (path.read_text("utf-8") for path in files)
    assert any(f"def {name}(" in source for source in sources)


def test_every_setting_that_is_a_secret_has_its_row():
    secrets = {row.name for row in all_settings() if row.is_secret} - {"UPLOAD_WEBHOOK_URL"}
    rows = " ".join(row[0] for row in tables(ENGLISH)[0])
    assert secrets
    assert not [name for name in secrets if name not in rows]
