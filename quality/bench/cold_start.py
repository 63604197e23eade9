"""Cold start: a fresh process until its first signed form; STS and WeChat answer on loopback over TLS."""

import hmac
import json
from base64 import b64decode
from collections.abc import Mapping
from functools import partial
from typing import Any

from quality.bench.figures import Figures, in_turn
from quality.bench.fresh_process import ContestantFailed, time_first_line
from quality.bench.peers.task import REGION, ROLE_SECRET
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


def check_form(name: str, answer: Mapping[str, Any] | None) -> None:
    """
    Check the form that a contestant printed.

    Args:
        answer: the function's response, a bare form, or the sample server's response, which names its fields
            with ``_`` (``None`` when it failed).

    Raises:
        ContestantFailed: with the contestant's name.
    """
    answer = answer or {}
    fields = {field.replace("_", "-"): value for field, value in (answer.get("formData") or answer).items()}
    if "x-oss-date" not in fields:
        raise ContestantFailed(f"{name} printed no V4 form: {', '.join(fields)}")
    key = f"aliyun_v4{ROLE_SECRET}".encode()
    for part in (fields["x-oss-date"][:8], REGION, "oss", "aliyun_v4_request", fields["policy"]):
        key = hmac.digest(key, part.encode(), "sha256")
    if (fields.get("x-oss-signature") or fields.get("signature")) != key.hex():
        raise ContestantFailed(f"{name} printed a signature that does not fit its policy")
    b64decode(fields["policy"], validate=True)
