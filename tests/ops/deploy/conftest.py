"""A project of its own for each test: the files that ship, without a ``.env``."""

import shutil
from pathlib import Path

import pytest

from tests.ops.deploy.project import ROOT


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name in ("s.yaml", "s.burst.yaml", ".env.example", "handler.py", "burst_server.py"):
        shutil.copyfile(ROOT / name, tmp_path / name)
    return tmp_path
