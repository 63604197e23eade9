"""
Explain what you paste, and what to do: a policy or form, an error of OSS, STS or the function, an error code,
WeChat's errcode, a line of the function's log, a ticket or a receipt. An OPENID gives the user's folder name.
"""

import argparse
import os
import re
import sys
from datetime import UTC, datetime
from pathlib import Path

from ops.deploy.callers import CALLER, caller_called
from ops.deploy.operator_env import add_env_argument, operator_environment
from ops.explain.explanation import explain
from ops.explain.function_output import owner_lines, secrets_of
from ops.explain.parser import read_pasted
from ops.explain.pasted import Unreadable
from ops.terminal.language import Failure, Text, add_language_argument, chosen_language, why_unreadable
from ops.terminal.screen import Screen

SUMMARY = Text(
    "what an error, code, log line, form, ticket or receipt means, and what to do",
    "错误、错误码、日志、表单、票据或回执是什么意思，怎么办",
)
ABOUT = Text(
    __doc__,
    "说明你粘贴的内容是什么意思、怎么办：policy 或签好的表单，OSS、STS、函数返回的错误，错误码，微信的"
    " errcode，函数日志的一行、票据或回执。给出 OPENID，就打印这个用户的目录名。",
)

WORDS = {
    "file": Text(
        "file to read, or a code, token or openid itself (default: standard input)",
        "要读取的文件，或错误码、令牌、openid 本身（默认：标准输入）",
    ),
    "paste": Text("Paste it, then press Ctrl-D.", "请粘贴内容，然后按 Ctrl-D。"),
}


def add_arguments(parser: argparse.ArgumentParser, language: str = "en") -> None:
    parser.add_argument("file", nargs="?", default="-", help=WORDS["file"].say(language))
    parser.add_argument("--caller", default="", metavar="NAME", help=CALLER.say(language))
    add_env_argument(parser, language)
    add_language_argument(parser, language)


def run(args: argparse.Namespace) -> int:
    language = chosen_language(args.lang)
    environ = operator_environment(args.env_file, os.environ)
    secrets = secrets_of(environ)
    if args.caller:
        called, owner_id = caller_called(args.caller, environ)
        secrets = secrets._replace(callers={called: not owner_id})
        Screen().line("\n".join(owner_lines(args.file, secrets, language)))
        return 0
    Screen().line(explain(_read(args.file, language), datetime.now(UTC), language, secrets))
    return 0


def _read(file: str, language: str) -> str:
    if file != "-":
        try:
            return Path(file).read_bytes().decode("utf-8", errors="replace")
        except OSError as error:
            why = why_unreadable(error)
            unreadable = Failure(Text(f"Cannot read {file}: {why.en}.", f"无法读取 {file}：{why.zh}。"))
        try:
            read_pasted(file)
        except Unreadable as error:
            raise error if re.fullmatch(r"[\w-]+", file) else unreadable from None
        return file
    if sys.stdin.isatty():
        Screen(sys.stderr).line(WORDS["paste"].say(language))
    return sys.stdin.buffer.read().decode("utf-8", errors="replace")
