"""
Write the pages of OSS's open points from the rules: ``python3 -m local.oss.open_points``.
"""

import re
import tomllib
from dataclasses import fields
from inspect import cleandoc
from pathlib import Path
from typing import Any

from local.oss.rules import OssRules

FOLDER = Path(__file__).resolve().parents[2] / "docs"
WORDS: dict[str, Any] = tomllib.loads(Path(__file__).with_suffix(".toml").read_text("utf-8"))


def switches() -> dict[str, bool]:
    """Each rule that can be read in two ways, with the way that the local OSS reads it."""
    return {rule.name: rule.default for rule in fields(OssRules) if isinstance(rule.default, bool)}


def explained_in_english() -> dict[str, str]:
    """Return the explanations in the docstring of the rules, as Markdown."""
    _, _, arguments = cleandoc(OssRules.__doc__ or "").partition("Args:")
    entries = re.findall(r"^    (\w+): (.+(?:\n {8}.+)*)", arguments, flags=re.M)
    return {name: " ".join(text.split()).replace("``", "`") for name, text in entries}


def pages() -> dict[str, str]:
    """Both pages, whole, by their file's name."""
    return {
        WORDS[language]["file"]: _page(WORDS[language], rules)
        for language, rules in (("english", explained_in_english()), ("chinese", WORDS["rules_in_chinese"]))
    }


def write_pages(folder: Path) -> None:
    for name, text in pages().items():
        (folder / name).write_text(text, "utf-8")


def _page(words: dict[str, str], rules: dict[str, str]) -> str:
    sections = [_section(words, rules, title, title == "states") for title in ("open", "states")]
    return "\n\n".join([words["top"].rstrip("\n"), *sections]) + "\n"


def _section(words: dict[str, str], rules: dict[str, str], title: str, are_states: bool) -> str:
    rows = [
        f"| `{name}` | `{default}` | {rules[name]} |"
        for name, default in switches().items()
        if (name in WORDS["states"]) is are_states
    ]
    return "\n".join([f"## {words[title]}\n", words["heads"], "|---|---|---|", *rows])


if __name__ == "__main__":
    write_pages(FOLDER)
