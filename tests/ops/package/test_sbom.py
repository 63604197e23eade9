"""The bill of materials: what is in the package, under which licence, the same on every machine."""

import json
from pathlib import Path

import pytest

from ops.package.function_files import PackagingError
from ops.package.sbom import NOT_STATED, write_sbom


@pytest.fixture
def folder(tmp_path: Path):
    """What ``pip install --target`` leaves: ``folder(name="x", metadata="...", record="...")``."""

    def install(name="demo", metadata="License-Expression: MIT\n", record="demo.py,sha256=YWJj,3\n") -> Path:
        info = tmp_path / f"{name}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Name: {name}\nVersion: 1.0\n{metadata}\n", "utf-8")
        (info / "RECORD").write_text(record, "utf-8")
        return tmp_path

    return install


def read(folder: Path):
    target = folder / "bill.json"
    licences = write_sbom(folder, target, "0.1.0")
    return json.loads(target.read_text("utf-8")), licences


def test_lists_each_distribution_with_its_address_and_licence(folder):
    folder(name="Demo_Two")
    bill, licences = read(folder())
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    assert bill["metadata"]["component"]["version"] == "0.1.0"
    assert {item["purl"] for item in bill["components"]} == {"pkg:pypi/demo@1.0", "pkg:pypi/demo-two@1.0"}
    assert licences == {"MIT": ["Demo_Two", "demo"]}
    assert bill["dependencies"][0]["dependsOn"] == ["pkg:pypi/demo-two@1.0", "pkg:pypi/demo@1.0"]


@pytest.mark.parametrize(
    ("metadata", "shown"),
    [
        ("License-Expression: Apache-2.0 OR BSD-3-Clause", "Apache-2.0 OR BSD-3-Clause"),
        ("Classifier: License :: OSI Approved :: MIT License", "MIT"),
        ("Classifier: License :: OSI Approved :: Odd License", "Odd License"),
        ("License: Apache License 2.0", "Apache-2.0"),
        ("License: Beerware", "Beerware"),
        ("License: UNKNOWN", NOT_STATED),
        ("", NOT_STATED),
    ],
)
def test_a_licence_is_found_wherever_it_is_stated(folder, metadata, shown):
    _, licences = read(folder(metadata=metadata))
    assert list(licences) == [shown]


def test_the_bill_does_not_depend_on_the_machine_that_installed(folder):
    first, _ = read(folder(name="a"))
    scripts = "../../bin/demo,sha256=eHl6,3\na-1.0.dist-info/INSTALLER,sha256=cGlw,3\n"
    (folder(name="b") / "a-1.0.dist-info" / "RECORD").write_text(f"{scripts}demo.py,sha256=YWJj,3\n", "utf-8")
    second, _ = read(folder(name="c"))
    assert first["components"][0] == second["components"][0]


def test_a_changed_file_changes_the_bill(folder):
    one, _ = read(folder(name="a"))
    (folder(name="b") / "a-1.0.dist-info" / "RECORD").write_text("demo.py,sha256=eHl6,3\n", "utf-8")
    other, _ = read(folder(name="c"))
    assert one["components"][0] != other["components"][0]


def test_a_distribution_without_a_name_is_refused(folder):
    root = folder()
    (root / "demo-1.0.dist-info" / "METADATA").write_text("Summary: none\n", "utf-8")
    with pytest.raises(PackagingError, match="names no distribution"):
        read(root)
