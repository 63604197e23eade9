"""
``--rule NAME=VALUE``: how the local OSS shall read what differs from account to account, or is open.
"""

import argparse
import functools
from dataclasses import fields
from datetime import timedelta

from local.oss.rules import OssRules, RuleRefused, change_rules
from ops.terminal.language import Text

HELP = Text(
    "how the local OSS behaves, such as public_endpoint_forbidden=true (docs/oss-open-points.md);"
    " may be given several times",
    "本地 OSS 的行为，如 public_endpoint_forbidden=true（docs/oss-open-points.zh-CN.md）；可给出多次",
)
WANTED = {bool: " true 或 false", int: "整数", timedelta: "整数秒"}


def add_rule_argument(parser: argparse.ArgumentParser, language: str = "en") -> None:
    parser.add_argument(
        "--rule",
        action="append",
        default=[],
        type=functools.partial(_rule, language),
        metavar="NAME=VALUE",
        help=HELP.say(language),
    )


def rules_of(args: argparse.Namespace) -> OssRules:
    return change_rules(OssRules(), args.rule)


def _rule(language: str, text: str) -> str:
    try:
        change_rules(OssRules(), [text])
    except RuleRefused as error:
        raise argparse.ArgumentTypeError(Text(str(error), _in_chinese(error)).say(language)) from None
    return text


def _in_chinese(error: RuleRefused) -> str:
    if error.kind is None:
        names = ", ".join(sorted(field.name for field in fields(OssRules)))
        return f"没有 {error.name!r} 这条规则，有：{names}。"
    return f"{error.name} 应为{WANTED[error.kind]}，而不是 {error.value!r}。"
