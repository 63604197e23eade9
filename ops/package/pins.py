"""
What a requirements file pins; ``make pins`` writes those files out of the ``.in`` files beside them.
"""

import re

PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", re.MULTILINE)


def read_pins(text: str) -> dict[str, str]:
    """Version by name, the names as in PEP 503."""
    return {name.lower(): version for name, version in PIN.findall(text)}
