"""``--rule NAME=VALUE``: how the local services read what differs from account to account, or is open."""

import argparse
import functools
from collections.abc import Callable
from dataclasses import fields
from datetime import timedelta
from typing import Any

from local.alipay.rules import AlipayRules
from local.common.rules import RuleRefused, change_rules, name_in
from local.douyin.rules import DouyinRules
from local.green.rules import GreenRules
from local.oss.rules import OssRules
from local.wechat.rules import WechatRules
from ops.terminal.language import Text

HELP = Text(
    "how the local services behave, such as public_endpoint_forbidden=true"
    " (docs/oss-open-points.md, docs/local-cloud.md); may be given several times",
    "本地各服务的行为，如 public_endpoint_forbidden=true"
    "（docs/oss-open-points.md、docs/local-cloud.zh-CN.md）；可给出多次",
)
# By the argument of the local cloud; what has another name is looked for among those of OSS.
KINDS: dict[str, Any] = {
    "rules": OssRules,
    "wechat_rules": WechatRules,
    "green_rules": GreenRules,
    "alipay_rules": AlipayRules,
    "douyin_rules": DouyinRules,
}
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


def rules_of(args: argparse.Namespace) -> dict[str, Any]:
    """Return the rules of each service, by the argument of the local cloud."""
    return {
        name: change_rules(kind(), [change for change in args.rule if _kind_of(change) is kind])
        for name, kind in KINDS.items()
    }


def _kind_of(change: str) -> Any:
    return next((kind for kind in KINDS.values() if name_in(change) in _names_of(kind)), OssRules)


def _names_of(kind: Any) -> list[str]:
    return sorted(field.name for field in fields(kind))


def _rule(language: str, text: str) -> str:
    try:
        change_rules(_kind_of(text)(), [text])
    except RuleRefused as error:
        raise argparse.ArgumentTypeError(Text(*_sentences(error)).say(language)) from None
    return text


def _sentences(error: RuleRefused) -> tuple[str, str]:
    if error.kind is None:
        others = ", ".join(name for kind in [*KINDS.values()][1:] for name in _names_of(kind))
        return (
            f"{error} Of the other services there are {others}.",
            f"没有 {error.name!r} 这条规则，有：{error.names}；其他服务的有：{others}。",
        )
    return str(error), f"{error.name} 应为{WANTED[error.kind]}，而不是 {error.value!r}。"
