"""
The settings as the operator's commands see them: ``.env``, and over it the environment.
"""

import argparse
from collections.abc import Mapping
from pathlib import Path

from ops.env_file import read_env_file

ENV_FILE = Path(__file__).resolve().parent.parent / ".env"


def add_env_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--env-file",
        type=Path,
        default=ENV_FILE,
        metavar="FILE",
        help="settings (default: .env beside s.yaml)",
    )


def operator_environment(env_file: Path, environ: Mapping[str, str]) -> dict[str, str]:
    return {**read_env_file(env_file).values, **environ}
