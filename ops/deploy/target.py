"""The one function of a deployment file, with the tool that deploys it."""

import argparse
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ops.deploy.cli import Cli, Filter, function_file, secret_pieces
from ops.deploy.cloud_keys import NO_KEY, missing_keys
from ops.deploy.operator_env import ROOT, operator_environment
from ops.deploy.own_blocks import with_own_blocks
from ops.deploy.profile_lines import after
from ops.deploy.s_yaml import Resolver, functions, read_s_yaml
from ops.terminal.language import Failure, Text, add_language_argument
from ops.terminal.screen import Screen

CLI = ROOT / "node_modules" / ".bin" / "s"
DEFAULT = Text("default: {name}", "默认：{name}")
SEVERAL = Text(
    "{file} has {count} functions; this command is for exactly one.",
    "{file} 里有 {count} 个函数，这个命令只用于一个。",
)
NO_TOOL = Text(
    "{tool} is not there. Install it, then run this again: make node_modules/.ready",
    "没有 {tool}。请先安装，再运行一次这个命令：make node_modules/.ready",
)


@dataclass(frozen=True)
class Target:
    """The properties of the function, the tool, where it writes its log, and the project's folder."""

    props: Mapping[str, Any]
    cli: Cli
    log: Path
    folder: Path


def add_target_arguments(parser: argparse.ArgumentParser, language: str) -> None:
    file_help, tool_help = (DEFAULT.say(language, name=name) for name in ("s.yaml", "node_modules/.bin/s"))
    parser.add_argument("file", nargs="?", type=Path, default=ROOT / "s.yaml", help=file_help)
    parser.add_argument("--tool", type=Path, default=CLI, help=tool_help)
    add_language_argument(parser, language)


@contextmanager
def target_of(file: Path, tool: Path, screen: Screen) -> Iterator[Target]:
    """Read the file, write the small one for versions; raise ``Failure`` without a key or one function."""
    if not tool.exists():
        raise Failure(NO_TOOL.filled(tool=tool))
    # The tool looks for .env, certificates and files where it runs; for the code beside the file.
    file = with_own_blocks(file.absolute())
    source = read_s_yaml(file)
    if source.problems:
        raise Failure(*(after(file.name, problem.sentence) for problem in source.problems))
    values = operator_environment(source.folder / ".env", os.environ)
    resolver = Resolver(values, values.get("AccountID", ""))
    document = resolver.resolve_layers(source.layers) if isinstance(source.content, dict) else {}
    if document and (names := missing_keys(values, str(source.content.get("access", "")))):
        raise Failure(after(", ".join(names), NO_KEY))
    found = list(functions(document))
    if len(found) != 1:
        raise Failure(SEVERAL.filled(file=file.name, count=len(found)))
    ((_, props),) = found
    trace = f"oss-direct-upload-{datetime.now(UTC):%Y%m%d-%H%M%S}"
    with function_file(document, props) as small:
        shown = Filter(secret_pieces(values))
        cli = Cli(tool, file, small, source.folder, trace, shown, screen)
        home = values.get("serverless_devs_config_home") or values.get("HOME") or str(Path.home())
        yield Target(props, cli, Path(home, ".s", "logs", trace), source.folder)
