"""
The two languages in which the operator's commands answer.
"""

import argparse
import os
from collections.abc import Mapping
from dataclasses import dataclass

LANGUAGES = ("en", "zh")


@dataclass(frozen=True)
class Text:
    """
    One sentence in both languages; said with values, it has the same ``str.format`` fields in each.
    """

    en: str
    zh: str

    def say(self, language: str, **values: object) -> str:
        text = self.zh if language == "zh" else self.en
        return text.format(**values) if values else text


def add_language_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--lang",
        choices=LANGUAGES,
        help="language of the answer (default: from LC_ALL, LC_MESSAGES or LANG)",
    )


def chosen_language(wanted: str | None, environ: Mapping[str, str] = os.environ) -> str:
    """The wanted language, else the one the locale variables name, else English."""
    if wanted:
        return wanted
    names = (environ.get(name, "") for name in ("LC_ALL", "LC_MESSAGES", "LANG"))
    locale = next((name for name in names if name), "")
    return "zh" if locale.lower().startswith("zh") else "en"
