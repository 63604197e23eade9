"""Every requirement is pinned to one version and to hashes, and no file pins it otherwise than another."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.tags import compatible_tags, cpython_tags, mac_platforms
from packaging.utils import canonicalize_name, parse_wheel_filename

from ops.package.pins import read_pins

ROOT = Path(__file__).parents[3]
FILES = (
    "requirements.txt",
    *(f"requirements/{name}.txt" for name in "burst dev lint openapi redis run terraform".split()),
    "quality/bench/requirements-bench.txt",
)
# What people run, and those on whose machines they do.
RUN = [f"requirements/{name}.txt" for name in "run burst redis".split()]
PLATFORMS = {
    "Windows": ["win_amd64"],
    "Alpine": [f"musllinux_1_{minor}_x86_64" for minor in range(1, 6)],
    "a Mac with ARM": list(mac_platforms((15, 0), "arm64")),
    "a Mac with Intel": list(mac_platforms((15, 0), "x86_64")),
}
# Its makers build none there any more; it is built where it is installed.
FROM_SOURCE = {("cryptography", "a Mac with Intel")}


def pins(name):
    return read_pins((ROOT / name).read_text("utf-8"))


@pytest.mark.parametrize("name", [*FILES, "quality/torture/requirements.txt"])
def test_every_requirement_has_a_version_and_a_hash(name):
    text = (ROOT / name).read_text("utf-8").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    assert lines
    for line in lines:
        assert re.fullmatch(r"[A-Za-z0-9._-]+==\S+( ;[^;]+?)?(\s+--hash=sha256:[0-9a-f]{64})+\s*", line), line


def test_every_requirement_is_pinned_in_the_file_of_its_group():
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["dependency-groups"]
    named = {Path(name).stem.removeprefix("requirements-"): name for name in FILES[1:]}
    assert {*groups} == {*named, "function"}
    for group, asked in groups.items():
        wanted = {one.lower() for one in asked if isinstance(one, str)}
        assert wanted - {*pins(named.get(group, FILES[0]))} == set()


@pytest.mark.parametrize("name", FILES[1:])
def test_a_package_of_the_function_has_the_functions_version_everywhere(name):
    function, other = pins("requirements.txt"), pins(name)
    assert {one: other.get(one, version) for one, version in function.items()} == function


def test_a_larger_set_holds_the_smaller_one():
    assert pins("requirements.txt").items() <= pins("requirements/run.txt").items()
    assert pins("requirements/run.txt").items() <= pins("requirements/dev.txt").items()
    # The server for bursts is what the tests run.
    assert pins("requirements/burst.txt").items() <= pins("requirements/dev.txt").items()


def pinned_archives():
    """Names of the archives for Python 3.11 and newer, whose hashes are all pinned."""
    lines = (ROOT / "requirements/archives.txt").read_text("utf-8").splitlines()
    text = "".join((ROOT / name).read_text("utf-8") for name in RUN)
    assert {line.split()[0] for line in lines} <= set(re.findall(r"--hash=sha256:(\w+)", text))
    return [line.split()[1] for line in lines]


def wheels_for(platforms, version):
    return {*cpython_tags(version, platforms=platforms), *compatible_tags(version, "cp", platforms)}


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("version", [(3, 11), (3, 12), (3, 13)], ids=str)
def test_the_pinned_packages_install_on_every_platform(platform, version):
    wanted, found, sources = wheels_for(PLATFORMS[platform], version), set(), set()
    for name in pinned_archives():
        if name.endswith(".whl"):
            package, *_, tags = parse_wheel_filename(name)
            found |= {package} if tags & wanted else set()
        else:
            sources.add(canonicalize_name(name.rpartition("-")[0]))
    packages = {name for file in RUN for name in pins(file)}
    assert packages - found == {package for package, there in FROM_SOURCE if there == platform}
    assert packages - found <= sources
