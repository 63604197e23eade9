"""The arithmetic: contestants in turn, medians, and ratios with their spread."""

import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar

# One value a round, by what was measured and of which contestant.
Figures = Mapping[str, Mapping[str, Sequence[float]]]
Measured = TypeVar("Measured")


def in_turn(
    contestants: Mapping[str, Callable[[], Measured]], rounds: int, progress: Callable[[str], None]
) -> dict[str, list[Measured]]:
    """
    Run every contestant once a round, so that a noisy moment strikes them all alike.

    One round more than asked for is run and dropped: it fills the page cache.
    """
    measured: dict[str, list[Measured]] = {name: [] for name in contestants}
    for number in range(rounds + 1):
        progress(f"round {number} of {rounds}" if number else "a round that does not count")
        for name, run in contestants.items():
            one = run()
            if number:
                measured[name].append(one)
    return measured


def spread(values: Sequence[float]) -> tuple[float, float, float]:
    """Return median, least and most."""
    return statistics.median(values), min(values), max(values)


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> tuple[float, float, float]:
    """
    Return the median of ours over the median of theirs, and the least and most of the rounds by themselves.

    Args:
        ours, theirs: one figure a round, in the same order.
    """
    each = [mine / other for mine, other in zip(ours, theirs, strict=True)]
    return statistics.median(ours) / statistics.median(theirs), min(each), max(each)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
