"""
The bill of materials of the package: every third-party distribution with its version, hash and licence.

Source: https://cyclonedx.org/docs/1.6/json/
"""

import base64
import csv
import hashlib
import json
import re
from collections.abc import Iterator
from email.parser import HeaderParser
from pathlib import Path
from typing import Any

from ops.package.function_files import PackagingError

SPEC_VERSION = "1.6"
OWN_NAME = "oss-direct-upload"
NOT_STATED = "not stated"
SCRIPT_FOLDERS = ("bin/", "../")
CLASSIFIER = "License :: OSI Approved :: "
# What classifiers call what SPDX calls otherwise.
SPDX_OF_CLASSIFIER = {
    "MIT License": "MIT",
    "BSD License": "BSD-3-Clause",
    "Apache Software License": "Apache-2.0",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
}
SPDX_OF_TEXT = {
    "mit": "MIT",
    "apache 2.0": "Apache-2.0",
    "apache license 2.0": "Apache-2.0",
    "bsd": "BSD-3-Clause",
}


def write_sbom(folder: Path, target: Path, version: str) -> dict[str, list[str]]:
    """
    Describe what ``pip install --target folder`` left there, before anything of it is removed.

    Args:
        version: of the function itself.

    Returns:
        the distributions by licence.

    Raises:
        PackagingError: a distribution without a name or version.
    """
    components = [_component(metadata) for metadata in sorted(folder.glob("*.dist-info"))]
    document = {
        "bomFormat": "CycloneDX",
        "specVersion": SPEC_VERSION,
        # No time and no serial number: the same package has the same bill.
        "version": 1,
        "metadata": {
            "component": {"type": "application", "bom-ref": OWN_NAME, "name": OWN_NAME, "version": version}
        },
        "components": components,
        "dependencies": [
            {"ref": OWN_NAME, "dependsOn": sorted(component["bom-ref"] for component in components)}
        ],
    }
    target.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", "utf-8")
    licences: dict[str, list[str]] = {}
    for component in components:
        licences.setdefault(_shown_licence(component), []).append(component["name"])
    return licences


def _shown_licence(component: dict[str, Any]) -> str:
    (entry,) = component["licenses"]
    licence = entry.get("license", {})
    return str(entry.get("expression") or licence.get("id") or licence["name"])


def _component(metadata: Path) -> dict[str, Any]:
    headers = HeaderParser().parsestr((metadata / "METADATA").read_text("utf-8"))
    name, version = headers.get("Name"), headers.get("Version")
    if not name or not version:
        raise PackagingError(f"{metadata.name} names no distribution; install it anew")
    plain = re.sub(r"[-_.]+", "-", name).lower()
    purl = f"pkg:pypi/{plain}@{version}"
    return {
        "type": "library",
        "bom-ref": purl,
        "name": name,
        "version": version,
        "purl": purl,
        "licenses": [_licence(headers)],
        "properties": [{"name": f"{OWN_NAME}:sha256-of-files", "value": _digest_of_files(metadata)}],
    }


def _licence(headers: Any) -> dict[str, Any]:
    if expression := headers.get("License-Expression"):
        return {"expression": expression}
    for classifier in headers.get_all("Classifier", []):
        if classifier.startswith(CLASSIFIER):
            called = classifier.removeprefix(CLASSIFIER)
            return {"license": _spdx_or_name(SPDX_OF_CLASSIFIER.get(called), called)}
    text = (headers.get("License") or "").strip().splitlines()
    if text and text[0] not in ("", "UNKNOWN"):
        return {"license": _spdx_or_name(SPDX_OF_TEXT.get(text[0].lower()), text[0])}
    return {"license": {"name": NOT_STATED}}


def _spdx_or_name(spdx: str | None, name: str) -> dict[str, str]:
    return {"id": spdx} if spdx else {"name": name}


def _digest_of_files(metadata: Path) -> str:
    """Of the distribution's own list of files with their hashes, less what pip made while installing."""
    lines = (f"{path},{digest}" for path, digest in _files(metadata))
    return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()


def _files(metadata: Path) -> Iterator[tuple[str, str]]:
    with (metadata / "RECORD").open(encoding="utf-8", newline="") as record:
        for path, digest, *_ in csv.reader(record):
            # The rest of dist-info differs with the installer.
            if digest and not path.startswith(SCRIPT_FOLDERS) and ".dist-info/" not in path:
                algorithm, _, value = digest.partition("=")
                yield path, f"{algorithm}:{base64.urlsafe_b64decode(value + '==').hex()}"
