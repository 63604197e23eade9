"""
The outcome of a run, as JSON, as a table in Markdown, and as plots.
"""

import json
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from quality.bench import burst, growth, large_files, limits, load, plot, quotas
from quality.bench.figures import summary
from quality.bench.modes import MODES
from quality.bench.targets import Outcome, outcomes

Row = Sequence[str]
OF_GROWTH = {
    "profiles": ("a request, by number of profiles", "profiles"),
    "reading": ("reading the settings, by profiles", "profiles"),
    "files": ("a request, by files in it", "files"),
    "token": ("a request, by length of the security token", "characters"),
    "callers": ("a request, by callers so far", "callers"),
}


def write(folder: Path, about: Mapping[str, Any], results: Mapping[str, Any]) -> str:
    """
    Write ``results.json``, ``table.md`` and the plots.

    Returns:
        the table.
    """
    folder.mkdir(parents=True, exist_ok=True)
    table = render(about, results)
    document = {"about": about, **thinned({name: part for name, part in results.items() if name != "limits"})}
    (folder / "results.json").write_text(json.dumps(document, indent=1, default=str) + "\n", "utf-8")
    (folder / "table.md").write_text(table, "utf-8")
    if "cold_start" in results:
        rows = [
            (name, *summary(figures["wall_ms"]).values()) for name, figures in results["cold_start"].items()
        ]
        title = "Cold start: fresh process to first signed form"
        text = plot.bars(title, sorted(rows, key=lambda row: row[1]), "ms", MODES)
        (folder / "cold_start.svg").write_text(text, "utf-8")
    if "growth" in results:
        charts = [
            (f"{title} (us)", axis, results["growth"][name]) for name, (title, axis) in OF_GROWTH.items()
        ]
        charts.append(("memory grown (MB)", "callers", results["growth"]["memory"]))
        (folder / "growth.svg").write_text(plot.panels(charts), "utf-8")
    return table


def thinned(results: Mapping[str, Any]) -> dict[str, Any]:
    """Figures with four digits that count, which is more than they are worth."""
    thin: dict[str, Any] = json.loads(
        json.dumps(results), parse_float=lambda text: float(f"{float(text):.4g}")
    )
    return thin


def render(about: Mapping[str, Any], results: Mapping[str, Any]) -> str:
    parts = [_about(about), "## Promises\n", table_of_outcomes(outcomes(results))]
    if "cold_start" in results:
        parts += ["## Cold start\n", _table_of_cold_start(results["cold_start"])]
    if "warm" in results:
        parts += ["## Warm\n", _table_of_warm(results["warm"])]
    if "load" in results:
        parts += ["## Load\n", _table_of_load(results["load"])]
    if "refreshes" in results:
        parts.append(_words_on_refreshes(results["refreshes"]))
    if "growth" in results:
        parts += ["## Growth\n", _table_of_growth(results["growth"])]
    if "large_files" in results:
        parts += ["## Large files\n", _table_of_large_files(results["large_files"])]
    if "burst" in results:
        parts += ["## Burst\n", _tables_of_burst(results["burst"])]
    if "limits" in results:
        parts += ["## Limits\n", limits.table(results["limits"])]
    if results.get("quotas"):
        parts += ["## Quotas\n", _table_of_quotas(results["quotas"])]
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
            f"{one['package_mb']:.1f}" if one["package_mb"] else "",
        )
        for name, one in figures.items()
    ]
    return _table(("process", "wall ms", "CPU ms", "peak MB", "package MB"), rows)


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
            f"{one['wrk']['per_second']:.0f}" if one["wrk"] else "",
        )
        for name, one in figures.items()
    ]
    head = ("application", "requests/s", "requests per CPU second", "p50 ms", "p99 ms", "requests/s by wrk")
    return _table(head, rows)


def _words_on_refreshes(figures: Mapping[str, Any]) -> str:
    during = figures["during_refresh"]
    return (
        f"With forced refreshes: {figures['requests']:,} requests and {figures['assume_role_calls']} calls"
        f" of AssumeRole; p50 {figures['p50_ms']:.2f} ms, p99 {figures['p99_ms']:.2f} ms, the longest"
        f" {figures['longest_ms']:.0f} ms. STS takes {load.STS_LATENCY_SECONDS * 1000:.0f} ms here, and the"
        f" one request that asks it waits. {during['requests']} requests were under way meanwhile; half of"
        f" them took at most {during['p50_ms']:.2f} ms, the slowest hundredth {during['p99_ms']:.0f} ms.\n"
    )


