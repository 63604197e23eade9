"""What each part of the run found, the progress on the way, and the table at the end."""

import sys
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

SECONDS_BETWEEN_LINES = 5.0
SHOWN_PROBLEMS = 20
# The closing lines, in this order.
TOTALS = (
    *("faults tried", "faults survived", "fuzz inputs", "fuzz escapes", "steps in lives of held objects"),
    *("mutants killed or equivalent", "mutants surviving"),
)


@dataclass
class Result:
    """
    One part of the run.

    Args:
        figures: rows of the closing table: what, and how many.

        totals: what the closing lines add up over all parts, such as ``fuzz inputs``.

        problems: one sentence each; none means that the part passed.

        searched: characters searched for secrets, by kind of place.

        secrets: where secrets were found.

        notes: what a reader should know beside the figures.
    """

    name: str
    figures: list[tuple[str, str]] = field(default_factory=list)
    totals: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)
    searched: Counter[str] = field(default_factory=Counter)
    secrets: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    seconds: float = 0.0


class Progress:
    """A line on stderr every few seconds."""

    def __init__(self, name: str, total: int) -> None:
        self._name = name
        self._total = total
        self._started = self._last = time.monotonic()

    def show(self, done: int, more: str = "") -> None:
        now = time.monotonic()
        if now - self._last < SECONDS_BETWEEN_LINES and done < self._total:
            return
        self._last = now
        print(
            f"  {self._name}: {done:,} of {self._total:,} in {now - self._started:.0f} s {more}",
            file=sys.stderr,
            flush=True,
        )


def print_table(results: Iterable[Result]) -> bool:
    """Print everything found; say whether all is well."""
    results, searched, totals = list(results), Counter[str](), Counter[str]()
    secrets: list[str] = []
    print("\n=== torture ===")
    for result in results:
        searched.update(result.searched)
        totals.update(result.totals)
        secrets += result.secrets
        for what, count in result.figures:
            print(f"{result.name:<10} {what:<62} {count:>16}")
    for place, characters in sorted(searched.items()):
        print(f"{'secrets':<10} {f'characters searched: {place}':<62} {characters:>16,}")
    for what in filter(totals.__contains__, TOTALS):
        print(f"{what:<73} {totals[what]:>16,}")
    print(f"{'secrets found':<73} {len(secrets):>16,}\n")
    print("seconds:", ", ".join(f"{result.name} {result.seconds:.0f}" for result in results))
    for result in results:
        for note in result.notes:
            print(f"note ({result.name}): {note}")
    problems = [f"{result.name}: {problem}" for result in results for problem in result.problems]
    problems += [f"secrets: {place}" for place in secrets]
    for problem in problems[:SHOWN_PROBLEMS]:
        print(f"PROBLEM {problem}")
    if len(problems) > SHOWN_PROBLEMS:
        print(f"PROBLEM … and {len(problems) - SHOWN_PROBLEMS} more")
    print("all well" if not problems else f"{len(problems)} problems")
    return not problems
