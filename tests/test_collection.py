"""The collection of the tests: alike each time in one process, and in the order of a seed."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
COLLECT = """
import contextlib, json, os, pytest, sys

class Names:
    def pytest_collection_finish(self, session):
        self.found = [item.nodeid for item in session.items]

found = []
for seed in sys.argv[1:]:
    names = Names()
    with contextlib.redirect_stdout(open(os.devnull, "w")):
        options = ["-q", "--collect-only", "-p", "no:cacheprovider", f"--order-seed={seed}"]
        pytest.main([*options, "tests/function/auth/test_session.py", "tests/test_bytecode.py"], [names])
    found.append(names.found)
print(json.dumps(found))
"""


def test_each_collection_of_a_process_has_the_same_ids_in_the_order_of_its_seed():
    command = [sys.executable, "-c", COLLECT, "", "1", "1", "2"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    plain, *first, other = json.loads(done.stdout)
    assert any("\\" in name for name in plain)
    assert first[0] == first[1]
    assert sorted(plain) == sorted(first[0]) == sorted(other)
    assert len({tuple(plain), tuple(first[0]), tuple(other)}) == 3
    files = [name.partition("::")[0] for name in other]
    assert sum(one != next_one for one, next_one in zip(files, files[1:], strict=False)) == 1
