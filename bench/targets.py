"""
What the project promises about its speed, each held against the figures of one run.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bench import cold_start, load, warm
from bench.figures import ratio

MAX_MEMORY_GROWTH_MB = 2.0
# A gap of this part of the usual one is one refresh too many; of more than the other, one left out.
ONE_WINDOW = (0.75, 1.25)


@dataclass(frozen=True)
class Outcome:
    """
    Args:
        value, least, most: the ratio of medians, and its spread over the rounds.

        limit: the value must not be over it; under it where ``at_least`` says so.
    """

    name: str
    value: float
    least: float
    most: float
    limit: float
    at_least: bool = False
    unit: str = "×"

    @property
    def is_met(self) -> bool:
        return self.value >= self.limit if self.at_least else self.value <= self.limit


def outcomes(results: Mapping[str, Any]) -> list[Outcome]:
    """Every promise whose figures are in ``results``."""
    found: list[Outcome] = []
    if "cold_start" in results:
        found += _of_cold_start(results["cold_start"])
    if "warm" in results:
        found += _of_warm(results["warm"])
    if "load" in results:
        found += _of_load(results["load"])
    if "refreshes" in results:
        found += _of_refreshes(results["refreshes"])
    if "growth" in results:
        grown = results["growth"]["memory"][-1]
        found.append(
            _single(f"memory growth over {grown[0]:,} callers", grown[1], MAX_MEMORY_GROWTH_MB, "MB")
        )
    return found


def _of_cold_start(figures: Mapping[str, Any]) -> list[Outcome]:
    limits = {
        cold_start.FLOOR: 1.10,
        cold_start.SAMPLE_SERVER: 0.40,
        cold_start.BOTO3: 0.55,
        cold_start.BOTO3_STS: 0.55,
        cold_start.ALI_OSS: 1.0,
    }
    ours = figures[cold_start.FUNCTION]
    times = [
        _ratio(f"cold start / {name}", ours["wall_ms"], figures[name]["wall_ms"], limit)
        for name, limit in limits.items()
    ]
    floor = figures[cold_start.FLOOR]
    return [*times, _ratio("peak memory / floor", ours["peak_mb"], floor["peak_mb"], 1.1)]


def _of_warm(figures: Mapping[str, Any]) -> list[Outcome]:
    def us(contestant: str, call: str) -> list[float]:
        found: list[float] = figures[f"{contestant}: {call}"]["us"]
        return found

    request = us(warm.FUNCTION, "anonymous, 1")
    return [
        _ratio("warm request / inline floor", request, us(warm.FLOOR, "1"), 2.0),
        _ratio("warm request / boto3's signing call", request, us(warm.BOTO3, "signature"), 1.0),
        _ratio("warm request / google-cloud-storage's", request, us(warm.GOOGLE, "signature"), 1.0),
        _ratio(
            "V4 signature / ali-oss's", us(warm.FUNCTION, "signature"), us(warm.ALI_OSS, "signature"), 0.6
        ),
    ]


def _of_load(figures: Mapping[str, Any]) -> list[Outcome]:
    def rates(name: str) -> list[float]:
        found: list[float] = figures[name]["per_cpu_second"]
        return found

    return [
        _ratio("requests per core / floor's", rates(load.FUNCTION), rates(load.FLOOR), 0.85, at_least=True)
    ]


def _of_refreshes(figures: Mapping[str, Any]) -> list[Outcome]:
    least, most = min(figures["gaps_in_windows"]), max(figures["gaps_in_windows"])
    p99 = figures["p99_ms"] / figures["p50_ms"]
    return [
        _single("p99 / p50 with forced refreshes", p99, 3.0),
        _single("AssumeRole calls per refresh window, at most", 1 / least, 1 / ONE_WINDOW[0], ""),
        _single(
            "AssumeRole calls per refresh window, at least", 1 / most, 1 / ONE_WINDOW[1], "", at_least=True
        ),
    ]


def _ratio(
    name: str, ours: list[float], theirs: list[float], limit: float, *, at_least: bool = False
) -> Outcome:
    found = ratio(ours, theirs)
    return Outcome(name, found["median"], found["least"], found["most"], limit, at_least)


def _single(name: str, value: float, limit: float, unit: str = "×", *, at_least: bool = False) -> Outcome:
    return Outcome(name, value, value, value, limit, at_least, unit)
