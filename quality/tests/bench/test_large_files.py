"""Our side of a large file over a bad network: it arrives, and what is counted adds up."""

import json
import subprocess
import sys

from quality.bench import large_files

MEBIBYTES = 6


def test_a_file_arrives_over_the_bad_network_and_is_counted():
    done = subprocess.run(
        ["node", "ours.js", "3", str(MEBIBYTES)],
        cwd=large_files.PROGRAMS,
        env={**large_files.os.environ, "PYTHON": sys.executable},
        stdout=subprocess.PIPE,
        text=True,
        timeout=120,
        check=True,
    )
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["size"] == MEBIBYTES * 2**20
    assert found["faults"] > 0
    assert 0 <= found["again"] < found["size"]
    # One request begins, one ends, and each part takes one at least.
    assert found["requests"] >= MEBIBYTES + 2


def test_the_peer_is_named_with_its_version():
    assert large_files.version().count(".") == 2
