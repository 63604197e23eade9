"""Warm requests: an event's bytes become a response, beside the floor; in processor time."""

import contextlib
import statistics
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from quality.bench.figures import Figures, in_turn
from quality.bench.fresh_process import ContestantFailed
from quality.bench.setting_up import MODES, Bench, Progress

FLOOR, FORM = "the same written inline", "warm form, us"
# A round is the median of so many slices of some thirty milliseconds.
SLICES_A_ROUND = 15


@dataclass(frozen=True)
class Contestant:
    """A process that times a slice of its calls whenever it is told to."""

    process: "subprocess.Popen[str]"

    def microseconds(self) -> float:
        """Of one call, over a slice of them."""
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise ContestantFailed(f"{self.process.args!r} ended; its words stand above"[-300:])
        return float(line)


def measure(bench: Bench, rounds: int, progress: Progress) -> Figures:
    """Let the contestants take turns, slice by slice."""
    commands = {
        **dict.fromkeys(MODES, bench.run_python("warm_function", bench.package)),
        FLOOR: bench.run_python("warm_floor"),
    }
    with contextlib.ExitStack() as stack:
        contestants = {
            name: stack.enter_context(_waiting(command, bench.environ_of(name)))
            for name, command in commands.items()
        }
        run = {"all": lambda: _round(contestants)}
        measured = in_turn(run, rounds, lambda text: progress(f"warm requests: {text}"))["all"]
    return {FORM: {name: [one[name] for one in measured] for name in contestants}}


def _round(contestants: Mapping[str, Contestant]) -> dict[str, float]:
    slices = [{name: one.microseconds() for name, one in contestants.items()} for _ in range(SLICES_A_ROUND)]
    return {name: statistics.median(one[name] for one in slices) for name in contestants}


@contextlib.contextmanager
def _waiting(command: Sequence[str], environ: Mapping[str, str]) -> Iterator[Contestant]:
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environ, text=True
    ) as process:
        try:
            yield Contestant(process)
        finally:
            process.kill()
