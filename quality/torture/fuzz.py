"""
A million inputs for each target: with atheris where it can be installed, else without a look at coverage.
"""

import json
import random
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from quality.torture import fuzz_targets
from quality.torture.fuzz_targets import Target
from quality.torture.report import Progress, Result
from tests.support.canaries import Watch

ROOT = Path(__file__).resolve().parents[2]
INPUTS = 1_000_000
NAMES = tuple(fuzz_targets.SEEDS)
VENV = ROOT / "build" / "torture-venv"
PYTHON = VENV / "bin" / "python"
POLL_SECONDS = 1.0
LAST_LINES = 30
TOKENS = (
    *(b'"', b"{", b"}", b"[", b"]", b",", b":", b"null", b"true", b"NaN", b"1e999", b"-1", b"0" * 20),
    *(b"\\ud800", b"\xff", b"\x00", b"\xef\xbb\xbf", b"'", b"\\", b"\n", b"%00", b"..", b"$", b"="),
    *(b"[[", b"{id}", b"{filename}", b"9" * 400, b"A" * 200, "猫".encode()),
)
MAX_BYTES = 4096


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


def run(name: str, inputs: int = INPUTS, with_atheris: bool = True) -> Result:
    """Fuzz one target."""
    started, watch = time.monotonic(), Watch()
    with TemporaryDirectory() as temporary:
        folder = Path(temporary)
        if with_atheris:
            result = _guided(name, inputs, folder)
        else:
            target = fuzz_targets.of(name, watch, folder)
            escapes = blind(name, target, fuzz_targets.SEEDS[name], inputs, watch)
            result = Result("fuzz", problems=escapes, searched=watch.searched, secrets=watch.found)
            _count(result, f"{name}: inputs (without coverage) / escapes", inputs, len(escapes))
    result.seconds = time.monotonic() - started
    return result


def _count(result: Result, what: str, inputs: int, escapes: int) -> None:
    result.figures.append((what, f"{inputs:,} / {escapes}"))
    result.totals = Counter({"fuzz inputs": inputs, "fuzz escapes": escapes})


def _guided(name: str, inputs: int, folder: Path) -> Result:
    result, log = Result("fuzz"), folder / "log"
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
    done = re.search(r"Done (\d+) runs", words)
    tried, edges = _seen(log)
    what = f"{name}: inputs (atheris, {edges}) / escapes"
    _count(result, what, int(done[1]) if done else tried, 0 if done else 1)
    if process.returncode or not done:
        result.problems.append(f"{name}: {' | '.join(words.splitlines()[-LAST_LINES:])}")
    state = folder / "state.json"
    searched, result.secrets = json.loads(state.read_text("utf-8")) if state.exists() else ({}, [])
    result.searched = Counter(searched)
    return result


def _seen(log: Path) -> tuple[int, str]:
    """How many inputs libFuzzer says it has tried, and the edges that they reached."""
    found = re.findall(r"^#(\d+)\s.*?cov: (\d+)", log.read_text("utf-8", "replace"), re.M)
    return (int(found[-1][0]), f"{found[-1][1]} edges") if found else (0, "no edges yet")


def changed(seeds: Sequence[bytes], chance: random.Random) -> Iterator[bytes]:
    """Seeds with pieces that are put in, taken out, doubled or moved; endless."""
    while True:
        data = bytearray(chance.choice(seeds))
        for _ in range(chance.choice((1, 1, 2, 4, 16))):
            at, other = (chance.randrange(len(data) + 1) for _ in range(2))
            own = data[other : other + chance.randrange(1, 32)]
            upto = at + chance.choice((0, 0, 1, 4, 16))
            data[at:upto] = chance.choice((b"", own, chance.choice(TOKENS), chance.randbytes(1)))
        yield bytes(data[:MAX_BYTES])


def blind(name: str, target: Target, seeds: Sequence[bytes], count: int, watch: Watch) -> list[str]:
    """
    Fuzz without a look at what code is reached.

    Returns:
        one sentence for each kind of escape: the exception and the input that led to it.
    """
    escapes: dict[str, str] = {}
    progress, source = Progress(f"fuzz {name}", count), changed(seeds, random.Random())
    for number in range(1, count + 1):
        data = next(source)
        try:
            target(data)
        except Exception as error:  # noqa: BLE001 - whatever escapes is a finding
            watch.search_error(error)
            place = error.__traceback__
            while place is not None and place.tb_next is not None:
                place = place.tb_next
            where = f"{place.tb_frame.f_code.co_filename}:{place.tb_lineno}" if place else ""
            escapes.setdefault(f"{type(error).__name__} at {where}", f"{error!s:.80} from {data!r:.300}")
        progress.show(number)
    return [f"{name}: {kind}: {what}" for kind, what in escapes.items()]
