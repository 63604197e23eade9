"""
Say what a policy, a signed form or an error of OSS means, which condition failed and what to do.
"""

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path

from ops.explain.explanation import explain
from ops.explain.pasted import Unreadable
from ops.terminal.language import Text, add_language_argument, chosen_language
from ops.terminal.screen import Screen

SUMMARY = "what a policy, a form or an error of OSS means, and what to do"

WORDS = {
    "paste": Text("Paste it, then press Ctrl-D.", "请粘贴内容，然后按 Ctrl-D。"),
    "not_understood": Text("Cannot explain this. ", "无法解释。"),
    "unreadable": Text("Cannot read {path}: {why}.", "无法读取 {path}:{why}。"),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", nargs="?", default="-", help="file to read (default: standard input)")
    add_language_argument(parser)


def run(args: argparse.Namespace) -> int:
    language = chosen_language(args.lang)
    complaints = Screen(sys.stderr)
    try:
        text = _read(args.file, complaints, language)
        Screen().line(explain(text, datetime.now(UTC), language))
    except OSError as error:
        complaints.fail(WORDS["unreadable"].say(language, path=args.file, why=error.strerror))
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
