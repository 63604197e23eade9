"""
A large file over a bad network: our client, function and local OSS, beside Tencent's and a stand-in of COS.

Both send the same file in parts of 1 MiB, three at a time, through the same uplink, where 30 % of all
requests fail: broken off in the middle, broken off when all was done, with a 500, or with a 403 as for an
old URL.
"""

import json
import os
import shutil
import subprocess
from typing import Any

from quality.bench.fresh_process import ContestantFailed
from quality.bench.setting_up import ROOT, WORKSHOP, Progress

OURS, COS = "this client", "cos-wx-sdk-v5"
PROGRAMS = ROOT / "quality" / "bench" / "large"
MOST_SECONDS = 900


def measure(rounds: int, mebibytes: int, progress: Progress) -> dict[str, Any]:
    """
    Returns:
        for each contestant, one figure a round: ``seconds``, ``again`` (bytes of parts that travelled more
        than once), ``starts`` (of the upload, by the user), ``requests``, ``faults``; and ``mebibytes``.
    """
    environ = {**os.environ, "BENCH_COS": str(_installed(progress))}
    programs = {OURS: "ours.js", COS: "cos.js"}
    figures: dict[str, dict[str, list[float]]] = {name: {} for name in programs}
    for number in range(1, rounds + 1):
        progress(f"a large file over a bad network: round {number} of {rounds}")
        for name, program in programs.items():
            command = ["node", str(PROGRAMS / program), str(number), str(mebibytes)]
            for key, value in _run(command, environ).items():
                figures[name].setdefault(key, []).append(value)
    return {"mebibytes": mebibytes, **figures}


def version() -> str:
    """Of Tencent's client, as it is pinned."""
    lock = json.loads((PROGRAMS / "package-lock.json").read_text("utf-8"))
    return str(lock["packages"]["node_modules/cos-wx-sdk-v5"]["version"])


def _run(command: list[str], environ: dict[str, str]) -> dict[str, float]:
    # What goes wrong is said on the terminal.
    done = subprocess.run(
        command, stdout=subprocess.PIPE, text=True, env=environ, timeout=MOST_SECONDS, check=False
    )
    if done.returncode:
        raise ContestantFailed(f"{command!r} ended with {done.returncode}; its words stand above")
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def _installed(progress: Progress) -> str:
    """Where Tencent's client lies, installed once as it is pinned; none of its scripts is run."""
    folder = WORKSHOP / "large"
    package = folder / "node_modules" / "cos-wx-sdk-v5"
    lock = (PROGRAMS / "package-lock.json").read_text("utf-8")
    ready = folder / ".ready"
    if not (ready.is_file() and ready.read_text("utf-8") == lock):
        progress(f"installing cos-wx-sdk-v5 ({folder.relative_to(ROOT)}, once)")
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copyfile(PROGRAMS / name, folder / name)
        command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
        ready.write_text(lock, "utf-8")
    return str(package)
