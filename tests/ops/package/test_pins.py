"""Every requirement is pinned to one version and to hashes, and no file pins it otherwise than another."""

import re
from pathlib import Path

import pytest

from ops.package.pins import read_pins

ROOT = Path(__file__).parents[3]
FILES = (
    "requirements.txt",
    *(f"requirements/{name}.txt" for name in "burst dev lint openapi redis run terraform".split()),
    "quality/bench/requirements-bench.txt",
)


def pins(name):
    return read_pins((ROOT / name).read_text("utf-8"))


@pytest.mark.parametrize("name", [*FILES, "quality/torture/requirements.txt"])
def test_every_requirement_has_a_version_and_a_hash(name):
    text = (ROOT / name).read_text("utf-8").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    assert lines
    for line in lines:
        assert re.fullmatch(r"[A-Za-z0-9._-]+==\S+( ;[^;]+?)?(\s+--hash=sha256:[0-9a-f]{64})+\s*", line), line


@pytest.mark.parametrize("name", FILES)
def test_every_requirement_is_pinned(name):
    asked = re.findall(r"^[A-Za-z][\w.-]*", (ROOT / name).with_suffix(".in").read_text("utf-8"), re.M)
    assert {one.lower() for one in asked} - {*pins(name)} == set()


@pytest.mark.parametrize("name", FILES[1:])
def test_a_package_of_the_function_has_the_functions_version_everywhere(name):
    function, other = pins("requirements.txt"), pins(name)
    assert {one: other.get(one, version) for one, version in function.items()} == function


def test_a_larger_set_holds_the_smaller_one():
    assert pins("requirements.txt").items() <= pins("requirements/run.txt").items()
    assert pins("requirements/run.txt").items() <= pins("requirements/dev.txt").items()
    # The server for bursts is what the tests run.
    assert pins("requirements/burst.txt").items() <= pins("requirements/dev.txt").items()
