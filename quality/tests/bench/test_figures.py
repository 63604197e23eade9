"""figures: turns, medians and ratios."""

from quality.bench.figures import in_turn, ratio


def test_contestants_run_in_turn_and_the_first_round_does_not_count():
    order = []
    runs = {"a": lambda: order.append("a") or len(order), "b": lambda: order.append("b") or len(order)}
    assert in_turn(runs, 2, lambda _: None) == {"a": [3, 5], "b": [4, 6]}
    assert order == ["a", "b"] * 3


def test_a_ratio_is_of_the_medians_and_its_spread_is_of_the_rounds():
    found = ratio([10, 20, 90], [20, 40, 30])
    assert found == {"median": 20 / 30, "least": 0.5, "most": 3.0}
