"""
Warm requests: an event's bytes become a response, beside the floor and the peers' signing call alone.
"""

import json
from functools import partial
from typing import Any

from bench.figures import in_turn
from bench.fresh_process import time_first_line
from bench.setting_up import Bench, Progress

FUNCTION, FLOOR = "this function", "floor"
BOTO3, MINIO, GOOGLE, ALI_OSS = "boto3", "minio-py", "google-cloud-storage", "ali-oss on Node"
PEERS = {BOTO3: "warm_boto3", MINIO: "warm_minio", GOOGLE: "warm_google"}


def measure(bench: Bench, rounds: int, progress: Progress) -> dict[str, Any]:
    """
    Returns:
        ``{"contestant: call": {"us": [one a round], "allocated_kb": […] or None}}``
    """
    commands = {
        FUNCTION: bench.run_python("warm_function", bench.package),
        FLOOR: bench.run_python("warm_floor"),
        **{name: bench.run_python(script, bench.peers) for name, script in PEERS.items()},
        ALI_OSS: bench.run_node("warm_ali_oss.js"),
    }
    runs = {name: partial(time_first_line, command, bench.environ) for name, command in commands.items()}
    outcomes = in_turn(runs, rounds, lambda text: progress(f"warm requests: {text}"))
    figures: dict[str, Any] = {}
    for name, lines in outcomes.items():
        for line in lines:
            for call, measured in json.loads(line.line).items():
                kept = figures.setdefault(f"{name}: {call}", {"us": [], "allocated_kb": []})
                for unit, value in measured.items():
                    if value is not None:
                        kept[unit].append(value)
    return figures
