"""The figures of the page about speed are those that the last benchmark wrote."""

import re

import pytest

from tests.docs.markdown import both, page, tables

RESULTS = "bench/results/table.md"
LARGE_RESULTS = "bench/results/large_files/table.md"
DATE = re.compile(r"20\d\d-\d\d-\d\d")
RATIO = re.compile(r"\d+\.\d\d ×")


def cold_starts():
    """Each process of the results: milliseconds and MB, as whole numbers."""
    rows = next(table for table in tables(page(RESULTS)) if table[0][0].startswith("this function"))
    return {(row[1].split()[0], str(int(float(row[3]) + 0.5))) for row in rows}


@pytest.mark.parametrize("name", both("docs/speed.md"))
def test_the_page_is_of_the_day_of_the_results(name):
    assert DATE.search(page(name))[0] == DATE.search(page(RESULTS))[0]


@pytest.mark.parametrize("name", both("docs/speed.md"))
def test_every_ratio_in_a_table_was_measured(name):
    shown = {
        ratio
        for table in tables(page(name))
        for row in table
        for cell in row
        for ratio in RATIO.findall(cell)
    }
    assert shown
    assert shown <= set(RATIO.findall(page(RESULTS)))


@pytest.mark.parametrize("name", both("docs/speed.md"))
def test_every_cold_start_shown_was_measured(name):
    shown = {(row[1], row[2]) for row in tables(page(name))[0]}
    assert len(shown) > 1
    assert shown <= cold_starts()


@pytest.mark.parametrize("name", both("docs/large-files.md"))
def test_every_figure_beside_the_other_client_was_measured(name):
    ours, theirs = tables(page(LARGE_RESULTS))[1]
    measured = [[row[2].split()[0], row[1].split()[0]] for row in (ours, theirs)]
    ratios = RATIO.findall(page(LARGE_RESULTS))
    shown = tables(page(name))[-1]
    assert [[row[1] for row in shown], [row[2] for row in shown]] == measured
    assert {row[3] for row in shown} <= set(ratios)
