"""The bill of materials: what is in the package and inside the SDK, the same every time."""

import json
from importlib.resources import files

import pytest
from jsonschema import Draft7Validator
from referencing import Registry

from ops.package.function_files import PackagingError
from ops.package.sbom import write_sbom

SDK = "aliyun-python-sdk-core"
PLACE = "http://cyclonedx.org/schema/"
SCHEMAS = {
    PLACE + name: json.loads((files("cyclonedx.schema") / "_res" / name).read_text("utf-8"))
    for name in (f"{one}.SNAPSHOT.schema.json" for one in ("bom-1.6", "spdx", "jsf-0.82"))
}
BILLS = Draft7Validator(
    SCHEMAS[f"{PLACE}bom-1.6.SNAPSHOT.schema.json"],
    registry=Registry().with_contents(SCHEMAS.items()),
)


@pytest.fixture
def folder(tmp_path):
    """What ``pip install --target`` leaves: ``folder("name", "more metadata")``."""
    (tmp_path / "site").mkdir()
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "our-function"\nversion = "0.1.0"\n', "utf-8")

    def install(name="demo", metadata="License-Expression: MIT\n", files=None):
        info = tmp_path / "site" / f"{name}-1.0.dist-info"
        info.mkdir()
        if files is not None:
            own = (f"{info.name}/METADATA", f"{info.name}/RECORD")
            (info / "RECORD").write_text("".join(f"{file},,\n" for file in (*files, *own)), "utf-8")
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.4\nName: {name}\nVersion: 1.0\n{metadata}\n", "utf-8"
        )
        return tmp_path

    return install


def read(folder):
    target = folder / "bill.json"
    write_sbom(folder / "site", target, folder / "pyproject.toml")
    text = target.read_text("utf-8")
    BILLS.validate(json.loads(text))
    assert str(folder) not in text
    return json.loads(text)


def carry(folder, path, text):
    file = folder / "site" / "aliyunsdkcore" / "vendored" / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, "utf-8")


def test_packages_vendored_in_the_sdk_are_listed_by_name_and_version(folder):
    root = folder(SDK, "License: Beerware\n")
    carry(root, "six.py", '__version__ = "1.16.0"\n')
    carry(root, "requests/__version__.py", "__version__ = '2.18.3'\n")
    carry(root, "requests/__init__.py", "from .__version__ import __version__\n")
    carry(root, "requests/packages/urllib3/packages/socks.py", '__version__ = "1.6.7"\n')
    carry(root, "requests/utils.py", "print(__version__)\n")
    carried = [("PySocks", "1.6.7"), ("requests", "2.18.3"), ("six", "1.16.0")]
    components = read(root)["components"][1:]
    assert [(one["name"], one["version"]) for one in components] == carried
    assert components[1]["bom-ref"] == f"{SDK}/requests==2.18.3"


def test_a_distribution_of_which_no_file_is_left_is_not_in_the_bill(folder):
    """Its metadata alone is still there; of another one the smaller part is."""
    root = folder(SDK)
    folder("Gone_Wholly", files=["gone/__init__.py", "../../bin/gone.py"])
    folder("gone-in-part", files=["part/__init__.py", "_backend.so"])
    (root / "site" / "_backend.so").touch()
    assert [one["name"] for one in read(root)["components"]] == [SDK, "gone-in-part"]


def test_a_licence_is_found_in_every_metadata_field(folder):
    stated = {
        "License-Expression: Apache-2.0 OR BSD-3-Clause": {"expression": "Apache-2.0 OR BSD-3-Clause"},
        "Classifier: License :: OSI Approved :: MIT License": {"license": {"id": "MIT"}},
        "Classifier: License :: OSI Approved :: Odd License": {"license": {"name": "Odd License"}},
        "License: Beerware": {"license": {"name": "Beerware"}},
        "": None,
    }
    for number, metadata in enumerate(stated):
        root = folder(f"demo-{number}", metadata)
    found = [one.get("licenses", [None])[0] for one in read(root)["components"]]
    assert found == [*stated.values()]


def test_a_distribution_without_a_name_is_refused(folder):
    root = folder()
    (root / "site" / "demo-1.0.dist-info" / "METADATA").write_text("Summary: none\n", "utf-8")
    with pytest.raises(PackagingError):
        read(root)
