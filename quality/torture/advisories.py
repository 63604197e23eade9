"""
Known vulnerabilities of what is deployed, asked of OSV where its data can be reached.

Source: https://google.github.io/osv.dev/post-v1-querybatch/
"""

import json
import time
from importlib.util import find_spec
from pathlib import Path

from function.http.client import ExchangeFailed, send
from ops.deploy.imports import REQUIREMENTS
from ops.package.function_files import BURST, REDIS
from ops.package.pins import read_pins
from ops.package.sbom import CARRIER, carried_packages
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
    spec = find_spec("aliyunsdkcore")
    assert spec is not None and spec.origin is not None
    carried = carried_packages(Path(spec.origin).parents[1])
    try:
        known = _known(address, pinned + carried)
    except (ExchangeFailed, ValueError, KeyError, TypeError, AttributeError) as error:
        result.figures.append(("known vulnerabilities of the requirements", "not checked"))
        result.notes.append(f"the data on known vulnerabilities could not be had here ({error!r})")
    else:
        ours, theirs = (sum(some, []) for some in (known[: len(pinned)], known[len(pinned) :]))
        result.figures.append(("known vulnerabilities of the requirements", str(len(ours))))
        result.figures.append((f"known vulnerabilities of what {CARRIER} carries", str(len(theirs))))
        result.problems += [f"known vulnerability: {one}" for one in ours]
        result.notes += [f"carried inside {CARRIER}: {one}" for one in theirs]
    result.seconds = time.monotonic() - started
    return result


def _known(address: str, packages: list[tuple[str, str]]) -> list[list[str]]:
    """The vulnerabilities of each package; an error of any kind where the answer is another one."""
    queries = [{"package": {"purl": f"pkg:pypi/{name.lower()}@{version}"}} for name, version in packages]
    answer = send(
        "POST",
        address,
        budget_seconds=BUDGET_SECONDS,
        max_bytes=MAX_BYTES,
        body=json.dumps({"queries": queries}).encode(),
        headers={"Content-Type": "application/json"},
    )
    if answer.status != 200:
        raise ValueError(f"HTTP {answer.status}")
    pairs = zip(packages, json.loads(answer.body)["results"], strict=True)
    return [
        [f"{name} {version}: {one['id']}" for one in found.get("vulns", [])]
        for (name, version), found in pairs
    ]
