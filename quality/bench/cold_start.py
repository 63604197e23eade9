"""Cold start: a fresh process until its first signed form; STS and WeChat answer on loopback over TLS."""

import json
from functools import partial
from typing import Any

from quality.bench.figures import in_turn
from quality.bench.fresh_process import time_first_line
from quality.bench.modes import MODES
from quality.bench.same_work import check_form
from quality.bench.setting_up import Bench, Progress

FLOOR = "floor: STS SDK, one AssumeRole, one signature"
SAMPLE_SERVER = "Alibaba's sample server stack"
SCRIPT_OF = {
    **dict.fromkeys(MODES, "cold_function"),
    FLOOR: "cold_floor",
    SAMPLE_SERVER: "cold_sample_server",
}


def measure(bench: Bench, rounds: int, progress: Progress) -> dict[str, Any]:
    """
    Start each contestant once a round and check its form.

    Returns:
        ``{contestant: {"wall_ms": [one a round], "cpu_ms": […], "peak_mb": […]}}``
    """
    starts = {
        name: partial(time_first_line, command_of(bench, name), bench.environ_of(name)) for name in SCRIPT_OF
    }
    outcomes = in_turn(starts, rounds, lambda text: progress(f"cold start: {text}"))
    for name, runs in outcomes.items():
        for run in runs:
            check_form(name, json.loads(run.line))
    return {
        name: {unit: [getattr(run, unit) for run in runs] for unit in ("wall_ms", "cpu_ms", "peak_mb")}
        for name, runs in outcomes.items()
    }


def command_of(bench: Bench, name: str) -> list[str]:
    # The floor needs the SDK's client, which the package leaves out.
    return bench.run_python(SCRIPT_OF[name], bench.package if name in MODES else bench.peers)
