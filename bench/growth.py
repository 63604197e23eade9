"""
Growth: what one request costs as profiles, files, the security token or the number of callers grow.
"""

import json
import statistics
from typing import Any

from bench.figures import bend, line_through
from bench.fresh_process import time_first_line
from bench.setting_up import Bench, Progress
from bench.sts_stand_in import StsStandIn

PROFILES = (1, 10, 25, 50, 75, 100)
FILES = (1, 2, 5, 10, 15, 20)
TOKEN_CHARACTERS = (512, 1024, 2048, 3072, 4096)
# How far off a straight line a measured point may lie and still be called flat or linear.
MAX_BEND = 0.25

Points = list[tuple[float, float]]


def measure(bench: Bench, sts: StsStandIn, rounds: int, callers: int, progress: Progress) -> dict[str, Any]:
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
        rows["token"].append(_tokens(bench, sts))
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
    shape = "not a line" if bend(points) > MAX_BEND else "flat" if abs(rise) < 0.1 else "linear"
    return f"{shape}: {start:,.0f} us + {slope:,.3g} us each; no point is over {bend(points):.0%} off"


def _tokens(bench: Bench, sts: StsStandIn) -> Points:
    points = []
    usual = sts.token_characters
    for characters in TOKEN_CHARACTERS:
        sts.token_characters = characters
        points.append((characters, _run(bench, "token()")["us"]))
    sts.token_characters = usual
    return points


def _run(bench: Bench, call: str) -> dict[str, Any]:
    command = bench.run_python("growth_function", bench.package, call=call)
    figures: dict[str, Any] = json.loads(time_first_line(command, bench.environ).line)
    return figures
