"""The command line in two languages: argparse's own words, and what ends a command."""

import argparse
import re
import sys
from collections.abc import Callable, Mapping
from typing import Any

from ops.terminal.language import Failure, chosen_language
from ops.terminal.screen import Screen, wrapped

# What a user can meet; what else argparse says is for who writes a command.
CHINESE = {
    "usage: ": "用法：",
    "options": "选项",
    "positional arguments": "参数",
    "%(heading)s:": "%(heading)s：",
    "show this help message and exit": "显示这份帮助后退出",
    "%(prog)s: error: %(message)s\n": "%(prog)s：错误：%(message)s\n",
    "argument %(argument_name)s: %(message)s": "参数 %(argument_name)s：%(message)s",
    "unrecognized arguments: %s": "无法识别的参数：%s",
    "the following arguments are required: %s": "缺少参数：%s",
    "one of the arguments %s is required": "参数 %s 必须给出其中之一",
    "expected one argument": "后面要跟一个值",
    "invalid choice: %(value)r (choose from %(choices)s)": "没有 %(value)r 这一项（可选：%(choices)s）",
    "unknown parser %(parser_name)r (choices: %(choices)s)": (
        "没有 %(parser_name)r 这个命令（可选：%(choices)s）"
    ),
    "invalid %(type)s value: %(value)r": "%(value)r 不是合格的 %(type)s",
    "ambiguous option: %(option)s could match %(matches)s": "%(option)s 有歧义，可能是 %(matches)s",
    "not allowed with argument %s": "不能与参数 %s 同时使用",
    "ignored explicit argument %r": "后面不能跟值 %r",
}


def run_command(run: Callable[[argparse.Namespace], int], args: argparse.Namespace) -> int:
    """Run a command; print what ended it. Return its exit code."""
    try:
        return run(args)
    except Failure as failure:
        Screen(sys.stderr).fail_with(failure, chosen_language(args.lang))
        return failure.exit_code


def speak(language: str) -> None:
    """
    Have argparse speak a language: it takes its words from gettext, whose catalogues are files of the system.

    Source: https://github.com/python/cpython/blob/3.13/Lib/argparse.py (``from gettext import gettext as _``)
    """
    words = CHINESE if language == "zh" else {}

    def plural(one: str, many: str, count: int) -> str:
        return words.get(many) or (one if count == 1 else many)

    argparse.__dict__.update({"_": lambda text: words.get(text, text), "ngettext": plural})


class WideHelp(argparse.HelpFormatter):
    """
    Help whose lines are broken by what they take on the screen: a Chinese character is two columns.

    Args:
        groups: headings of commands, by the first command below each.
    """

    def __init__(self, *args: Any, groups: Mapping[str, str] | None = None, **more: Any) -> None:
        super().__init__(*args, **more)
        self._groups = groups or {}

    def _format_action(self, action: argparse.Action) -> str:
        heading = self._groups.get(action.dest)
        return (f"\n  {heading}\n" if heading else "") + super()._format_action(action)

    def _split_lines(self, text: str, width: int) -> list[str]:
        return wrapped(text, width)

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        paragraphs = [wrapped(part, width - len(indent)) for part in text.strip().split("\n\n")]
        return "\n\n".join("\n".join(indent + line for line in lines) for lines in paragraphs)

    def format_help(self) -> str:
        # Python 3.13 is the first to ask for its colon in translation.
        return re.sub(
            f"(?m)^({CHINESE['options']}|{CHINESE['positional arguments']}):$", r"\1：", super().format_help()
        )
