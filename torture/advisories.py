"""
Known vulnerabilities of what is deployed, asked of OSV where its data can be reached.

Source: https://google.github.io/osv.dev/post-v1-querybatch/
"""

import json
import time
from pathlib import Path

from ops.package.hash_pins import pins_of
from outgoing_http import Answer, ExchangeFailed, exchange
from torture.report import Result

ROOT = Path(__file__).resolve().parent.parent
DATA = "https://api.osv.dev/v1/querybatch"
BUDGET_SECONDS = 20.0
MAX_BYTES = 4 * 2**20


def run(address: str = DATA) -> Result:
    """One question about every pin of requirements.txt; without an answer the table says so."""
    started, result = time.monotonic(), Result("package")
    pins = pins_of((ROOT / "requirements.txt").read_text("utf-8"))
    try:
        found = _read(_ask(address, pins), pins)
    except (ExchangeFailed, ValueError) as error:
        result.figures.append(("known vulnerabilities of the requirements", "not checked"))
        result.notes.append(f"the data on known vulnerabilities could not be had here ({error})")
    else:
        result.figures.append(("known vulnerabilities of the requirements", str(len(found))))
        result.problems += [f"known vulnerability: {one}" for one in found]
    result.seconds = time.monotonic() - started
    return result


def _ask(address: str, pins: list[str]) -> Answer:
    queries = [{"package": {"purl": f"pkg:pypi/{pin.replace('==', '@')}"}} for pin in pins]
    return exchange(
        "POST",
        address,
        budget_seconds=BUDGET_SECONDS,
        max_bytes=MAX_BYTES,
        body=json.dumps({"queries": queries}).encode(),
        headers={"Content-Type": "application/json"},
    )


def _read(answer: Answer, pins: list[str]) -> list[str]:
    """
    Raises:
        ValueError: it is not the documented answer.
    """
    if answer.status != 200:
        raise ValueError(f"HTTP {answer.status}")
    try:
        results = json.loads(answer.body)["results"]
        return [
            f"{pin}: {vulnerability['id']}"
            for pin, one in zip(pins, results, strict=True)
            for vulnerability in one.get("vulns", [])
        ]
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"an answer of another shape ({type(error).__name__})") from None
