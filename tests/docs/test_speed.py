"""The figures of the page about speed are those that the last benchmark wrote."""

import re

import pytest

from ops.doctor import capacity
from quality import house
from tests.docs.markdown import both, page, tables
from tests.docs.test_overclaims import INSTANCES_OF_AN_ACCOUNT

RESULTS = "quality/bench/results/table.md"
LARGE_RESULTS = "quality/bench/results/large_files/table.md"
LIMITS_RESULTS = "quality/bench/results/limits/table.md"
BURST_RESULTS = "quality/bench/results/burst/table.md"
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
def test_the_calls_of_a_warm_form_are_those_that_a_test_holds(name):
    calls = [str(figure.cap) for figure in house.WARM_FIGURES if figure.name.startswith("Python calls")]
    counted = next(line for line in page(name).splitlines() if "quality.house" in line)
    assert re.findall(r"\d{3}", counted)[:2] == calls


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


@pytest.mark.parametrize("name", both("docs/speed.md"))
def test_every_figure_of_a_burst_was_measured(name):
    _, replayed, *_ = tables(page(BURST_RESULTS))
    possible = [row for row in replayed if int(row[2]) <= INSTANCES_OF_AN_ACCOUNT]
    # Instances, AssumeRole calls, processor seconds, p50 and p95.
    measured = [[row[column] for column in (2, 3, 5, 7, 8)] for row in possible]
    (shown,) = [table for table in tables(page(name)) if len(table[0]) == 7]
    assert [row[2:] for row in shown] == measured


@pytest.mark.parametrize("name", both("docs/speed.md"))
def test_every_figure_of_thousands_of_phones_was_replayed(name):
    (replayed,) = tables(page(LIMITS_RESULTS))
    # Phones that repeat, lost, lost before, p50, p95, worst; where 300 instances start at once.
    expected = [
        [row[0].split()[0], *row[5:]] for row in replayed if row[0] in ("100 instances", "300 instances")
    ]
    (shown,) = [table for table in tables(page(name)) if len(table[0]) == 8]
    assert [[row[0], *row[2:]] for row in shown] == expected


@pytest.mark.parametrize("name", both("docs/speed.md"))
def test_the_phones_that_a_deployment_carries_are_those_that_doctor_says(name):
    (shown,) = [table for table in tables(page(name)) if len(table[0]) == 5]
    accounts = [(100, "cn-hangzhou"), (300, "cn-hangzhou"), (300, "cn-hongkong")]
    kinds = (capacity.PLAIN, capacity.BURST)
    assert [row[1:] for row in shown] == [
        [f"{number:,}" for kind in kinds for number in capacity.phones(kind, *account)]
        for account in accounts
    ]


@pytest.mark.parametrize("name", both("docs/speed.md"))
def test_the_cost_of_a_burst_follows_from_the_measurements(name):
    """By 0.45 CU a second, 75 for 10,000 invocations, CNY 0.00011 a CU."""
    _, replayed, _, instances = tables(page(BURST_RESULTS))
    seconds = {row[1]: float(row[6]) for row in replayed if row[0] == "within one second"}
    starts = {row[0]: int(row[1].split()[0]) + int((row[2] or "0").split()[0]) for row in instances}
    kinds = ("this function, 1 at a time", "this function, 20 at a time")
    (cold, worked, units, price) = tables(page(name))[-1]
    for column, kind in enumerate(kinds, start=1):
        cu = seconds[kind] * 0.45 + 400 * 75 / 10_000
        assert abs(int(cold[column].split()[0]) - starts[kind]) <= 1
        assert float(worked[column]) == seconds[kind]
        assert float(units[column]) == pytest.approx(cu, abs=0.051)
        assert float(re.search(r"\d+\.\d\d", price[column])[0]) == pytest.approx(cu * 0.11, abs=0.006)
