"""How much memory this process has resident at the moment."""

import os
import resource
import sys
from pathlib import Path


def resident_mb() -> float:
    """In MB of a million bytes; the most so far where the system tells no more."""
    try:
        pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6
    except OSError:
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return most * (1 if sys.platform == "darwin" else 1024) / 1e6
