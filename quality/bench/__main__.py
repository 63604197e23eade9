"""
``python -m quality.bench``: everything set up, measured beside its peers and written to ``bench/results``.
"""

import argparse
import os
import platform
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ops.package.function_files import PackagingError
from ops.package.vendoring import TARGET_VERSION
from quality.bench import burst, cold_start, growth, large_files, limits, load, quotas, report, warm
from quality.bench.fresh_process import ContestantFailed
from quality.bench.load_generator import LoadFailed
from quality.bench.same_work import WrongWork
from quality.bench.setting_up import ROOT, WORKSHOP, Bench, Progress, set_up, versions
from quality.bench.stand_ins import StandIns

RESULTS = ROOT / "quality" / "bench" / "results"
QUICK_RESULTS = WORKSHOP / "results"
PARTS = ("cold_start", "warm", "load", "refreshes", "growth", "large_files", "burst", "limits", "quotas")


@dataclass(frozen=True)
class Extent:
    """How much of everything: rounds, seconds of a load or with refreshes, callers, MiB of a file, phones."""

    rounds: int
    load_seconds: float
    refresh_seconds: float
    growth_rounds: int
    callers: int
    large_rounds: int
    mebibytes: int
    real_phones: int


FULL = Extent(
    rounds=9,
    load_seconds=3,
    refresh_seconds=60,
    growth_rounds=5,
    callers=1_000_000,
    large_rounds=3,
    mebibytes=100,
    real_phones=60,
)
QUICK = Extent(
    rounds=3,
    load_seconds=1,
    refresh_seconds=10,
    growth_rounds=1,
    callers=20_000,
    large_rounds=1,
    mebibytes=20,
    real_phones=20,
)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m quality.bench", description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help=f"two minutes; written to {_short(QUICK_RESULTS)}"
    )
    parser.add_argument("--only", choices=PARTS, action="append", help="this part (may be given again)")
    parser.add_argument("--results", type=Path, help="another folder for what is written")
    args = parser.parse_args(arguments)
    folder = args.results or (QUICK_RESULTS if args.quick or args.only else RESULTS)
    extent = QUICK if args.quick else FULL
    started = time.monotonic()

    def progress(text: str) -> None:
        print(f"[{time.monotonic() - started:4.0f} s] {text}", flush=True)

    load_before = _load_average()
    try:
        with StandIns(WORKSHOP / "tls") as stand_ins:
            bench = set_up(stand_ins, progress)
            results = measure(bench, extent, args.only or PARTS, progress)
    except (ContestantFailed, LoadFailed, PackagingError, WrongWork) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    about = {
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "command": " ".join(["make bench" if not arguments else "python -m quality.bench", *arguments]),
        "machine": machine(),
        "load_before": load_before,
        "load_after": _load_average(),
        "versions": versions(bench) | {large_files.COS: large_files.version()},
        "rounds": extent.rounds,
        "remark": remark(bench),
    }
    print(f"\n{report.write(folder, about, results)}")
    progress(f"done; written to {_short(folder)}")
    return 0


def measure(
    bench: Bench, extent: Extent, wanted: list[str] | tuple[str, ...], progress: Progress
) -> dict[str, Any]:
    parts: dict[str, Callable[[], Any]] = {
        "cold_start": lambda: cold_start.measure(bench, extent.rounds, progress),
        "warm": lambda: warm.measure(bench, extent.rounds, progress),
        "load": lambda: load.measure(bench, extent.rounds, extent.load_seconds, progress),
        "refreshes": lambda: load.measure_refreshes(bench, extent.refresh_seconds, progress),
        "growth": lambda: growth.measure(bench, extent.growth_rounds, extent.callers, progress),
        "large_files": lambda: large_files.measure(extent.large_rounds, extent.mebibytes, progress),
        "quotas": lambda: quotas.measure(extent.rounds, progress),
        "limits": limits.measure,
        "burst": lambda: burst.measure(bench, extent.rounds, extent.real_phones, progress),
    }
    package = {"package": {"zipped_mb": bench.zipped_mb}}
    return package | {name: part() for name, part in parts.items() if name in wanted}


def machine() -> str:
    processor = platform.processor() or platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
        processor = next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        pass
    return f"{processor}, {os.cpu_count()} cores, {platform.system()}"


def remark(bench: Bench) -> str:
    """What a reader must know about the interpreter, when it is not the target's."""
    found = versions(bench)["Python"]
    if found.startswith(f"{TARGET_VERSION}."):
        return ""
    return f"There is no Python {TARGET_VERSION} here, as the cloud runs it; Python {found} ran everything."


def _load_average() -> float:
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0


def _short(path: Path) -> str:
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
