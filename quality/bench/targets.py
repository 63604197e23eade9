"""Promises about speed, each held against the figures of one run."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from quality.bench import cold_start, limits, load, warm
from quality.bench.figures import ratio
from quality.bench.modes import ANONYMOUS, WECHAT

# Of the first request of a mini-program, the longest way to a form.
COLD_START_LIMITS = {cold_start.FLOOR: 0.80, cold_start.SAMPLE_SERVER: 0.30}
# In processor time, which a busy machine does not make longer.
COLD_CPU_LIMITS = {
    (WECHAT, ANONYMOUS): 1.15,
    (WECHAT, cold_start.FLOOR): 0.70,
    (WECHAT, cold_start.SAMPLE_SERVER): 0.24,
}
# Of the floor's.
MAX_MEMORY = 0.72
MAX_ZIPPED_MB = 6.2
# Of the floor of the same request, in processor time.
WARM_LIMITS = {
    (ANONYMOUS, "1"): 1.75,
    (WECHAT, "1"): 2.1,
    (warm.CONFIRMED, "1"): 2.5,
    (warm.READING, "read 1"): 1.35,
    (warm.READING, "read 50"): 2.0,
}


@dataclass(frozen=True)
class Outcome:
    """
    One promise and what was measured.

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
    """Return every promise whose figures are in ``results``."""
    judges = {
        "cold_start": _of_cold_start,
        "package": _of_package,
        "warm": _of_warm,
        "load": _of_load,
        "limits": _of_limits,
    }
    return [outcome for part, judge in judges.items() if part in results for outcome in judge(results[part])]


def _of_cold_start(figures: Mapping[str, Any]) -> list[Outcome]:
    def held(what: str, unit: str, ours: str, theirs: str, limit: float) -> Outcome:
        return _ratio(f"{what}: {ours} / {theirs}", figures[ours][unit], figures[theirs][unit], limit)

    return [
        *(held("cold start", "wall_ms", WECHAT, peer, limit) for peer, limit in COLD_START_LIMITS.items()),
        *(
            held("processor time of a cold start", "cpu_ms", *pair, limit)
            for pair, limit in COLD_CPU_LIMITS.items()
        ),
        *(held("peak memory", "peak_mb", ours, cold_start.FLOOR, MAX_MEMORY) for ours in (WECHAT, ANONYMOUS)),
    ]


def _of_package(figures: Mapping[str, Any]) -> list[Outcome]:
    return [_single("package, zipped", figures["zipped_mb"], MAX_ZIPPED_MB, "MB")]


def _of_warm(figures: Mapping[str, Any]) -> list[Outcome]:
    def us(contestant: str, call: str) -> list[float]:
        found: list[float] = figures[f"{contestant}: {call}"]["us"]
        return found

    name = f"warm request: {WECHAT} / {ANONYMOUS}"
    return [
        _ratio(name, us(WECHAT, "1"), us(ANONYMOUS, "1"), 1.25),
        *(
            _ratio(
                f"warm request: {mode}, {call} / inline floor", us(mode, call), us(warm.FLOOR, call), limit
            )
            for (mode, call), limit in WARM_LIMITS.items()
        ),
    ]


def _of_load(figures: Mapping[str, Any]) -> list[Outcome]:
    ours, theirs = (figures[name]["per_cpu_second"] for name in (load.FUNCTION, load.FLOOR))
    return [_ratio("requests per core / floor's", ours, theirs, 0.80, at_least=True)]


def _of_limits(figures: Mapping[str, Any]) -> list[Outcome]:
    few = figures["replayed"]["100 instances"]
    lost = [max(few[kind]["lost"]) for kind in (limits.BURST, limits.BURST_ALONE)]
    forms = [max(one["most_forms"]) for kinds in figures["replayed"].values() for one in kinds.values()]
    about = f"{figures['phones']:,} phones at one instant"
    return [
        _single(f"lost of {about}, 100 instances, {limits.BURST}", max(lost), 0, ""),
        _single(f"requests for a form that count, at most of one of {about}", max(forms), 60, ""),
    ]


def _ratio(
    name: str, ours: list[float], theirs: list[float], limit: float, *, at_least: bool = False
) -> Outcome:
    found = ratio(ours, theirs)
    return Outcome(name, found["median"], found["least"], found["most"], limit, at_least)


def _single(name: str, value: float, limit: float, unit: str = "×") -> Outcome:
    return Outcome(name, value, value, value, limit, unit=unit)
