"""Warm requests: an event's bytes become a response, beside the floor; in processor time."""

import contextlib
import json
import statistics
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from quality.bench.figures import Figures, in_turn
from quality.bench.fresh_process import ContestantFailed
from quality.bench.setting_up import MODES, Bench, Progress

FLOOR, READING = "the same written inline", "this function, reading"
FORM, READ_1, READ_50 = CALLS = "warm form, us", "warm read of 1 key, us", "warm read of 50 keys, us"
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


def measure(bench: Bench, rounds: int, progress: Progress) -> Figures:
    """Let the contestants take turns, slice by slice."""
    commands = {
        **dict.fromkeys((*MODES, READING), bench.run_python("warm_function", bench.package)),
        FLOOR: bench.run_python("warm_floor"),
    }
    to_read = {"PROFILES_FILE": str(bench.scripts / "reading.toml"), "READ_RATE": "999999999/s"}
    with contextlib.ExitStack() as stack:
        contestants = {
            name: stack.enter_context(
                _waiting(command, {**bench.environ_of(name), **(to_read if name == READING else {})})
            )
            for name, command in commands.items()
        }
        calls = [(name, call) for name, contestant in contestants.items() for call in contestant.tell()]
        run = {"all": lambda: _round(contestants, calls)}
        measured = in_turn(run, rounds, lambda text: progress(f"warm requests: {text}"))["all"]
    return {
        call: {name: [one[name, call] for one in measured] for name, its in calls if its == call}
        for call in CALLS
    }


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
