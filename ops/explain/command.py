"""
Say what a policy, a signed form or an error of OSS means, which condition failed and what to do.
"""

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path

from ops.explain.explanation import explain
from ops.explain.pasted import Unreadable
from ops.terminal.language import Text, add_language_argument, chosen_language, why_unreadable
from ops.terminal.screen import Screen

SUMMARY = Text(
    "what a policy, a form or an error of OSS means, and what to do",
    "policy、表单或 OSS 的错误是什么意思，怎么办",
)
ABOUT = Text(
    __doc__, "说明一份 policy、一个签好的表单或 OSS 的一个错误是什么意思，哪个条件没有满足，以及怎么办。"
)

WORDS = {
    "file": Text("file to read (default: standard input)", "要读取的文件（默认：标准输入）"),
    "paste": Text("Paste it, then press Ctrl-D.", "请粘贴内容，然后按 Ctrl-D。"),
    "not_understood": Text("Cannot explain this. ", "无法解释。"),
    "unreadable": Text("Cannot read {path}: {why}.", "无法读取 {path}：{why}。"),
}


def add_arguments(parser: argparse.ArgumentParser, language: str = "en") -> None:
    parser.add_argument("file", nargs="?", default="-", help=WORDS["file"].say(language))
    add_language_argument(parser, language)


def run(args: argparse.Namespace) -> int:
    language = chosen_language(args.lang)
    complaints = Screen(sys.stderr)
    try:
        text = _read(args.file, complaints, language)
        Screen().line(explain(text, datetime.now(UTC), language))
    except OSError as error:
        complaints.fail(
            WORDS["unreadable"].say(language, path=args.file, why=why_unreadable(error).say(language))
        )
        return 2
    except Unreadable as error:
        complaints.fail(WORDS["not_understood"].say(language) + error.sentence.say(language))
        return 2
    return 0


def _read(file: str, complaints: Screen, language: str) -> str:
    if file != "-":
        return Path(file).read_bytes().decode("utf-8", errors="replace")
    if sys.stdin.isatty():
        complaints.line(WORDS["paste"].say(language))
    return sys.stdin.buffer.read().decode("utf-8", errors="replace")
