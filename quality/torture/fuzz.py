"""A million inputs for each target, guided by coverage: with atheris, where it can be installed."""

import json
import re
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

from quality.torture import fuzz_targets
from quality.torture.report import Progress, Result

ROOT = Path(__file__).resolve().parents[2]
INPUTS = 1_000_000
NAMES = tuple(fuzz_targets.SEEDS)
VENV = ROOT / "build" / "torture-venv"
PYTHON = VENV / "bin" / "python"
POLL_SECONDS = 1.0
LAST_LINES = 30


def prepare() -> str:
    """
    Make the virtual environment of atheris.

    Returns:
        why it could not be made; empty when it is there.
    """
    if not _has_atheris():
        pip = [str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
        for name in ("requirements.txt", "quality/torture/requirements.txt"):
            pip += ["-r", str(ROOT / name)]
        print("  setting up build/torture-venv (once) ...", file=sys.stderr, flush=True)
        for command in ([sys.executable, "-m", "venv", "--clear", str(VENV)], pip):
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                words = (done.stderr or done.stdout).strip().splitlines()
                return f"atheris cannot be installed here ({words[-1][:120] if words else 'pip failed'})"
    return "" if _has_atheris() else "atheris does not start here"


def _has_atheris() -> bool:
    check = [str(PYTHON), "-c", "import atheris, jwt, aliyunsdksts"]
    return PYTHON.exists() and not subprocess.run(check, capture_output=True, check=False).returncode


def run(name: str, inputs: int = INPUTS) -> Result:
    """Fuzz one target."""
    started, result = time.monotonic(), Result("fuzz")
    with TemporaryDirectory() as temporary:
        folder = Path(temporary)
        log, state = folder / "log", folder / "state.json"
        command = [str(PYTHON), "-m", "quality.torture.coverage_fuzz", name, str(inputs), str(folder)]
        progress = Progress(f"fuzz {name}", inputs)
        with (
            log.open("wb") as output,
            subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT) as process,
        ):
            while process.poll() is None:
                time.sleep(POLL_SECONDS)
                progress.show(*_seen(log))
        words = log.read_text("utf-8", "replace")
        (tried, edges), done = _seen(log), re.search(r"Done (\d+) runs", words)
        searched, result.secrets = json.loads(state.read_text("utf-8")) if state.exists() else ({}, [])
    inputs, escapes = int(done[1]) if done else tried, 0 if done else 1
    result.figures.append((f"{name}: inputs ({edges}) / escapes", f"{inputs:,} / {escapes}"))
    result.totals = Counter({"fuzz inputs": inputs, "fuzz escapes": escapes})
    if process.returncode or not done:
        result.problems.append(f"{name}: {' | '.join(words.splitlines()[-LAST_LINES:])}")
    result.searched, result.seconds = Counter(searched), time.monotonic() - started
    return result


def _seen(log: Path) -> tuple[int, str]:
    """How many inputs libFuzzer says it has tried, and the edges that they reached."""
    found = re.findall(r"^#(\d+)\s.*?cov: (\d+)", log.read_text("utf-8", "replace"), re.M)
    return (int(found[-1][0]), f"{found[-1][1]} edges") if found else (0, "no edges yet")
