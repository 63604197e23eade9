"""
``--rule NAME=VALUE``: how the local services read what differs from account to account, or is open.
"""

import argparse
import functools
from collections.abc import Callable
from dataclasses import fields
from datetime import timedelta

from local.common.rules import RuleRefused, change_rules, name_in
from local.green.rules import GreenRules
from local.oss.rules import OssRules
from local.wechat.rules import WechatRules
from ops.terminal.language import Text

HELP = Text(
    "how the local OSS, WeChat and content moderation behave, such as public_endpoint_forbidden=true"
    " (docs/oss-open-points.md, docs/local-cloud.md); may be given several times",
    "本地 OSS、微信和内容安全的行为，如 public_endpoint_forbidden=true"
    "（docs/oss-open-points.md、docs/local-cloud.zh-CN.md）；可给出多次",
)
OF_WECHAT = frozenset(field.name for field in fields(WechatRules))
OF_GREEN = frozenset(field.name for field in fields(GreenRules))
WANTED = {bool: " true 或 false", int: "整数", timedelta: "整数秒"}


def add_rule_argument(parser: argparse.ArgumentParser, language: str = "en") -> None:
    parser.add_argument(
        "--rule",
        action="append",
        default=[],
        type=rule_type(language),
        metavar="NAME=VALUE",
        help=HELP.say(language),
    )


def rule_type(language: str) -> Callable[[str], str]:
    """Return the type of an argument that is a rule."""
    return functools.partial(_rule, language)


def rules_of(args: argparse.Namespace) -> OssRules:
    others = OF_WECHAT | OF_GREEN
    return change_rules(OssRules(), [change for change in args.rule if name_in(change) not in others])


def wechat_rules_of(args: argparse.Namespace) -> WechatRules:
    return change_rules(WechatRules(), [change for change in args.rule if name_in(change) in OF_WECHAT])


def green_rules_of(args: argparse.Namespace) -> GreenRules:
    return change_rules(GreenRules(), [change for change in args.rule if name_in(change) in OF_GREEN])


def _rule(language: str, text: str) -> str:
    try:
        if name_in(text) in OF_WECHAT:
            change_rules(WechatRules(), [text])
        elif name_in(text) in OF_GREEN:
            change_rules(GreenRules(), [text])
        else:
            change_rules(OssRules(), [text])
    except RuleRefused as error:
        raise argparse.ArgumentTypeError(Text(*_sentences(error)).say(language)) from None
    return text


def _sentences(error: RuleRefused) -> tuple[str, str]:
    if error.kind is None:
        of_wechat, of_green = (", ".join(sorted(names)) for names in (OF_WECHAT, OF_GREEN))
        return (
            f"{error} Of WeChat there are {of_wechat}; of content moderation {of_green}.",
            f"没有 {error.name!r} 这条规则，有：{error.names}；"
            f"微信的有：{of_wechat}；内容安全的有：{of_green}。",
        )
    return str(error), f"{error.name} 应为{WANTED[error.kind]}，而不是 {error.value!r}。"
