"""Decisions are short records of one shape, in the index; the tests they name exist."""

import re

import pytest

from tests.docs.markdown import ROOT, links, page

FOLDER = "docs/decisions"
RECORDS = sorted(path.name for path in (ROOT / FOLDER).glob("[0-9]*.md"))
PARTS = ["Context", "Decision", "Consequences", "Kept by"]
MOST_LINES = 16


def test_the_records_are_numbered_one_by_one_and_all_in_the_index():
    assert [int(name[:4]) for name in RECORDS] == list(range(1, len(RECORDS) + 1))
    assert [target for target, _ in links(page(f"{FOLDER}/README.md"))] == RECORDS


@pytest.mark.parametrize("name", RECORDS)
def test_a_record_has_its_number_a_chinese_summary_and_four_parts(name):
    lines = page(f"{FOLDER}/{name}").splitlines()
    assert re.fullmatch(rf"# {int(name[:4])}\. .+", lines[0])
    assert re.search(r"[\u4e00-\u9fff].*。$", lines[2])
    assert re.findall(r"^\*\*(.+?)[.*]", "\n".join(lines), flags=re.M) == PARTS
    assert len(lines) <= MOST_LINES
    assert lines[2] in page(f"{FOLDER}/README.md")


@pytest.fixture(scope="module")
def sources():
    paths = [path for folder in ("tests", "quality/tests") for path in (ROOT / folder).rglob("test_*.py")]
    return "".join(path.read_text("utf-8") for path in paths)


@pytest.mark.parametrize("name", RECORDS)
def test_a_record_is_kept_by_tests_that_are_there(name, sources):
    named = re.findall(r"`(test_\w+)`", page(f"{FOLDER}/{name}").rpartition("**Kept by**")[2])
    assert named
    assert [test for test in named if f"def {test}(" not in sources] == []
