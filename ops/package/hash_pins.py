"""
Write the hashes of every archive that pip may choose beside the pins: ``python -m ops.package.hash_pins``.

Run it after changing a version in one of ``FILES``; it asks the package index.
"""

import json
import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parents[2]
FILES = ("requirements.txt", "requirements-dev.txt", "bench/requirements-bench.txt")
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
# Each line is one machine: the newest tags first, the older ones that it also takes behind.
MACHINES = (
    ("manylinux_2_28_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64", "manylinux_2_5_x86_64"),
    ("manylinux_2_17_x86_64", "manylinux2014_x86_64"),
    ("manylinux_2_28_aarch64", "manylinux_2_17_aarch64", "manylinux2014_aarch64"),
    ("macosx_14_0_arm64", "macosx_11_0_arm64", "macosx_10_9_universal2"),
    ("macosx_14_0_x86_64", "macosx_10_13_x86_64", "macosx_10_12_x86_64", "macosx_10_9_x86_64"),
)
PIN = re.compile(r"(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^\s;\\]+)")
PIP = (sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input")


def main() -> int:
    texts = {name: (ROOT / name).read_text("utf-8") for name in FILES}
    pins = [pin for text in texts.values() for pin in pins_of(text)]
    hashes = _ask_everywhere(pins)
    for name, text in texts.items():
        (ROOT / name).write_text(with_hashes(text, hashes), "utf-8")
    print(f"{len(pins)} pins, {sum(map(len, hashes.values()))} hashes")
    return 0


def pins_of(text: str) -> list[str]:
    return [match[0] for line in text.splitlines() if (match := PIN.match(line))]


def with_hashes(text: str, hashes: dict[str, set[str]]) -> str:
    """
    The same file, its old hashes replaced.

    Raises:
        KeyError: a pin without hashes.
    """
    lines = []
    for line in text.splitlines():
        if line.lstrip().startswith("--hash="):
            continue
        match = PIN.match(line)
        if match is None:
            lines.append(line)
            continue
        wanted = [
            line.removesuffix("\\").rstrip(),
            *(f"    --hash=sha256:{one}" for one in sorted(hashes[match[0]])),
        ]
        lines.append(" \\\n".join(wanted))
    return "\n".join(lines) + "\n"


def _ask_everywhere(pins: list[str]) -> dict[str, set[str]]:
    hashes: dict[str, set[str]] = {pin: set() for pin in pins}
    different = set()
    for pin in pins:
        # A wheel for one machine has sisters for others; everything else is the same everywhere.
        file, digest = _ask([pin], ())[pin]
        hashes[pin].add(digest)
        if file.endswith(".whl") and not file.endswith("-any.whl"):
            different.add(pin)
    for python in PYTHONS:
        for machine in MACHINES:
            where = [f"--python-version={python}", "--implementation=cp", "--only-binary=:all:"]
            where += [f"--platform={tag}" for tag in machine]
            for pin, (_, digest) in _ask_what_there_is(sorted(different), where).items():
                hashes[pin].add(digest)
    return hashes


def _ask_what_there_is(pins: list[str], where: list[str]) -> dict[str, tuple[str, str]]:
    """All at once, or one by one where one of them has no wheel."""
    try:
        return _ask(pins, where)
    except LookupError:
        found: dict[str, tuple[str, str]] = {}
        for pin in pins:
            try:
                found |= _ask([pin], where)
            except LookupError:
                print(f"{pin}: nothing for {where[0]} {where[-1]}", file=sys.stderr)
        return found


def _ask(pins: list[str], where: Iterable[str]) -> dict[str, tuple[str, str]]:
    """File name and SHA-256 of what pip would install."""
    with TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        command = [*PIP, "--dry-run", "--ignore-installed", "--no-deps", "--report", str(report), *pins]
        command += ["--target", folder, *where] if where else []
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise LookupError(done.stderr.strip().splitlines()[-1:])
        chosen = json.loads(report.read_text("utf-8"))["install"]
    by_name = {_plain(item["metadata"]["name"]): item["download_info"] for item in chosen}
    answer = {}
    for pin in pins:
        info = by_name[_plain(pin.partition("==")[0])]
        answer[pin] = (info["url"].rpartition("/")[2], info["archive_info"]["hashes"]["sha256"])
    return answer


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    raise SystemExit(main())
