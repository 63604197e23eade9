"""
Verify and deploy with the deployment tool (Serverless Devs), and show what it says without the secrets in it.

`make deploy` runs this after `check-deploy`; the tool itself is in node_modules.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from ops.deploy.cli_output import Filter, functions_of, secret_pieces
from ops.deploy.operator_env import ROOT, operator_environment
from ops.deploy.s_yaml import read_s_yaml
from ops.terminal.language import Text, add_language_argument, chosen_language
from ops.terminal.masking import printable
from ops.terminal.screen import Screen

SUMMARY = Text(
    "verify and deploy, without the secrets that the deployment tool prints",
    "检查并部署，不显示部署工具打印的密钥",
)
ABOUT = Text(
    __doc__,
    "用部署工具（Serverless Devs）检查并部署，显示它的输出，但不显示其中的密钥。\n\n"
    "`make deploy` 在 `check-deploy` 之后运行它；部署工具在 node_modules 里。",
)

CLI = ROOT / "node_modules" / ".bin" / "s"
# One line of JSON at the end, instead of the same drawn for a person.
STEPS = (("verify",), ("deploy", "-y", "-o", "raw"))
WORDS = {
    "default": Text("default: {name}", "默认：{name}"),
    "no_tool": Text("{tool} is not there. Run: make deploy", "没有 {tool}。请运行：make deploy"),
    "failed": Text("`s {step}` ended with {code}.", "`s {step}` 以 {code} 结束。"),
    "deployed": Text("{name} is deployed in {region}", "{name} 已部署到 {region}"),
    "address": Text("address", "地址"),
    "domain": Text("your domain", "你的域名"),
    "next": Text(
        "Next: python3 manage.py doctor --url {url} --code CODE",
        "接着：python3 manage.py doctor --url {url} --code CODE",
    ),
    "log": Text(
        "The tool keeps a log of its own, with the secrets in clear: {folder}. Remove what you do not need.",
        "部署工具自己留了一份日志，里面有明文密钥：{folder}。不需要时请删除。",
    ),
}


def add_arguments(parser: argparse.ArgumentParser, language: str = "en") -> None:
    default = WORDS["default"]
    file_help, tool_help = (default.say(language, name=name) for name in ("s.yaml", "node_modules/.bin/s"))
    parser.add_argument("file", nargs="?", type=Path, default=ROOT / "s.yaml", help=file_help)
    parser.add_argument("--tool", type=Path, default=CLI, help=tool_help)
    add_language_argument(parser, language)


def run(args: argparse.Namespace) -> int:
    language = chosen_language(args.lang)
    screen, complaints = Screen(), Screen(sys.stderr)
    if not args.tool.exists():
        complaints.fail(WORDS["no_tool"].say(language, tool=args.tool))
        return 2
    # The tool looks for .env, certificates and files where it runs; for the code beside the file.
    folder = read_s_yaml(args.file.absolute()).folder
    values = operator_environment(folder / ".env", os.environ)
    name = f"oss-direct-upload-{datetime.now(UTC):%Y%m%d-%H%M%S}"
    shown = Filter(secret_pieces(values))
    try:
        for step in STEPS:
            command = [str(args.tool.absolute()), *step, "-t", str(args.file.absolute())]
            if code := _follow(command, folder, name, shown, screen):
                complaints.fail(WORDS["failed"].say(language, step=step[0], code=code))
                return code
        _show_result(shown, screen, language)
    finally:
        screen.line(WORDS["log"].say(language, folder=log_folder(values, name)))
    return 0


def log_folder(values: Mapping[str, str], name: str) -> Path:
    """Where the tool writes its log when it is told to trace under this name."""
    home = values.get("serverless_devs_config_home") or values.get("HOME") or str(Path.home())
    return Path(home, ".s", "logs", name)


def _follow(command: list[str], folder: Path, name: str, shown: Filter, screen: Screen) -> int:
    environ = {**os.environ, "serverless_devs_traceid": name}
    with subprocess.Popen(
        command,
        cwd=folder,
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if (text := shown.line(line)) is not None:
                screen.line(printable(text))
        return process.wait()


def _show_result(shown: Filter, screen: Screen, language: str) -> None:
    for function in functions_of(shown.result):
        screen.good(
            WORDS["deployed"].say(language, name=function["functionName"], region=function.get("region", ""))
        )
        addresses = dict(function.get("url") or {})
        domain, url = addresses.get("custom_domain"), addresses.get("system_url")
        rows = {WORDS["domain"].say(language): f"https://{domain}" if domain else ""}
        rows[WORDS["address"].say(language)] = url or ""
        screen.pairs({row: value for row, value in rows.items() if value}, indent=6)
        if address := (f"https://{domain}" if domain else url):
            screen.line("      " + WORDS["next"].say(language, url=address))
