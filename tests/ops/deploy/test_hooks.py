"""``hooks.py`` is imported by the check as the function will import it."""

from contextlib import nullcontext

import pytest

from ops.deploy.imports import requirements_for
from ops.deploy.rules import hooks_problems
from ops.package.function_files import PackagingError, extras_of, find_function_files
from ops.package.vendoring import check_packages
from tests.ops.deploy.project import CONFIGURED, check
from tests.ops.package.project import make_project

GOOD = "def before_sign(caller, wanted, profile):\n    return None\n"


@pytest.mark.parametrize(("text", "problems"), [
    (None, 0), ("\ufeff" + GOOD, 0), ("before_sign = lambda *told: None", 0), (f"import re\n{GOOD}", 0),
    ("def before_sign(caller):\n    pass", 1), ("1 / 0", 1), ("def before_sign(:", 1),
])  # fmt: skip
def test_unusable_hooks_are_named(tmp_path, text, problems):
    if text is not None:
        (tmp_path / "hooks.py").write_text(text, "utf-8")
    assert [problem.place for problem in hooks_problems(tmp_path)] == [("hooks.py",)] * problems


@pytest.mark.parametrize(("imported", "quota_url", "is_there"), [
    ("json, function.errors, jwt, cryptography.x509", "", True),
    ("requests", "", False),
    ("redis", "", False),
    ("redis", "redis://host", True),
    ("ops.deploy", "", False),
])  # fmt: skip
def test_the_package_refuses_what_no_requirement_brings(tmp_path, imported, quota_url, is_there):
    """Whatever is installed on the operator's machine."""
    root, site = make_project(tmp_path / "project"), tmp_path / "site"
    (root / "hooks.py").write_text(f"import {imported}\n{GOOD}", "utf-8")
    pinned, extras = requirements_for(quota_url), extras_of(quota_url)
    for module in ("demo", "jwt", "cryptography", *(name for extra in extras for name in extra.packages)):
        (site / module).mkdir(parents=True)
    with nullcontext() if is_there else pytest.raises(PackagingError, match=r"^hooks\.py"):
        check_packages(find_function_files(root, *extras).packages, site, pinned)


def test_the_check_of_a_deployment_reads_its_hooks(project):
    (project / "hooks.py").write_text("1 / 0", "utf-8")
    (problem,) = check(project / "s.yaml", CONFIGURED).problems
    assert "hooks.py" in problem
