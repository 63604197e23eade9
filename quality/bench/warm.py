"""Warm requests: an event's bytes become a response, beside the floor."""

import contextlib
import json
import statistics
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from quality.bench.figures import in_turn
from quality.bench.fresh_process import ContestantFailed
from quality.bench.modes import MODES, WECHAT
from quality.bench.setting_up import Bench, Progress

FLOOR, READING = "floor", "this function, reading"
CONFIRMED = f"{WECHAT}, confirm"
# A round is the median of so many slices of some thirty milliseconds.
SLICES_A_ROUND = 15


@dataclass(frozen=True)
class Contestant:
    """A process that waits to be told which of its calls to time."""

    process: "subprocess.Popen[str]"

    def tell(self) -> Any:
        """Its next line."""
        assert self.process.stdout
        line = self.process.stdout.readline()
        if not line:
            raise ContestantFailed(f"{self.process.args!r} ended; its words stand above"[-300:])
        return json.loads(line)

    def ask(self, call: str) -> float:
        """Microseconds of one call, over a slice of them."""
        assert self.process.stdin
        self.process.stdin.write(f"{call}\n")
        self.process.stdin.flush()
        return float(self.tell())


def measure(bench: Bench, rounds: int, progress: Progress) -> dict[str, Any]:
    """
    Let the contestants take turns, slice by slice.

    Returns:
        ``{"contestant: call": {"us": [one a round], "allocated_kb": … or None}}``
    """
    commands = {
        **dict.fromkeys((*MODES, CONFIRMED), bench.run_python("warm_function", bench.package)),
        READING: bench.run_python("warm_read", bench.package),
        FLOOR: bench.run_python("warm_floor"),
    }
    with contextlib.ExitStack() as stack:
        contestants = {
            name: stack.enter_context(
                _waiting(command, {**bench.environ_of(name), **with_profiles(bench, name)})
            )
            for name, command in commands.items()
        }
        allocated = {name: contestant.tell() for name, contestant in contestants.items()}
        calls = [(name, call) for name in contestants for call in allocated[name]]
        run = {"all": lambda: _round(contestants, calls)}
        outcomes = in_turn(run, rounds, lambda text: progress(f"warm requests: {text}"))["all"]
    return {
        f"{name}: {call}": {
            "us": [outcome[name, call] for outcome in outcomes],
            "allocated_kb": allocated[name][call],
        }
        for name, call in calls
    }


def with_profiles(bench: Bench, name: str) -> dict[str, str]:
    """Environment of a contestant with profiles of its own: those with tickets, those to read."""
    if name == CONFIRMED:
        return {**bench.environ_of(WECHAT), "PROFILES_FILE": str(bench.scripts / "confirmed.toml")}
    if name != READING:
        return {}
    return {"PROFILES_FILE": str(bench.scripts / "reading.toml"), "READ_RATE": "999999999/s"}


def _round(
    contestants: Mapping[str, Contestant], calls: Sequence[tuple[str, str]]
) -> dict[tuple[str, str], float]:
    slices = [
        {(name, call): contestants[name].ask(call) for name, call in calls} for _ in range(SLICES_A_ROUND)
    ]
    return {called: statistics.median(one[called] for one in slices) for called in calls}


@contextlib.contextmanager
def _waiting(command: Sequence[str], environ: Mapping[str, str]) -> Iterator[Contestant]:
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environ, text=True
    ) as process:
        try:
            yield Contestant(process)
        finally:
            process.kill()
