"""The outcome of a run as one table in Markdown."""

import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from quality.bench import limits
from quality.bench.figures import summary
from quality.bench.targets import Outcome, outcomes

Row = Sequence[str]


def write(folder: Path, about: Mapping[str, Any], results: Mapping[str, Any]) -> str:
    """Write ``table.md`` and return its text."""
    folder.mkdir(parents=True, exist_ok=True)
    text = render(about, results)
    (folder / "table.md").write_text(text, "utf-8")
    return text


def render(about: Mapping[str, Any], results: Mapping[str, Any]) -> str:
    parts = [_about(about), "## Promises\n", table_of_outcomes(outcomes(results))]
    if "cold_start" in results:
        parts += ["## Cold start\n", _table_of_cold_start(results["cold_start"])]
    if "warm" in results:
        parts += ["## Warm\n", _table_of_warm(results["warm"])]
    if "load" in results:
        parts += ["## Load\n", _table_of_load(results["load"])]
    if "limits" in results:
        parts += ["## Limits\n", limits.table(results["limits"])]
    return "\n".join(parts)


def table_of_outcomes(found: Sequence[Outcome]) -> str:
    rows = [
        (
            outcome.name,
            f"{outcome.value:.2f} {outcome.unit}".strip(),
            f"{outcome.least:.2f} to {outcome.most:.2f}" if outcome.least != outcome.most else "",
            f"{'≥' if outcome.at_least else '≤'} {outcome.limit:.2f}",
            "met" if outcome.is_met else "**not met**",
        )
        for outcome in found
    ]
    return _table(("what", "measured", "spread of the rounds", "promised", ""), rows)


def _about(about: Mapping[str, Any]) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in about["versions"].items())
    return (
        "# Benchmarks\n\n"
        f"`{about['command']}` on {about['date']}; {about['machine']}; load average before the run"
        f" {about['load_before']:.2f}, after it {about['load_after']:.2f}.\n\n{versions}.\n"
        + (f"\n{about['remark']}\n" if about.get("remark") else "")
    )


def _table_of_cold_start(figures: Mapping[str, Any]) -> str:
    rows = [
        (
            name,
            _spread(one["wall_ms"]),
            f"{statistics.median(one['cpu_ms']):.0f}",
            f"{statistics.median(one['peak_mb']):.1f}",
        )
        for name, one in figures.items()
    ]
    return _table(("process", "wall ms", "CPU ms", "peak MB"), rows)


def _table_of_warm(figures: Mapping[str, Any]) -> str:
    rows = [
        (name, _spread(one["us"], 1), f"{one['allocated_kb']:.1f}" if one["allocated_kb"] else "")
        for name, one in figures.items()
    ]
    return _table(("call", "us", "KB held at most"), rows)


def _table_of_load(figures: Mapping[str, Any]) -> str:
    rows = [
        (
            name,
            _spread(one["per_second"]),
            _spread(one["per_cpu_second"]),
            f"{statistics.median(one['p50_ms']):.2f}",
            f"{statistics.median(one['p99_ms']):.2f}",
        )
        for name, one in figures.items()
    ]
    return _table(("application", "requests/s", "requests per CPU second", "p50 ms", "p99 ms"), rows)


def _spread(values: Sequence[float], digits: int = 0) -> str:
    found = summary(values)
    return f"{found['median']:.{digits}f} ({found['least']:.{digits}f} to {found['most']:.{digits}f})"


def _table(head: Row, rows: Sequence[Row]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
