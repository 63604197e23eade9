"""``python -m quality.bench``: the function beside its peers, written to ``results/table.md``."""

import argparse
import os
import platform
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from ops.package.function_files import PackagingError
from quality.bench import cold_start, limits, load, report, warm
from quality.bench.figures import Figures
from quality.bench.fresh_process import ContestantFailed
from quality.bench.setting_up import PACKAGE_MB, ROOT, WORKSHOP, Bench, Progress, set_up, versions
from quality.bench.stand_ins import serving

RESULTS = ROOT / "quality" / "bench" / "results"
QUICK_RESULTS = WORKSHOP / "results"
PARTS = ("cold_start", "warm", "load", "limits")


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m quality.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help=f"a minute; written to {_short(QUICK_RESULTS)}")
    parser.add_argument("--only", choices=PARTS, action="append", help="measure this part (repeatable)")
    parser.add_argument("--results", type=Path, help="another folder for the table")
    args = parser.parse_args(arguments)
    folder = args.results or (QUICK_RESULTS if args.quick or args.only else RESULTS)
    rounds, load_seconds = (3, 1.0) if args.quick else (9, 3.0)
    started = time.monotonic()

    def progress(text: str) -> None:
        print(f"[{time.monotonic() - started:4.0f} s] {text}", flush=True)

    load_before = os.getloadavg()[0]
    try:
        with serving(WORKSHOP / "tls") as stand_ins:
            bench = set_up(stand_ins, progress)
            figures, replayed = measure(bench, rounds, load_seconds, args.only or PARTS, progress)
    except (ContestantFailed, PackagingError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    about = {
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "command": " ".join(["make bench" if not arguments else "python -m quality.bench", *arguments]),
        "machine": machine(),
        "load": (load_before, os.getloadavg()[0]),
        "versions": versions(bench),
    }
    print(f"\n{report.write(folder, about, figures, replayed)}")
    progress(f"done; written to {_short(folder)}")
    return 0


def measure(
    bench: Bench, rounds: int, load_seconds: float, wanted: Sequence[str], progress: Progress
) -> tuple[Figures, limits.Replayed]:
    parts: dict[str, Callable[[], Figures]] = {
        "cold_start": lambda: cold_start.measure(bench, 3 * rounds, progress),
        "warm": lambda: warm.measure(bench, rounds, progress),
        "load": lambda: load.measure(bench, rounds, load_seconds, progress),
    }
    figures = {PACKAGE_MB: {"this function": [bench.zipped_mb]}}
    for name in wanted:
        figures |= parts[name]() if name in parts else {}
    replayed = limits.replay() if "limits" in wanted else {}
    return figures | limits.promised(replayed), replayed


def machine() -> str:
    told = Path("/proc/cpuinfo")
    lines = told.read_text("utf-8").splitlines() if told.exists() else []
    models = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    processor = next(models, platform.machine())
    return f"{processor}, {os.cpu_count()} cores, {platform.system()}"


def _short(path: Path) -> str:
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
