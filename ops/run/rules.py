"""``--rule NAME=VALUE``: how the local services read what differs from account to account, or is open."""

import argparse
from dataclasses import fields
from datetime import timedelta
from typing import Any

from local.alipay.rules import AlipayRules
from local.common.rules import RuleRefused, change_rules, name_in
from local.douyin.rules import DouyinRules
from local.green.rules import GreenRules
from local.oss.rules import OssRules
from local.wechat.rules import WechatRules
from ops.terminal.language import Failure, Text

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
UNKNOWN = Text(
    "There is no rule {name!r}; there are {names}. Of the other services there are {others}.",
    "没有 {name!r} 这条规则，有：{names}；其他服务的有：{others}。",
)
WANTED = {bool: " true 或 false", int: "整数", timedelta: "整数秒"}


def add_rule_argument(parser: argparse.ArgumentParser, language: str = "en") -> None:
    parser.add_argument("--rule", action="append", default=[], metavar="NAME=VALUE", help=HELP.say(language))


def rules_of(args: argparse.Namespace) -> dict[str, Any]:
    """Return the rules of each service, by the argument of the local cloud; raise ``Failure`` for none."""
    try:
        return {
            name: change_rules(kind(), [change for change in args.rule if _kind_of(change) is kind])
            for name, kind in KINDS.items()
        }
    except RuleRefused as error:
        if error.kind is None:
            others = ", ".join(name for kind in [*KINDS.values()][1:] for name in _names_of(kind))
            raise Failure(UNKNOWN.filled(name=error.name, names=error.names, others=others)) from None
        wanted = WANTED[error.kind]
        raise Failure(Text(str(error), f"{error.name} 应为{wanted}，而不是 {error.value!r}。")) from None


def _kind_of(change: str) -> Any:
    return next((kind for kind in KINDS.values() if name_in(change) in _names_of(kind)), OssRules)


def _names_of(kind: Any) -> list[str]:
    return sorted(field.name for field in fields(kind))
