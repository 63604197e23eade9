"""
Known vulnerabilities of what is deployed, asked of OSV where its data can be reached.

Source: https://google.github.io/osv.dev/post-v1-querybatch/
"""

import json
import time
from importlib.util import find_spec
from pathlib import Path

from function.http.client import ExchangeFailed, HttpResponse, send
from ops.deploy.imports import REQUIREMENTS
from ops.package.carried import CARRIER, carried_packages
from ops.package.function_files import BURST, REDIS
from ops.package.pins import read_pins
from quality.torture.report import Result

ROOT = Path(__file__).resolve().parents[2]
DEPLOYED = (REQUIREMENTS, BURST.requirements, REDIS.requirements)
DATA = "https://api.osv.dev/v1/querybatch"
BUDGET_SECONDS = 20.0
MAX_BYTES = 4 * 2**20


def run(address: str = DATA) -> Result:
    """
    One question about every pin that may be deployed, and about what the SDK carries inside; without an
    answer the table says so. What is carried cannot be replaced here, so it is listed and fails nothing.
    """
    started, result = time.monotonic(), Result("package")
    pinned = [pin for name in DEPLOYED for pin in read_pins((ROOT / name).read_text("utf-8")).items()]
    carried = carried_packages(_installed_sdk())
    try:
        found = _read(_ask(address, pinned + carried), len(pinned + carried))
    except (ExchangeFailed, ValueError) as error:
        result.figures.append(("known vulnerabilities of the requirements", "not checked"))
        result.notes.append(f"the data on known vulnerabilities could not be had here ({error})")
    else:
        ours, theirs = _listed(pinned, found), _listed(carried, found[len(pinned) :])
        result.figures.append(("known vulnerabilities of the requirements", str(len(ours))))
        result.figures.append((f"known vulnerabilities of what {CARRIER} carries", str(len(theirs))))
        result.problems += [f"known vulnerability: {one}" for one in ours]
        result.notes += [f"carried inside {CARRIER}: {one}" for one in theirs]
    result.seconds = time.monotonic() - started
    return result


def _installed_sdk() -> Path:
    spec = find_spec("aliyunsdkcore")
    assert spec is not None and spec.origin is not None
    return Path(spec.origin).parents[1]


def _listed(packages: list[tuple[str, str]], found: list[list[str]]) -> list[str]:
    pairs = zip(packages, found, strict=False)
    return [f"{name} {version}: {one}" for (name, version), ids in pairs for one in ids]


def _ask(address: str, packages: list[tuple[str, str]]) -> HttpResponse:
    queries = [{"package": {"purl": f"pkg:pypi/{name.lower()}@{version}"}} for name, version in packages]
    return send(
        "POST",
        address,
        budget_seconds=BUDGET_SECONDS,
        max_bytes=MAX_BYTES,
        body=json.dumps({"queries": queries}).encode(),
        headers={"Content-Type": "application/json"},
    )


def _read(answer: HttpResponse, count: int) -> list[list[str]]:
    """
    The identifiers for each of the packages, in their order.

    Raises:
        ValueError: it is not the documented answer.
    """
    if answer.status != 200:
        raise ValueError(f"HTTP {answer.status}")
    try:
        results = json.loads(answer.body)["results"]
        found = [[str(known["id"]) for known in one.get("vulns", [])] for one in results]
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"an answer of another shape ({type(error).__name__})") from None
    if len(found) != count:
        raise ValueError(f"{len(found)} answers to {count} questions")
    return found