def _table_of_growth(figures: Mapping[str, Any]) -> str:
    rows = [
        (title, (growth.verdict_of_stretches if name == "callers" else growth.verdict)(figures[name]))
        for name, (title, _) in OF_GROWTH.items()
    ]
    number, grown = figures["memory"][-1]
    rows.append((f"memory over {number:,} requests from as many callers", f"{grown:+.2f} MB"))
    return _table(("cost of", "how it grows"), rows)


def _table_of_large_files(figures: Mapping[str, Any]) -> str:
    rows = [
        (
            name,
            _spread(figures[name]["seconds"], 1),
            _spread([again / 2**20 for again in figures[name]["again"]], 1),
            _spread(figures[name]["requests"]),
            _spread(figures[name]["faults"]),
            _spread(figures[name]["starts"]),
        )
        for name in (large_files.OURS, large_files.COS)
    ]
    size = f"{figures['mebibytes']} MiB, 30 % of all requests failing"
    head = (size, "seconds", "MiB sent again", "requests", "of which failed", "starts")
    return _table(head, rows)


def _tables_of_burst(figures: Mapping[str, Any]) -> str:
    columns = {
        "instances": ("instances", 0),
        "assume_roles": ("AssumeRole calls", 0),
        "refused": ("refused", 0),
        "cpu_seconds": ("processor s", 1),
        "instance_seconds": ("instance s", 1),
        "p50_ms": ("p50 ms", 0),
        "p95_ms": ("p95 ms", 0),
        "worst_ms": ("worst ms", 0),
        "lost": ("phones lost", 0),
    }

    def cells(one: Mapping[str, Any]) -> list[str]:
        middle = {
            key: one[key] if isinstance(one[key], int | float) else statistics.median(one[key]) for key in one
        }
        return [f"{middle[key]:.{digits}f}" if key in middle else "" for key, (_, digits) in columns.items()]

    head = [name for name, _ in columns.values()]
    rows = [
        (case, name, *cells(one))
        for case, fleets in figures["replayed"].items()
        for name, one in fleets.items()
    ]
    replayed = _table((f"{figures['phones']} phones", "deployment", *head), rows)
    real = [(name, *cells(one)) for name, one in figures["real"].items()]
    really = _table((f"{figures['real_phones']} phones", *head), real)
    measured = [
        (name, *(_spread(values) if values else "" for values in one.values()))
        for name, one in figures["measured"].items()
    ]
    instance = ("start ms", "initialize ms", "processor ms of a start", "processor ms of a phone")
    return (
        f"A phone logs in and asks for a form; STS and WeChat take {burst.LATENCY_SECONDS * 1000:.0f} ms"
        " each. Replayed from instances that had the machine to themselves, because each has a processor of"
        f" its own in the cloud; STS refuses all over {burst.ASSUME_ROLES_A_SECOND} calls in a second:\n\n"
        f"{replayed}\nReally run, all at one instant and all on this machine:\n\n{really}\n"
        f"One instance:\n\n{_table(('instance', *instance), measured)}"
    )


def _table_of_quotas(figures: Mapping[str, Any]) -> str:
    requests = figures["request_us"]
    plain = statistics.median(requests[quotas.PLAIN])
    rows = [
        (f"`{place}`", _spread(values), f"{statistics.median(values) - plain:+.0f}")
        for place, values in requests.items()
    ]
    trip = figures["round_trip_us"]
    return (
        f"{_table(('QUOTA_URL', 'a warm request, us', 'added, us'), rows)}\n"
        f"One count in a Redis on loopback: {trip['p50']:.0f} us (p99 {trip['p99']:.0f}); the first, with its"
        f" connection, {figures['first_us']:.0f} us. To import the client of Redis costs a cold start"
        f" {_spread(figures['import_ms'])} ms.\n"
    )


def _spread(values: Sequence[float], digits: int = 0) -> str:
    found = summary(values)
    return f"{found['median']:.{digits}f} ({found['least']:.{digits}f} to {found['most']:.{digits}f})"


def _table(head: Row, rows: Sequence[Row]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
