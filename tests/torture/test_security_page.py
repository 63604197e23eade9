"""SECURITY.md holds what is true: both languages alike, and every test it names is there."""

import re
from pathlib import Path

import pytest

from function.setting_table import SETTINGS

ROOT = Path(__file__).parents[2]
ENGLISH = (ROOT / "SECURITY.md").read_text("utf-8")
CHINESE = (ROOT / "SECURITY.zh-CN.md").read_text("utf-8")
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


def test_every_attack_names_a_test():
    attacks = tables(ENGLISH)[1]
    assert len(attacks) >= 20
    for attack, tests in attacks:
        assert NAMED_TEST.findall(tests), attack


@pytest.mark.parametrize("name", sorted(set(NAMED_TEST.findall(ENGLISH))))
def test_a_test_that_is_named_is_there(name):
    sources = (path.read_text("utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    assert any(f"def {name}(" in source for source in sources)


def test_every_setting_that_is_a_secret_has_its_row():
    secrets = {row.name for row in SETTINGS if row.is_secret} - {"UPLOAD_WEBHOOK_URL"}
    rows = " ".join(row[0] for row in tables(ENGLISH)[0])
    assert secrets
    assert not [name for name in secrets if name not in rows]
