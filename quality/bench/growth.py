"""
Growth: what one request costs as profiles, files, the security token or the number of callers grow.
"""

import json
import statistics
from typing import Any

from quality.bench.figures import bend, line_through
from quality.bench.fresh_process import time_first_line
from quality.bench.modes import ANONYMOUS
from quality.bench.setting_up import Bench, Progress

PROFILES = (1, 10, 25, 50, 75, 100)
FILES = (1, 2, 5, 10, 15, 20)
TOKEN_CHARACTERS = (512, 1024, 2048, 3072, 4096)
# How far off a straight line a measured point may lie and still be called flat or linear.
MAX_BEND = 0.25
# A rise by less than this part over the whole range is called flat.
FLAT = 0.1

Points = list[tuple[float, float]]


def measure(bench: Bench, rounds: int, callers: int, progress: Progress) -> dict[str, Any]:
    """
    Returns:
        points ``(how many, microseconds)`` of each series; ``callers`` also ``memory``, in MB over the start.
    """
    rows: dict[str, list[Points]] = {"profiles": [], "reading": [], "files": [], "token": []}
    for number in range(1, rounds + 1):
        progress(f"growth: round {number} of {rounds}")
        profiles = _run(bench, f"profiles({list(PROFILES)})")
        rows["profiles"].append(profiles["request"])
        rows["reading"].append(profiles["reading"])
        rows["files"].append(_run(bench, f"files({list(FILES)})")["request"])
        rows["token"].append(_run(bench, f"tokens({list(TOKEN_CHARACTERS)})")["request"])
    progress(f"growth: {callers:,} requests from {callers:,} callers (minutes)")
    grown = _run(bench, f"callers({callers})")["callers"]
    return {
        **{name: medians(each) for name, each in rows.items()},
        "callers": [(number, us) for number, us, _ in grown],
        "memory": [(number, mb) for number, _, mb in grown],
    }


def medians(rounds: list[Points]) -> Points:
    """The same points in every round become one series."""
    return [(points[0][0], statistics.median(us for _, us in points)) for points in zip(*rounds, strict=True)]


def verdict(points: Points) -> str:
    """What the series does, in words, by the straight line through it."""
    start, slope = line_through(points)
    least, most = points[0][0], points[-1][0]
    rise = slope * (most - least) / (start + slope * least)
    shape = "not a line" if bend(points) > MAX_BEND else "flat" if abs(rise) < FLAT else "linear"
    return f"{shape}: {start:,.0f} us {slope:+,.3g} us each; no point is over {bend(points):.0%} off"


def verdict_of_stretches(points: Points) -> str:
    """
    Whether the later stretches cost more than the earlier ones.

    The best of each half is compared: minutes on a shared machine have slow phases of their own.
    """
    middle = len(points) // 2
    earlier = min(us for _, us in points[:middle])
    later = min(us for _, us in points[middle:])
    shape = "flat" if later < earlier * (1 + FLAT) else "rising"
    return f"{shape}: at best {earlier:,.0f} us in the first half, {later:,.0f} us in the second"


def _run(bench: Bench, call: str) -> dict[str, Any]:
    command = bench.run_python("growth_function", bench.package, call=call)
    figures: dict[str, Any] = json.loads(time_first_line(command, bench.environ_of(ANONYMOUS)).line)
    return figures
