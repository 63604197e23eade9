"""
What a requirements file pins; ``make pins`` writes those files out of the groups of pyproject.toml, and with
``python -m ops.package.pins PYLOCK`` the names of the archives of which people install one.
"""

import re
import sys
import tomllib
from pathlib import Path

PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", re.MULTILINE)


def read_pins(text: str) -> dict[str, str]:
    """Version by name, the names as in PEP 503."""
    return {name.lower(): version for name, version in PIN.findall(text)}


def list_archives(pylock: str) -> str:
    """Return the archives of a pylock.toml in the form of ``sha256sum``, by name."""
    packages = tomllib.loads(pylock)["packages"]
    archives = [one for each in packages for one in (*each.get("wheels", ()), each.get("sdist")) if one]
    lines = {f"{one['url'].rpartition('/')[2]}": one["hashes"]["sha256"] for one in archives}
    return "".join(f"{lines[name]}  {name}\n" for name in sorted(lines))


if __name__ == "__main__":
    sys.stdout.write(list_archives(Path(sys.argv[1]).read_text("utf-8")))
