"""
A million inputs for each target: with atheris where it can be installed, else without a look at coverage.
"""

import json
import re
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from quality.torture import blind_fuzz, fuzz_targets
from quality.torture.report import Progress, Result
from tests.support import stage
from tests.support.canaries import Watch

ROOT = Path(__file__).resolve().parents[2]
INPUTS = 1_000_000
NAMES = tuple(fuzz_targets.SEEDS)
VENV = ROOT / "build" / "torture-venv"
POLL_SECONDS = 1.0
LAST_LINES = 30


def prepare() -> str:
    """
    Make the virtual environment of atheris.

    Returns:
        why it could not be made; empty when it is there.
    """
    python = VENV / "bin" / "python"
    if not _has_atheris(python):
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
        files = [
            "-r",
            str(ROOT / "requirements.txt"),
            "-r",
            str(ROOT / "quality" / "torture" / "requirements.txt"),
        ]
        print("  setting up build/torture-venv (once) ...", file=sys.stderr, flush=True)
        for command in ([sys.executable, "-m", "venv", "--clear", str(VENV)], [*pip, *files]):
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                words = (done.stderr or done.stdout).strip().splitlines()
                return f"atheris cannot be installed here ({words[-1][:120] if words else 'pip failed'})"
    return "" if _has_atheris(python) else "atheris does not start here"


def _has_atheris(python: Path) -> bool:
    if not python.exists():
        return False
    check = [str(python), "-c", "import atheris, jwt, aliyunsdksts"]
    return subprocess.run(check, capture_output=True, check=False).returncode == 0


def run(name: str, inputs: int = INPUTS, with_atheris: bool = True) -> Result:
    """Fuzz one target."""
    started = time.monotonic()
    result = _guided(name, inputs) if with_atheris else _blind(name, inputs)
    result.seconds = time.monotonic() - started
    return result


def _guided(name: str, inputs: int) -> Result:
    result = Result("fuzz")
    with TemporaryDirectory() as temporary:
        folder = Path(temporary)
        log = folder / "log"
        command = [
            str(VENV / "bin" / "python"),
            "-m",
            "quality.torture.coverage_fuzz",
            name,
            str(inputs),
            temporary,
        ]
        progress = Progress(f"fuzz {name}", inputs)
        with (
            log.open("wb") as output,
            subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT) as process,
        ):
            while process.poll() is None:
                time.sleep(POLL_SECONDS)
                progress.show(_state(folder).get("inputs", 0), _coverage(log))
        words = log.read_text("utf-8", "replace")
        state = _state(folder)
        done = re.search(r"Done (\d+) runs", words)
        tried = int(done[1]) if done else int(state.get("inputs", 0))
        result.figures.append((f"{name}: inputs (atheris, {_coverage(log)}) / escapes", _figure(tried, done)))
        result.totals = Counter({"fuzz inputs": tried, "fuzz escapes": 0 if done else 1})
        if process.returncode or not done:
            last = " | ".join(words.splitlines()[-LAST_LINES:])
            result.problems.append(f"{name}: {last}")
        result.searched, result.secrets = Counter(state.get("searched", {})), list(state.get("found", []))
    return result


def _figure(tried: int, done: object) -> str:
    return f"{tried:,} / {0 if done else 1}"


def _state(folder: Path) -> dict[str, Any]:
    try:
        state: dict[str, Any] = json.loads((folder / "state.json").read_text("utf-8"))
    except (OSError, ValueError):
        return {}  # not yet, or just being written
    return state


def _coverage(log: Path) -> str:
    found = re.findall(r"cov: (\d+)", log.read_text("utf-8", "replace"))
    return f"{found[-1]} edges" if found else "no edges yet"


def _blind(name: str, inputs: int) -> Result:
    result, watch = Result("fuzz"), Watch()
    fuzz_targets.quiet()
    with TemporaryDirectory() as folder:
        profiles = Path(folder) / "profiles.toml"
        profiles.write_text(stage.PROFILES, "utf-8")
        target = fuzz_targets.Bench(watch, str(profiles)).targets()[name]
        escapes = blind_fuzz.run(name, target, fuzz_targets.SEEDS[name], inputs, watch)
    result.figures.append((f"{name}: inputs (without coverage) / escapes", f"{inputs:,} / {len(escapes)}"))
    result.totals = Counter({"fuzz inputs": inputs, "fuzz escapes": len(escapes)})
    result.problems, result.searched, result.secrets = escapes, watch.searched, watch.found
    return result
