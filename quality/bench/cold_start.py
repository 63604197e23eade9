"""
Cold start: a fresh process until its first signed form; STS and WeChat answer on loopback over TLS.
"""

import json
from functools import partial
from typing import Any

from quality.bench.figures import in_turn
from quality.bench.fresh_process import time_first_line
from quality.bench.modes import MODES
from quality.bench.package_size import size_of_folder, size_of_node_package, size_of_packages
from quality.bench.same_work import check_form
from quality.bench.setting_up import ROOT, Bench, Progress

FLOOR = "floor: STS SDK, one AssumeRole, one signature"
SAMPLE_SERVER, BOTO3 = "Alibaba's sample server stack", "boto3, no AssumeRole"
BOTO3_STS, ALI_OSS = "boto3 with AssumeRole", "ali-oss on Node"
NOTHING, NODE = "python -c pass", "node -e 0"
SCRIPT_OF = {
    **dict.fromkeys(MODES, "cold_function"),
    FLOOR: "cold_floor",
    SAMPLE_SERVER: "cold_sample_server",
    BOTO3: "cold_boto3",
    BOTO3_STS: "cold_boto3_sts",
    ALI_OSS: "cold_ali_oss.js",
    NOTHING: "cold_nothing",
    NODE: "cold_nothing.js",
}
PACKAGES = {
    SAMPLE_SERVER: ("Flask", "alibabacloud-credentials", "alibabacloud-sts20150401"),
    BOTO3: ("boto3",),
    BOTO3_STS: ("boto3",),
}


def measure(bench: Bench, rounds: int, progress: Progress) -> dict[str, Any]:
    """
    Returns:
        ``{contestant: {"wall_ms": [one a round], "cpu_ms": […], "peak_mb": […], "package_mb": …}}``
    """
    starts = {
        name: partial(time_first_line, command_of(bench, name), bench.environ_of(name)) for name in SCRIPT_OF
    }
    outcomes = in_turn(starts, rounds, lambda text: progress(f"cold start: {text}"))
    for name, runs in outcomes.items():
        if name not in (NOTHING, NODE):
            for run in runs:
                check_form(name, json.loads(run.line))
    return {
        name: {
            "wall_ms": [run.wall_ms for run in runs],
            "cpu_ms": [run.cpu_ms for run in runs],
            "peak_mb": [run.peak_mb for run in runs],
            "package_mb": package_mb(bench, name),
        }
        for name, runs in outcomes.items()
    }


def command_of(bench: Bench, name: str) -> list[str]:
    script = SCRIPT_OF[name]
    if script.endswith(".js"):
        return bench.run_node(script)
    # The floor needs the SDK's client, which the package leaves out.
    return bench.run_python(script, bench.package if name in MODES else bench.peers)


def package_mb(bench: Bench, name: str) -> float:
    """What of it would be deployed, unpacked, with the bytecode that is shipped or made on the spot."""
    if name in MODES:
        return size_of_folder(bench.package) / 1e6
    if name == FLOOR:
        return size_of_packages(bench.venv_python, ("aliyun-python-sdk-sts",)) / 1e6
    if name == ALI_OSS:
        return size_of_node_package(ROOT / "node_modules", "ali-oss") / 1e6
    if name in PACKAGES:
        return size_of_packages(bench.venv_python, PACKAGES[name]) / 1e6
    return 0.0
