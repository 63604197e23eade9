"""The figures on docs/speed are those of the last benchmark; those of mutation are of its table."""

import re

from quality import house
from quality.bench.fleet import BURST, PLAIN, Region
from quality.torture import mutation_table
from tests.docs.markdown import page, tables

RESULTS = "quality/bench/results/table.md"
PAGE = "docs/speed.md"
DATE = re.compile(r"20\d\d-\d\d-\d\d")
RATIO = re.compile(r"\d+\.\d\d ×")


def measured_anew():
    """Return the page without what was measured once."""
    return page(PAGE).partition("## Measured once")[0]


def cold_starts():
    """Return milliseconds and MB of each process in the results, as whole numbers."""
    _, figures, _ = tables(page(RESULTS))
    found = {(what, process): str(int(float(median) + 0.5)) for what, process, median, *_ in figures}
    return {
        (found[what, process], found["cold start, peak MB", process])
        for what, process in found
        if what == "cold start, ms"
    }


def test_the_page_is_of_the_day_of_the_results():
    assert DATE.search(page(PAGE))[0] == DATE.search(page(RESULTS))[0]


def test_every_ratio_in_a_table_was_measured():
    shown = {
        ratio
        for table in tables(measured_anew())
        for row in table
        for cell in row
        for ratio in RATIO.findall(cell)
    }
    assert shown
    assert shown <= set(RATIO.findall(page(RESULTS)))


def test_the_calls_of_a_warm_form_are_those_that_a_test_holds():
    calls = [str(figure.cap) for figure in house.WARM_FIGURES if figure.name.startswith("Python calls")]
    counted = next(line for line in page(PAGE).splitlines() if "quality.house" in line)
    assert re.findall(r"\d{3}", counted)[:2] == calls


def test_every_cold_start_shown_was_measured():
    shown = {(row[1], row[2]) for row in tables(page(PAGE))[0]}
    assert len(shown) > 1
    assert shown <= cold_starts()


def test_every_figure_of_thousands_of_phones_was_replayed():
    replayed = tables(page(RESULTS))[-1]
    # Phones that repeat, lost, p50, p95, worst.
    expected = [[row[0].split()[0], *row[4:]] for row in replayed]
    (shown,) = [table for table in tables(measured_anew()) if len(table[0]) == 7]
    assert [[row[0], *row[2:]] for row in shown] == expected


def test_the_phones_that_a_deployment_carries_follow_from_the_limits():
    (shown,) = [table for table in tables(measured_anew()) if len(table[0]) == 5]
    assert [row[1:] for row in shown] == [
        [f"{number:,}" for kind in (PLAIN, BURST) for number in region.phones(*kind)]
        for region in (Region(100, 300), Region(300, 300), Region(300, 100))
    ]


def test_the_figures_of_mutation_are_those_of_its_table():
    (line,) = [line for line in page("docs/testing.md").splitlines() if "equivalent_mutants.toml" in line]
    rows = mutation_table.rows().values()
    counts = [sum(getattr(row, field) for row in rows) for field in ("mutants", "killed", "equivalent")]
    figures = [len(rows), *counts, sum(len(row.surviving) for row in rows)]
    assert [int(figure.replace(",", "")) for figure in re.findall(r"\d[\d,]*", line)] == figures
