"""A project of its own for each test: the files that ship, without a ``.env``."""

import shutil
from pathlib import Path

import pytest

from tests.ops.deploy.project import ROOT


@pytest.fixture
def project(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "deploy" / "burst", tmp_path / "deploy" / "burst")
    for name in ("s.yaml", ".env.example", "handler.py"):
        shutil.copyfile(ROOT / name, tmp_path / name)
    return tmp_path
