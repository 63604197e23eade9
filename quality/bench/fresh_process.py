"""One fresh process from its start to its first line, as its user would feel it."""

import os
import re
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

BYTES_OF_MAXRSS = 1 if sys.platform == "darwin" else 1024


class ContestantFailed(Exception):
    """Raised when a process ends before it has printed its line; the text is its own last words."""


@dataclass(frozen=True)
class FirstLine:
    """
    Args:
        wall_ms: from before the process exists until its line is read.

        cpu_ms: user and system time until then, of all its threads.

        peak_mb: the most memory it had resident by then.
    """

    line: str
    wall_ms: float
    cpu_ms: float
    peak_mb: float


def time_first_line(command: Sequence[str], environ: Mapping[str, str]) -> FirstLine:
    """
    Start a process, wait for its first line, and end it.

    Args:
        command: prints one line when it is done, then waits; what it would do to end does not count.
    """
    with tempfile.TemporaryFile() as errors:
        started = time.perf_counter()
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, env=environ, text=True
        )
        with process.stdin, process.stdout:
            line = process.stdout.readline()
            wall_ms = (time.perf_counter() - started) * 1000
            peak_mb = _peak_mb(process.pid)
            # Not process.kill, which would reap a process that has ended, and its usage with it.
            os.kill(process.pid, signal.SIGKILL)
            usage = _reap(process)
        if not line:
            errors.seek(0)
            raise ContestantFailed(
                f"{' '.join(command)[-120:]}: {errors.read().decode(errors='replace')[-1500:]}"
            )
    cpu_ms = (usage.ru_utime + usage.ru_stime) * 1000
    return FirstLine(line, wall_ms, cpu_ms, peak_mb or usage.ru_maxrss * BYTES_OF_MAXRSS / 1e6)


def _peak_mb(pid: int) -> float:
    """
    The high-water mark of this process alone; 0 where the system does not tell.

    ``ru_maxrss`` would do on other systems, but on Linux it starts with that of the parent.
    """
    try:
        status = Path(f"/proc/{pid}/status").read_text("ascii", "replace")
    except OSError:
        return 0.0
    match = re.search(r"VmHWM:\s+(\d+) kB", status)
    return int(match[1]) * 1024 / 1e6 if match else 0.0


def _reap(process: subprocess.Popen[str]) -> resource.struct_rusage:
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return usage
