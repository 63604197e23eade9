"""Every requirement is pinned to a version and to hashes; writing the hashes keeps all else as it is."""

import re
from pathlib import Path

import pytest

from ops.package.hash_pins import FILES, pins_of, with_hashes

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("name", [*FILES, "torture/requirements.txt"])
def test_every_requirement_has_a_version_and_a_hash(name):
    text = (ROOT / name).read_text("utf-8").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.startswith(("#", "-r "))]
    assert lines
    for line in lines:
        assert re.fullmatch(r"[A-Za-z0-9._-]+==\S+( ;[^;]+?)?(\s+--hash=sha256:[0-9a-f]{64})+\s*", line), line


def test_hashes_are_written_behind_their_pins_and_old_ones_go():
    text = "# why\n-r other.txt\na==1 \\\n    --hash=sha256:old\nb==2.0\n"
    assert with_hashes(text, {"a==1": {"2", "1"}, "b==2.0": {"3"}}) == (
        "# why\n-r other.txt\n"
        "a==1 \\\n    --hash=sha256:1 \\\n    --hash=sha256:2\n"
        "b==2.0 \\\n    --hash=sha256:3\n"
    )


def test_writing_twice_changes_nothing():
    hashes = {"a==1": {"1"}}
    once = with_hashes("a==1\n", hashes)
    assert with_hashes(once, hashes) == once
    assert pins_of(once) == ["a==1"]


def test_a_pin_without_hashes_is_not_written_at_all():
    with pytest.raises(KeyError):
        with_hashes("a==1\n", {})
