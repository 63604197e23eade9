"""Page of open points, written from the docstrings of the rules: ``python3 -m local.oss.open_points``."""

import re
from collections.abc import Iterator
from dataclasses import fields
from datetime import timedelta
from inspect import cleandoc
from pathlib import Path
from typing import Any

from local.alipay.rules import AlipayRules
from local.douyin.rules import DouyinRules
from local.green.rules import GreenRules
from local.oss.rules import OssRules
from local.wechat.rules import WechatRules

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
# Open points of OSS and of the other services

[README](../README.md)

What no official page says, or two pages say differently. The local cloud reads each point in one way, which a rule switches
(`python3 manage.py serve --rule NAME=VALUE`, or `demo`; times in seconds); the function is written so that it holds under both. This page is made from those rules: `python3 -m local.oss.open_points`. `python3 manage.py doctor --prove` [asks your own account](operations.md#what-the-function-relies-on) about those of OSS that it meets, and writes a report with the date and the rules that make the local OSS do the same: [you are welcome to send it](proved/README.md).
"""  # noqa: E501 - lines of Markdown


def switches() -> dict[str, bool]:
    """Each rule that can be read in two ways, with the way that the local OSS reads it."""
    return {rule.name: rule.default for rule in fields(OssRules) if isinstance(rule.default, bool)}


def explained(rules: type = OssRules) -> dict[str, str]:
    """Return the explanations in the docstring of the rules, as Markdown."""
    _, _, arguments = cleandoc(rules.__doc__ or "").partition("Args:")
    entries = re.findall(r"^    ([\w, ]+): (.+(?:\n {8}.+)*)", arguments, flags=re.M)
    plain = {names: " ".join(text.split()).replace("``", "`") for names, text in entries}
    return {name: text for names, text in plain.items() for name in names.split(", ")}


def page() -> str:
    states = {name: default for name, default in switches().items() if name in STATES}
    sections = [
        _section("Open", {name: default for name, default in switches().items() if name not in states}),
        _section("From account to account", states),
        _section("WeChat", WechatRules),
        _section("Alipay and Douyin", AlipayRules, DouyinRules),
        _section("Content Moderation", GreenRules),
    ]
    return "\n".join([TOP, *sections])


def _section(title: str, *kinds: Any) -> str:
    head = f"## {title}\n\n| rule | default | what is open |\n|---|---|---|\n"
    return "".join([head, *(row for kind in kinds for row in _rows(kind))])


def _rows(kind: Any) -> Iterator[str]:
    """Yield a row for each rule of a class, or for each of these rules of OSS."""
    rules = kind if isinstance(kind, dict) else {rule.name: rule.default for rule in fields(kind)}
    says = explained() if isinstance(kind, dict) else explained(kind)
    for name, default in rules.items():
        shown = int(default.total_seconds()) if isinstance(default, timedelta) else default
        yield f"| `{name}` | `{shown}` | {says[name]} |\n"


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
