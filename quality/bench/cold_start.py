"""Cold start: a fresh process until its first signed form; STS and WeChat answer on loopback over TLS."""

import json
from functools import partial

from quality.bench.figures import Figures, in_turn
from quality.bench.fresh_process import time_first_line
from quality.bench.same_work import check_form
from quality.bench.setting_up import MODES, Bench, Progress

FLOOR = "the STS SDK by hand"
SAMPLE_SERVER = "the stack of Alibaba's samples"
WALL, CPU, MEMORY = "cold start, ms", "cold start, processor ms", "cold start, peak MB"
# The floor needs the SDK's client, which the package leaves out.
SCRIPT_OF = {**dict.fromkeys(MODES, "cold_function"), FLOOR: "cold_floor", SAMPLE_SERVER: "sample_server"}


def measure(bench: Bench, rounds: int, progress: Progress) -> Figures:
    """Start each contestant once a round and check its form."""
    starts = {
        name: partial(
            time_first_line,
            bench.run_python(script, bench.package if name in MODES else bench.peers),
            bench.environ_of(name),
        )
        for name, script in SCRIPT_OF.items()
    }
    measured = in_turn(starts, rounds, lambda text: progress(f"cold start: {text}"))
    for name, runs in measured.items():
        for run in runs:
            check_form(name, json.loads(run.line))
    return {
        what: {name: [getattr(run, field) for run in runs] for name, runs in measured.items()}
        for what, field in ((WALL, "wall_ms"), (CPU, "cpu_ms"), (MEMORY, "peak_mb"))
    }
