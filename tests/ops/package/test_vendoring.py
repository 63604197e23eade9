"""What is kept of the dependencies, and what no target could load."""

import pytest

from ops.package.function_files import PackagingError
from ops.package.vendoring import check_glibc, metadata_asked_for
from tests.ops.package.project import make_wheel, names, pack
from tests.support.cases import cases_beside

cases = cases_beside(__file__)


@cases("source", "asked")
def test_finds_the_packages_with_metadata_lookups(source, asked):
    assert list(metadata_asked_for(source)) == list(asked)


def test_keeps_metadata_that_is_read_at_run_time(project):
    reads = "from importlib.metadata import version\nVOWELS = version('demo')\n"
    make_wheel(project / "wheels", "demo", {"demo/__init__.py": reads})
    pack(project)
    assert "demo-1.0.dist-info/METADATA" in names(project / "build/function")


def test_refuses_a_library_that_needs_a_newer_c_library(tmp_path):
    (tmp_path / "good.so").write_bytes(b"\0GLIBC_2.2.5\0GLIBC_2.17\0")
    check_glibc(tmp_path)
    (tmp_path / "_rust.abi3.so").write_bytes(b"\0GLIBC_2.17\0GLIBC_2.34\0GLIBC_2.9\0")
    with pytest.raises(PackagingError, match=r"_rust\.abi3\.so .*2\.34.*2\.17"):
        check_glibc(tmp_path)
