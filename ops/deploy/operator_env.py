"""The settings as the operator's commands see them: ``.env``, and over it the environment."""

import argparse
import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from ops.deploy.callers import own_variables
from ops.deploy.env_file import EnvFile, read_env_file
from ops.terminal.language import Failure, Text

if TYPE_CHECKING:
    from function.config.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
ENV_FILE = ROOT / ".env"
NO_FILE = Text("{file} does not exist.", "{file} 不存在。")
EXAMPLE_NAME = re.compile(r"^(?:# )?([A-Z][A-Z0-9_]*)=", re.MULTILINE)
# What the deployment tool, the SDKs and their HTTP libraries read beside our settings.
NAMES_OF_OTHERS = re.compile(
    r"ALIBABA_CLOUD_\w+|AccountID|AccessKeyID|AccessKeySecret|SecurityToken|FC_REGION|(?i:https?|no)_(?i:proxy)"
)


def add_env_argument(parser: argparse.ArgumentParser, language: str = "en") -> None:
    parser.add_argument(
        "--env-file",
        type=Path,
        default=ENV_FILE,
        metavar="FILE",
        help=Text("settings (default: .env beside s.yaml)", "设置（默认：s.yaml 旁的 .env）").say(language),
    )


def operator_environment(env_file: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """Return both; raise ``Failure`` with a sentence for each line that is read otherwise than it looks."""
    if env_file.name != ".env" and not env_file.exists():
        raise Failure(NO_FILE.filled(file=env_file))
    read = read_env_file(env_file)
    if read.problems:
        raise Failure(*read.problems)
    return {**read.values, **environ}


def operator_settings(environ: Mapping[str, str]) -> "Settings":
    """Return the function's settings; raise ``Failure`` with a sentence for each problem."""
    from function.app import load_settings
    from function.errors import Misconfigured
    from ops.deploy.profile_lines import said_of

    try:
        return load_settings(environ)
    except Misconfigured as error:
        raise Failure(*(said_of(problem) for problem in error.problems)) from None


def unknown_names(env_file: EnvFile) -> Iterator[Text]:
    """A sentence for each name that nothing reads: most are misspelt."""
    known = _known_names() | own_variables()
    for name, place in env_file.places.items():
        if name not in known and not NAMES_OF_OTHERS.fullmatch(name):
            close = get_close_matches(name.upper(), known, n=1)
            meant = Text(f"; did you mean {close[0]}?", f"，是不是 {close[0]}？") if close else Text("", "")
            yield Text(f"{place}: {name} is no setting{meant.en}", f"{place}：没有 {name} 这个设置{meant.zh}")


@cache
def _known_names() -> frozenset[str]:
    """Those of ``.env.example``, which has them all."""
    return frozenset(EXAMPLE_NAME.findall((ROOT / ".env.example").read_text("utf-8")))
