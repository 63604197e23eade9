"""Fixtures of the benchmarks' tests: the contestants' programs, imported in this process."""

import importlib
import sys
from pathlib import Path

import pytest

PEERS = Path(__file__).parents[2] / "bench" / "peers"


@pytest.fixture
def peers(monkeypatch):
    """Import what stands beside the contestants, found as they find it: by folder."""
    monkeypatch.syspath_prepend(str(PEERS))
    yield importlib.import_module
    for name in ("floor", "reading_floor", "task", "requests_of_clients"):
        sys.modules.pop(name, None)


@pytest.fixture
def floor(peers):
    """The floor and its task."""
    return peers("floor"), peers("task")
