"""
Thousands of phones at one instant within the limits of Function Compute, replayed by ``fleet``.

``instances.json`` holds the measured processor time of a start and of a phone (a login and a form); it is
stretched to an instance's share of a processor, beside the time that WeChat and STS take and what Function
Compute's example of a cold start shows. Deterministic.
"""

import json
import random
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path

from quality.bench.figures import Figures, table
from quality.bench.fleet import ASSUME_ROLES_A_SECOND, Deployment, Fleet, Outcome, Region, Sts

MEASURED = Path(__file__).parent / "instances.json"
PHONES, ROUNDS = 3000, 5
# Requests that an instance of the burst deployment takes at once; seconds of a call to STS or WeChat.
SLOTS, LATENCY_SECONDS = 20, 0.03
# ``cpu`` in s.yaml; the machine that was measured gave each instance a whole processor.
SHARE = 0.35
# Source: https://help.aliyun.com/zh/functioncompute/fc/user-guide/request-level-metrics, its example
RUNTIME_SECONDS = 0.488
LOST = f"phones lost of {PHONES:,} at one instant, 100 instances, burst"
FORMS = f"requests for a form that count, at most of one of {PHONES:,} phones at one instant"
# By region, deployment and figure, one value a round.
Replayed = Mapping[str, Mapping[str, Mapping[str, list[float]]]]
PLAIN, BURST, BURST_ALONE = "plain", "burst", "burst, none waits for another's instance"
# A function may have 90 of 100 instances and 270 of 300.
REGIONS = {"100 instances": Region(100, 300), "300 instances": Region(300, 300)}


def deployments() -> dict[str, Deployment]:
    """Each kind of deployment, from what was measured of one instance."""
    measured = json.loads(MEASURED.read_text("utf-8"))
    return {
        PLAIN: _deployment(measured[PLAIN], 1),
        BURST: _deployment(measured[BURST], SLOTS),
        BURST_ALONE: _deployment(measured[BURST], SLOTS, fills=False),
    }


def _deployment(one: Mapping[str, Sequence[float]], slots: int, *, fills: bool = True) -> Deployment:
    cpu = [ms / 2000 for ms in one["phone_cpu_ms"]]

    def seconds(waits: float) -> dict[int, list[float]]:
        # Requests under way share the processor.
        return {busy: [waits + busy * each / SHARE for each in cpu] for busy in range(1, slots + 1)}

    return Deployment(
        slots=slots,
        starts=[RUNTIME_SECONDS + ms / 1000 / SHARE for ms in one["start_cpu_ms"]],
        assumes=[LATENCY_SECONDS],
        requests=[seconds(LATENCY_SECONDS), seconds(0.0)],
        fills=fills,
    )


def come(phones: int, deployment: Deployment, region: Region, seed: int) -> Outcome:
    fleet = Fleet(deployment, random.Random(seed), Sts(ASSUME_ROLES_A_SECOND), region)
    return fleet.run([0.0] * phones)


def replay() -> Replayed:
    """Replay each deployment in each region."""
    replayed: dict[str, dict[str, dict[str, list[float]]]] = {}
    for region in REGIONS:
        for kind, deployment in deployments().items():
            rows = [_figures(deployment, REGIONS[region], seed) for seed in range(ROUNDS)]
            replayed.setdefault(region, {})[kind] = {name: [row[name] for row in rows] for name in rows[0]}
    return replayed


def promised(replayed: Replayed) -> Figures:
    """The figures that are promised: of the burst deployment with the fewest instances, and of any phone."""
    if not replayed:
        return {}
    few = replayed["100 instances"]
    return {
        LOST: {kind: few[kind]["lost"] for kind in (BURST, BURST_ALONE)},
        FORMS: {"any": [max(one["most_forms"]) for kinds in replayed.values() for one in kinds.values()]},
    }


def _figures(deployment: Deployment, region: Region, seed: int) -> dict[str, float]:
    found = come(PHONES, deployment, region, seed)
    return {
        "instances": found.instances,
        "assume_roles": found.assume_roles,
        "429": found.busy,
        "repeated": found.repeated,
        "lost": found.lost,
        "most_forms": found.most_forms,
        **dict(zip(SECONDS, percentiles(found.seconds), strict=True)),
    }


def percentiles(seconds: Sequence[float]) -> list[float]:
    """Return p50, p95 and the worst."""
    ordered = sorted(seconds)
    return [ordered[min(len(ordered) - 1, len(ordered) * percent // 100)] for percent in (50, 95, 100)]


COLUMNS = {
    "instances": "instances",
    "429": "429",
    "repeated": "phones that repeat",
    "lost": "phones lost",
    "p50": "p50 s",
    "p95": "p95 s",
    "worst": "worst s",
}

SECONDS = ("p50", "p95", "worst")


def table_of(replayed: Replayed) -> str:
    """Return the medians of the rounds as Markdown; for lost phones, the most."""

    def cell(name: str, values: Sequence[float]) -> str:
        middle = max(values) if name == "lost" else statistics.median(values)
        return f"{middle:.{1 if name in SECONDS else 0}f}"

    rows = [
        (region, kind, *(cell(name, one[name]) for name in COLUMNS))
        for region, kinds in replayed.items()
        for kind, one in kinds.items()
    ]
    return table((f"{PHONES:,} phones", "deployment", *COLUMNS.values()), rows)
