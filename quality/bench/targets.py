"""
What the project promises about its speed, each held against the figures of one run.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from quality.bench import burst, cold_start, large_files, limits, load, warm
from quality.bench.figures import ratio
from quality.bench.modes import ANONYMOUS, WECHAT

# Held against the first request of a mini-program, the longest way to a form.
COLD_START_LIMITS = {
    cold_start.FLOOR: 0.80,
    cold_start.SAMPLE_SERVER: 0.30,
    cold_start.BOTO3: 0.45,
    cold_start.BOTO3_STS: 0.45,
    cold_start.ALI_OSS: 0.70,
}
# In processor time, which neither the stand-ins' own work nor a busy machine makes longer.
COLD_CPU_LIMITS = {
    (WECHAT, ANONYMOUS): 1.15,
    (WECHAT, cold_start.FLOOR): 0.70,
    (WECHAT, cold_start.SAMPLE_SERVER): 0.24,
}
# Of the floor's.
MAX_MEMORY = 0.72
MAX_ZIPPED_MB = 6.2
MAX_SENT_AGAIN = 0.75
MAX_MEMORY_GROWTH_MB = 2.0
# Who comes to no instance waits for one, whichever way it is deployed; what is kept warm is of use to many.
P95_OF_A_BURST = {burst.AT_ONCE: 1.5, burst.IN_A_SECOND: 1.5, burst.KEPT_WARM: 0.5}
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
    judges = {
        "cold_start": _of_cold_start,
        "package": _of_package,
        "warm": _of_warm,
        "load": _of_load,
        "refreshes": _of_refreshes,
        "growth": _of_growth,
        "large_files": _of_large_files,
        "burst": _of_burst,
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

    request = us(ANONYMOUS, "1")
    return [
        _ratio(f"warm request: {WECHAT} / {ANONYMOUS}", us(WECHAT, "1"), request, 1.25),
        *_of_forms(us),
        _ratio("warm request / boto3's signing call", request, us(warm.BOTO3, "signature"), 1.0),
        _ratio("warm request / google-cloud-storage's", request, us(warm.GOOGLE, "signature"), 1.0),
        _ratio(
            "a confirmation / the HeadObject in it",
            us(warm.CONFIRM, "/confirm"),
            us(warm.CONFIRM, "HeadObject"),
            1.35,
        ),
        _ratio(
            "V4 signature / ali-oss's", us(warm.FUNCTION, "signature"), us(warm.ALI_OSS, "signature"), 0.6
        ),
        *_of_reading(us),
        _ratio(
            "/multipart-parts for 20 URLs / ali-oss's 20 URLs",
            us(warm.PARTS, "/multipart-parts"),
            us(warm.ALI_OSS, "presigned parts"),
            0.6,
        ),
    ]


def _of_forms(us: Callable[[str, str], list[float]]) -> list[Outcome]:
    floor = us(warm.FLOOR, "1")
    limits = {ANONYMOUS: 1.75, WECHAT: 2.1, warm.CONFIRMED: 2.5}
    return [
        _ratio(f"warm request: {mode} / inline floor", us(mode, "1"), floor, limit)
        for mode, limit in limits.items()
    ]


def _of_reading(us: Callable[[str, str], list[float]]) -> list[Outcome]:
    request, url = us(warm.READING, "read 1"), us(warm.FUNCTION, "presigned")
    return [
        _ratio("warm /read / inline floor", request, us(warm.FLOOR, "read 1"), 1.35),
        _ratio(
            "warm /read of 50 / inline floor", us(warm.READING, "read 50"), us(warm.FLOOR, "read 50"), 2.0
        ),
        _ratio("warm /read / boto3's presigning call", request, us(warm.BOTO3, "presigned"), 1.0),
        _ratio("a signed URL / inline", url, us(warm.FLOOR, "presigned"), 2.0),
        _ratio("a signed URL / ali-oss's", url, us(warm.ALI_OSS, "presigned"), 0.6),
    ]


def _of_load(figures: Mapping[str, Any]) -> list[Outcome]:
    def rates(name: str) -> list[float]:
        found: list[float] = figures[name]["per_cpu_second"]
        return found

    return [
        _ratio("requests per core / floor's", rates(load.FUNCTION), rates(load.FLOOR), 0.80, at_least=True)
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


def _of_growth(figures: Mapping[str, Any]) -> list[Outcome]:
    number, grown = figures["memory"][-1]
    return [_single(f"memory growth over {number:,} callers", grown, MAX_MEMORY_GROWTH_MB, "MB")]


def _of_large_files(figures: Mapping[str, Any]) -> list[Outcome]:
    ours, theirs = figures[large_files.OURS], figures[large_files.COS]
    beside = f"of a large file over a bad network / {large_files.COS}'s"
    return [
        _ratio(f"bytes sent again {beside}", ours["again"], theirs["again"], MAX_SENT_AGAIN),
        _ratio(f"time {beside}", ours["seconds"], theirs["seconds"], 1.0),
    ]


def _of_burst(figures: Mapping[str, Any]) -> list[Outcome]:
    replayed, real = figures["replayed"], figures["real"]
    at_once = replayed[burst.AT_ONCE][burst.MANY]
    beside = f"{burst.MANY} / {burst.ONE}"

    def p95(case: str, limit: float) -> Outcome:
        many, one = (replayed[case][name]["p95_ms"] for name in (burst.MANY, burst.ONE))
        return _ratio(f"p95 of a burst {case}: {beside}", many, one, limit)

    return [
        _single(
            f"instances for {figures['phones']} phones at one instant", max(at_once["instances"]), 10, ""
        ),
        _single("AssumeRole calls of these", max(at_once["assume_roles"]), 10, ""),
        _ratio(
            f"processor time of these: {beside}",
            at_once["cpu_seconds"],
            replayed[burst.AT_ONCE][burst.ONE]["cpu_seconds"],
            0.25,
        ),
        *(p95(case, limit) for case, limit in P95_OF_A_BURST.items()),
        _single(
            f"p95 of a burst really run on this machine: {beside}",
            real[burst.MANY]["p95_ms"] / real[burst.ONE]["p95_ms"],
            0.5,
        ),
    ]


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


def _single(name: str, value: float, limit: float, unit: str = "×", *, at_least: bool = False) -> Outcome:
    return Outcome(name, value, value, value, limit, at_least, unit)
