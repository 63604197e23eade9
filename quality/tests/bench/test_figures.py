"""figures and growth: turns, medians, ratios, lines."""

import pytest

from quality.bench import growth
from quality.bench.figures import bend, in_turn, line_through, ratio


def test_contestants_run_in_turn_and_the_first_round_does_not_count():
    order = []
    runs = {"a": lambda: order.append("a") or len(order), "b": lambda: order.append("b") or len(order)}
    assert in_turn(runs, 2, lambda _: None) == {"a": [3, 5], "b": [4, 6]}
    assert order == ["a", "b"] * 3


def test_a_ratio_is_of_the_medians_and_its_spread_is_of_the_rounds():
    found = ratio([10, 20, 90], [20, 40, 30])
    assert found == {"median": 20 / 30, "least": 0.5, "most": 3.0}


def test_a_straight_line_is_found_and_a_bend_is_seen():
    line = [(1, 12.0), (10, 30.0), (20, 50.0)]
    assert line_through(line) == pytest.approx((10.0, 2.0))
    assert bend(line) == pytest.approx(0.0, abs=1e-9)
    assert growth.verdict(line).startswith("linear: 10 us +2 us each")
    assert growth.verdict([(1, 100.0), (100, 101.0)]).startswith("flat")
    assert growth.verdict([(x, x * x) for x in (1.0, 10.0, 50.0, 100.0)]).startswith("not a line")


def test_a_slow_phase_of_the_machine_is_no_growth_but_a_rise_is():
    calm = [(number, 200.0 + number % 3) for number in range(1, 21)]
    assert growth.verdict_of_stretches([*calm[:8], (9, 400.0), *calm[9:]]).startswith("flat")
    assert growth.verdict_of_stretches([(x, y + 2 * x) for x, y in calm]).startswith("rising")
