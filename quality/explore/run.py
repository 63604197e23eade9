"""One scenario in a process of its own."""

import sys
import time
from typing import NamedTuple

SECONDS_BETWEEN_LINES = 5.0


class Summary(NamedTuple):
    """
    What came of one scenario.

    Args:
        counterexample: a test, and ``problems`` what is wrong; empty if nothing was found.
    """

    scenario: str
    actors: int
    faults: int
    states: int
    ends: int
    orders: int
    seconds: float
    problems: list[str]
    counterexample: str


def run(name: str, without: str = "", faults: int | None = None) -> Summary:
    """
    Explore a scenario.

    Args:
        without: the line that is taken out of the function first.
        faults: in one order; those of the scenario by default.
    """
    if without:
        from quality.explore.deletions import DELETIONS
        from quality.explore.take_out import take_out

        take_out(DELETIONS[without])
    # Now that the line is gone.
    from quality.explore.counterexample import as_test, shortened
    from quality.explore.scenarios import BY_NAME
    from quality.explore.search import Explorer

    scenario = BY_NAME[name]
    if faults is not None:
        scenario = scenario._replace(faults=faults)
    began, last = time.process_time(), time.monotonic()

    def tell(states: int, width: int) -> None:
        nonlocal last
        if time.monotonic() >= last + SECONDS_BETWEEN_LINES:
            last = time.monotonic()
            print(f"  {name}: {states:,} states, {width:,} to go", file=sys.stderr, flush=True)

    explorer = Explorer(scenario)
    found = explorer.explore(tell)
    problems, test = [], ""
    if found:
        problems = found.problems
        moves = shortened(explorer, found.moves, problems[0])
        test = as_test(explorer, moves, problems)
    counts = explorer.counts
    seconds = time.process_time() - began
    return Summary(
        *(name, len(scenario.actors), scenario.faults, counts.states, counts.ends, counts.orders),
        *(seconds, problems, test),
    )
