"""The outcome of a run as Markdown: promises, figures, and the phones at one instant."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from quality.bench import limits
from quality.bench.figures import Figures, spread, table
from quality.bench.targets import Outcome, outcomes


def write(folder: Path, about: Mapping[str, Any], figures: Figures, replayed: limits.Replayed) -> str:
    """Write ``table.md`` and return its text."""
    folder.mkdir(parents=True, exist_ok=True)
    versions = ", ".join(f"{name} {version}" for name, version in about["versions"].items())
    parts = [
        "# Benchmarks\n",
        f"`{about['command']}` on {about['date']}; {about['machine']}; load average before the run"
        f" {about['load'][0]:.2f}, after it {about['load'][1]:.2f}.\n",
        f"{versions}.\n",
        table_of_outcomes(outcomes(figures)),
        table_of_figures(figures),
        *([limits.table_of(replayed)] if replayed else []),
    ]
    text = "\n".join(parts)
    (folder / "table.md").write_text(text, "utf-8")
    return text


def table_of_outcomes(found: Iterable[Outcome]) -> str:
    rows = [
        (
            outcome.name,
            f"{outcome.value:.2f}{outcome.unit}",
            f"{outcome.least:.2f} to {outcome.most:.2f}" if outcome.least != outcome.most else "",
            f"{'≥' if outcome.at_least else '≤'} {outcome.limit:.2f}",
            "met" if outcome.is_met else "**not met**",
        )
        for outcome in found
    ]
    return table(("promise", "measured", "spread of the rounds", "promised", ""), rows)


def table_of_figures(figures: Figures) -> str:
    rows = [
        (what, contestant, *(f"{value:.1f}" for value in spread(values)))
        for what, contestants in figures.items()
        for contestant, values in contestants.items()
    ]
    return table(("figure", "of", "median", "least", "most"), rows)
