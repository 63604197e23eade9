"""``make attacks``: the attacks that are refused, each with its tests, and the answers to OWASP ASVS 5.0."""

import sys
import tomllib
from pathlib import Path
from typing import Any

DATA = Path(__file__).resolve().parents[1] / "docs" / "attacks.toml"


def table() -> dict[str, Any]:
    """Return ``{"attack": {id: {"what", "tests"}}, "requirement": {number: {"asks", "answer", "how"}}}``."""
    return tomllib.loads(DATA.read_text("utf-8"))


def text() -> str:
    found = table()
    lines = ["Attacks that are refused, and the tests that show it:", ""]
    for name, attack in found["attack"].items():
        lines += [f"{name}: {attack['what']}", *(f"    {test}" for test in attack["tests"])]
    lines += ["", "OWASP ASVS 5.0, files (V5) and self-contained tokens (V9):", ""]
    for number, one in found["requirement"].items():
        lines.append(f"{number} {one['asks']}: {one['answer']}; {one['how']}")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.stdout.write(f"{text()}\n")
