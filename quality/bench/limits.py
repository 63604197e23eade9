"""
``python -m quality.bench.limits``: thousands of phones at one instant, within the limits of Function Compute.

Replayed by ``fleet`` from what ``--only burst`` measured of one instance (``results/burst``): the processor
time of a start and of a phone, stretched to the share of a processor that an instance has, beside the time
that WeChat and STS take, and what Function Compute's example of a cold start shows. The same each time.
"""

import json
import random
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from quality.bench import burst, plot
from quality.bench.fleet import (
    ASSUME_ROLES_A_SECOND,
    PATIENCE,
    Deployment,
    Fleet,
    Outcome,
    Patience,
    Region,
    Sts,
)
from quality.bench.instances import SLOTS

FOLDER = Path(__file__).parent / "results" / "limits"
MEASURED = Path(__file__).parent / "results" / "burst" / "results.json"
PHONES, ROUNDS = 3000, 5
# ``cpu`` in s.yaml; the machine that was measured gave each instance a whole processor.
SHARE = 0.35
# Source: https://help.aliyun.com/zh/functioncompute/fc/user-guide/request-level-metrics, its example
RUNTIME_SECONDS = 0.488
PLAIN, BURST, BURST_ALONE = "plain", "burst", "burst, none waits for another's instance"
# The client before it knew these responses: as those of the function, half a second and a second later.
HASTY = Patience((0.5, 1.0), (0.5, 1.5))
# A function may have 90 of 100 instances and 270 of 300; the last region has 50 vCPU, so 142 instances.
REGIONS = {
    "100 instances": Region(100, 300),
    "300 instances": Region(300, 300),
    "300 instances, 100 at once": Region(300, 100),
    "300 instances, 50 vCPU": Region(300, 300, int(50 / SHARE)),
}


def deployments(measured: Mapping[str, Any]) -> dict[str, Deployment]:
    """Each kind of deployment, from the ``measured`` of ``burst``."""
    return {
        PLAIN: _deployment(measured[burst.ONE], 1),
        BURST: _deployment(measured[burst.MANY], SLOTS),
        BURST_ALONE: _deployment(measured[burst.MANY], SLOTS, fills=False),
    }


def _deployment(one: Mapping[str, Sequence[float]], slots: int, *, fills: bool = True) -> Deployment:
    start_cpu = [ms / 1000 for ms in one["start_cpu_ms"]]
    cpu = [ms / 2000 for ms in one["phone_cpu_ms"]]

    def seconds(waits: float) -> dict[int, list[float]]:
        # Requests under way share the processor.
        return {busy: [waits + busy * each / SHARE for each in cpu] for busy in range(1, slots + 1)}

    return Deployment(
        slots=slots,
        starts=[RUNTIME_SECONDS + each / SHARE for each in start_cpu],
        assumes=[burst.LATENCY_SECONDS],
        requests=[seconds(burst.LATENCY_SECONDS), seconds(0.0)],
        start_cpu=statistics.median(start_cpu),
        request_cpu=[statistics.median(cpu)] * 2,
        fills=fills,
    )


def come(
    phones: int, deployment: Deployment, region: Region, seed: int, patience: Patience = PATIENCE
) -> Outcome:
    fleet = Fleet(deployment, random.Random(seed), Sts(ASSUME_ROLES_A_SECOND), 0, region, patience)
    return fleet.run([0.0] * phones)


def measure() -> dict[str, Any]:
    """
    Returns:
        ``{"phones": …, "replayed": {region: {deployment: {figure: [one a round]}}}, "forms": …}``
    """
    kinds = deployments(json.loads(MEASURED.read_text("utf-8"))["burst"]["measured"])
    replayed: dict[str, dict[str, dict[str, list[float]]]] = {}
    for region in REGIONS:
        for kind, deployment in kinds.items():
            rows = [_figures(deployment, REGIONS[region], seed) for seed in range(ROUNDS)]
            replayed.setdefault(region, {})[kind] = {name: [row[name] for row in rows] for name in rows[0]}
    drawn = [(kind, region) for region in ("100 instances", "300 instances") for kind in (PLAIN, BURST)]
    seconds = {
        f"{kind}, {region}": sorted(come(PHONES, kinds[kind], REGIONS[region], 0).seconds)
        for kind, region in drawn
    }
    return {"phones": PHONES, "replayed": replayed, "seconds": seconds}


def _figures(deployment: Deployment, region: Region, seed: int) -> dict[str, float]:
    found = come(PHONES, deployment, region, seed)
    return {
        "instances": found.instances,
        "assume_roles": found.assume_roles,
        "429": found.busy.get(429, 0),
        "503": found.busy.get(503, 0),
        "repeated": found.repeated,
        "lost": found.lost,
        "hasty_lost": come(PHONES, deployment, region, seed, HASTY).lost,
        "most_forms": found.most_forms,
        **{name: ms / 1000 for name, ms in burst.spread(found.seconds).items()},
    }


COLUMNS = {
    "instances": "instances",
    "429": "429",
    "503": "503",
    "repeated": "phones that repeat",
    "lost": "phones lost",
    "hasty_lost": "lost by the client before",
    "p50_ms": "p50 s",
    "p95_ms": "p95 s",
    "worst_ms": "worst s",
}


def table(figures: Mapping[str, Any]) -> str:
    """The medians of the rounds; of what is lost, the most."""
    head = [f"{figures['phones']:,} phones", "deployment", *COLUMNS.values()]
    rows = [head, ["---"] * len(head)]
    for region, kinds in figures["replayed"].items():
        for kind, one in kinds.items():
            middle = {
                name: max(one[name]) if "lost" in name else statistics.median(one[name]) for name in COLUMNS
            }
            cells = [
                f"{middle[name]:.1f}" if name.endswith("_ms") else f"{middle[name]:.0f}" for name in COLUMNS
            ]
            rows.append([region, kind, *cells])
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def chart(figures: Mapping[str, Any]) -> str:
    """How many phones have their form by when."""
    charts = []
    # All to the same whole second, so that they can be compared.
    last = int(max(each[-1] for each in figures["seconds"].values())) + 1
    ends = [tenth / 10 for tenth in range(1, last * 10 + 1)]
    for title, seconds in figures["seconds"].items():
        points = [(end, float(sum(each <= end for each in seconds))) for end in ends]
        charts.append((f"{title}: phones with a form", "seconds", points))
    return plot.panels(charts)


def main() -> int:
    figures = measure()
    FOLDER.mkdir(parents=True, exist_ok=True)
    text = f"# Limits\n\n`python -m quality.bench.limits`: medians of {ROUNDS} rounds, the most lost.\n"
    (FOLDER / "table.md").write_text(f"{text}\n{table(figures)}", "utf-8")
    (FOLDER / "phones.svg").write_text(chart(figures), "utf-8")
    print(table(figures))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
