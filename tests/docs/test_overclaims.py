"""Pages without the sentences that facts refuse."""

import re
import tomllib

import pytest

from quality.torture import mutation_table
from tests.docs.markdown import MAKERS, PAIRS, ROOT, page, tables
from tests.support.cases import text_beside

# By most pages of Function Compute; one says 300.
INSTANCES_OF_AN_ACCOUNT = 100
REFUSED = tomllib.loads(text_beside(__file__))["refused"]
DECISIONS = [path.relative_to(ROOT).as_posix() for path in (ROOT / "docs/decisions").glob("*.md")]
PAGES = [
    *PAIRS,
    *PAIRS.values(),
    *MAKERS,
    *DECISIONS,
    "miniprogram/example/utils/oss-direct-upload/README.md",
]


@pytest.mark.parametrize("row", REFUSED, ids=lambda row: row["was"])
def test_no_page_has_a_sentence_that_facts_refuse(row):
    assert re.search(row["pattern"], row["was"])
    assert [name for name in PAGES if re.search(row["pattern"], page(name))] == []


def test_no_burst_has_more_instances_than_an_account():
    *_, burst = [table for table in tables(page("docs/speed.md")) if len(table[0]) == 7]
    assert max(int(row[2]) for row in burst) <= INSTANCES_OF_AN_ACCOUNT


def test_the_figures_of_mutation_are_those_of_its_table():
    (line,) = [line for line in page("docs/testing.md").splitlines() if "equivalent_mutants.toml" in line]
    rows = mutation_table.rows().values()
    counts = [sum(getattr(row, field) for row in rows) for field in ("mutants", "killed", "equivalent")]
    figures = [len(rows), *counts, sum(len(row.surviving) for row in rows)]
    assert [int(figure.replace(",", "")) for figure in re.findall(r"\d[\d,]*", line)] == figures
