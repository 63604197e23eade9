"""
Whether the deployment tool will find a key of the cloud: it looks only after it has begun, and then stumbles.

Source: s 3.1.10, which prefers the three variables to a key pair that ``s config add`` keeps.
"""

from collections.abc import Mapping
from pathlib import Path

import yaml

KEY_NAMES = ("AccountID", "AccessKeyID", "AccessKeySecret")
NAMED_KEY = "_serverless_devs_key"


def missing_keys(values: Mapping[str, str], access: str) -> list[str]:
    """
    The variables to export; none where the tool finds a key.

    Args:
        values: the environment over ``.env``, which the tool loads.

        access: name of the key pair in ``s.yaml``.
    """
    missing = [name for name in KEY_NAMES if not values.get(name)]
    if not missing or (access.endswith(NAMED_KEY) and values.get(access)):
        return []
    home = values.get("serverless_devs_config_home") or values.get("HOME")
    return [] if home and access in _kept_keys(Path(home, ".s")) else missing


def _kept_keys(folder: Path) -> dict[str, object]:
    for name in ("access.yaml", "access.yml"):
        try:
            kept = yaml.safe_load((folder / name).read_text("utf-8"))
        except (OSError, UnicodeDecodeError, yaml.YAMLError):
            continue
        return kept if isinstance(kept, dict) else {}
    return {}
