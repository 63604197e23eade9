"""
Page of OSS's open points, written from the docstring of the rules: ``python3 -m local.oss.open_points``.
"""

import re
from dataclasses import fields
from inspect import cleandoc
from pathlib import Path

from local.oss.rules import OssRules

PAGE = Path(__file__).resolve().parents[2] / "docs" / "oss-open-points.md"
# What the documentation does say, but what differs between accounts and buckets, or is switched for trying.
STATES = (
    "v1_retired",
    "block_public_access",
    "public_endpoint_forbidden",
    "private_reads_need_signature",
    "default_host_downloads",
    "response_type_fixed",
    "video_frames_are_grey",
)
TOP = """\
# OSS's open points

[README](../README.md)

What no official page says, or two pages say differently. The local OSS reads each point in one way, which a rule switches
(`python3 manage.py serve --rule NAME=VALUE`, or `demo`); the function is written so that it holds under both. This page is made from those rules: `python3 -m local.oss.open_points`. `python3 manage.py doctor --prove` [asks your own account](operations.md#what-the-function-relies-on) about those that it meets, and writes a report with the date and the rules that make the local OSS do the same: [you are welcome to send it](proved/README.md).
"""  # noqa: E501 - lines of Markdown


def switches() -> dict[str, bool]:
    """Each rule that can be read in two ways, with the way that the local OSS reads it."""
    return {rule.name: rule.default for rule in fields(OssRules) if isinstance(rule.default, bool)}


def explained() -> dict[str, str]:
    """Return the explanations in the docstring of the rules, as Markdown."""
    _, _, arguments = cleandoc(OssRules.__doc__ or "").partition("Args:")
    entries = re.findall(r"^    (\w+): (.+(?:\n {8}.+)*)", arguments, flags=re.M)
    return {name: " ".join(text.split()).replace("``", "`") for name, text in entries}


def page() -> str:
    sections = [_section("Open", False), _section("From account to account", True)]
    return "\n".join([TOP, *sections])


def _section(title: str, are_states: bool) -> str:
    rows = [
        f"| `{name}` | `{default}` | {explained()[name]} |\n"
        for name, default in switches().items()
        if (name in STATES) is are_states
    ]
    return "".join([f"## {title}\n\n| rule | default | what is open |\n|---|---|---|\n", *rows])


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
