"""
The two languages in which the operator's commands answer.

A Python too old for this project still imports it, to be told so: hence the annotations in quotes.
"""

import argparse
import errno
import locale
import os
import re
from collections.abc import Mapping
from typing import NamedTuple

LANGUAGES = ("en", "zh")
LOCALE_NAMES = ("LC_ALL", "LC_MESSAGES", "LANG")
# Windows has none of those variables, and calls it "Chinese (Simplified)_China".
CHINESE = ("zh", "chinese")


class Text(NamedTuple):
    """One sentence in both languages; said with values, it has the same ``str.format`` fields in each."""

    en: str
    zh: str

    def say(self, language: str, **values: object) -> str:
        """Return it in a language; so is each value that is a text itself."""
        text = self.zh if language == "zh" else self.en
        said = {name: one.say(language) if isinstance(one, Text) else one for name, one in values.items()}
        return text.format(**said) if values else text

    def filled(self, **values: object) -> "Text":
        return Text(self.say("en", **values), self.say("zh", **values))


class Failure(Exception):
    """Raised when a command cannot go on: sentences for the operator, one for each thing to change."""

    # 2 where what was asked for is at fault, 1 where it failed.
    exit_code = 2

    def __init__(self, *sentences: Text) -> None:
        self.sentences = sentences
        self.said = Text(" ".join(one.en for one in sentences), "".join(one.zh for one in sentences))
        super().__init__(self.said.en)


HELP = Text(
    "language of the answer (default: from LC_ALL, LC_MESSAGES or LANG)",
    "输出语言（默认：由 LC_ALL、LC_MESSAGES 或 LANG 决定）",
)
# What the system says of files and ports that cannot be used.
SYSTEM_WORDS = {
    os.strerror(errno.ENOENT): "没有这个文件或目录",
    os.strerror(errno.EACCES): "没有权限",
    os.strerror(errno.EPERM): "不允许",
    os.strerror(errno.EISDIR): "它是目录",
    os.strerror(errno.ENOTDIR): "路径的一部分不是目录",
    os.strerror(errno.EEXIST): "已存在",
    os.strerror(errno.EROFS): "文件系统只读",
    os.strerror(errno.ENOSPC): "磁盘已满",
    os.strerror(errno.EADDRINUSE): "已被占用",
}


def system_words(text: str) -> Text:
    """Return a message of the system, in Chinese where the table has it."""
    return Text(text, SYSTEM_WORDS.get(text, text))


def why_unreadable(error: "OSError | UnicodeError") -> Text:
    """Why a text file could not be read."""
    said = isinstance(error, OSError) and error.strerror
    return system_words(said) if said else Text("it is not UTF-8", "不是 UTF-8")


def add_language_argument(parser: argparse.ArgumentParser, language: str = "en") -> None:
    parser.add_argument("--lang", choices=LANGUAGES, help=HELP.say(language))


def asked_language(arguments: "list[str]") -> str:
    """Return the language of ``--lang``, wherever it stands, else that of the locale."""
    asked = re.search(r"--lang[= ](en|zh)\b", " ".join(arguments))
    return chosen_language(asked and asked[1])


def chosen_language(wanted: "str | None", environ: "Mapping[str, str]" = os.environ) -> str:
    """The wanted language, else the one the locale names, else English."""
    if wanted:
        return wanted
    named = next(filter(None, map(environ.get, LOCALE_NAMES)), None) or locale.getlocale()[0] or ""
    return "zh" if named.lower().startswith(CHINESE) else "en"
