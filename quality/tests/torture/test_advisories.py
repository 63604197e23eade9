"""The question about known vulnerabilities: each is a problem, and no answer is not an all-clear."""

import importlib
import json
from pathlib import Path

import pytest

from ops.package.pins import read_pins
from ops.package.sbom import carried_packages
from quality.torture import advisories
from tests.support.broken_server import answers, serving

PINNED = [
    pin
    for name in advisories.DEPLOYED
    for pin in read_pins((advisories.ROOT / name).read_text("utf-8")).items()
]
CARRIED = carried_packages(Path(importlib.import_module("aliyunsdkcore").__file__).parents[1])


def knowing(*known):
    """An answer in which these packages, by their place, have the vulnerability PYSEC-1."""
    places = range(len(PINNED) + len(CARRIED))
    results = [{"vulns": [{"id": "PYSEC-1"}]} if place in known else {} for place in places]
    return json.dumps({"results": results}).encode()


def ask(body, status=200):
    with serving(answers(status, body)) as origin:
        return advisories.run(f"{origin}/v1/querybatch")


def test_a_known_vulnerability_is_a_problem():
    result = ask(knowing(0))
    assert result.problems == ["known vulnerability: {} {}: PYSEC-1".format(*PINNED[0])]


def test_packages_vendored_in_the_sdk_are_queried_and_listed():
    assert ("requests", "2.18.3") in CARRIED and ("urllib3", "1.24.3") in CARRIED
    result = ask(knowing(len(PINNED)))
    assert result.problems == []
    assert [value for _, value in result.figures] == ["0", "1"]
    assert result.notes == ["carried inside aliyun-python-sdk-core: {} {}: PYSEC-1".format(*CARRIED[0])]


@pytest.mark.parametrize(
    ("body", "status"), [(b"", 503), (b"{", 200), (b"[]", 200), (b"{}", 200), (b'{"results": []}', 200)]
)
def test_without_a_response_the_figure_is_not_checked(body, status):
    result = ask(body, status)
    assert result.figures[0][1] == "not checked"
    assert result.notes
