"""
The arithmetic: contestants in turn, medians, and ratios with their spread.
"""

import statistics
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

Outcome = TypeVar("Outcome")


def in_turn(
    contestants: Mapping[str, Callable[[], Outcome]], rounds: int, progress: Callable[[str], None]
) -> dict[str, list[Outcome]]:
    """
    Run every contestant once a round, so that a noisy moment strikes them all alike.

    One round more than asked for is run and dropped: it fills the page cache.
    """
    outcomes: dict[str, list[Outcome]] = {name: [] for name in contestants}
    for number in range(rounds + 1):
        progress(f"round {number} of {rounds}" if number else "a round that does not count")
        for name, run in contestants.items():
            outcome = run()
            if number:
                outcomes[name].append(outcome)
    return outcomes


def summary(values: Sequence[float]) -> dict[str, float]:
    return {"median": statistics.median(values), "least": min(values), "most": max(values)}


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> dict[str, float]:
    """
    The median of ours over the median of theirs; the spread is that of the rounds, each by itself.

    Args:
        ours, theirs: one figure a round, in the same order.
    """
    each = [mine / other for mine, other in zip(ours, theirs, strict=True)]
    return {
        "median": statistics.median(ours) / statistics.median(theirs),
        "least": min(each),
        "most": max(each),
    }
