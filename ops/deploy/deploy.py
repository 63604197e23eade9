"""
Deploy with the deployment tool (Serverless Devs), publish a version and move the alias `live` to it.

`make deploy` runs this after `check-deploy`; the tool itself is in node_modules. The order makes a first
deployment possible and every interrupted one repeatable: the function, the version, the alias, then what
points to the alias (triggers, domain). Before it changes anything it compares with what is live, and stops
where stored objects, owners or receipts would be lost (--anyway goes on). No secret that the tool prints is
shown.
"""

import argparse
import re
from typing import Any

from function import VERSION
from ops.deploy.cli import Cli, CliFailed
from ops.deploy.comparison import compare, keep
from ops.deploy.live import (
    ALIAS,
    NOT_DEPLOYED,
    Live,
    advanced,
    current,
    move,
    published,
    shown,
)
from ops.deploy.s_yaml import mapping
from ops.deploy.target import Target, add_target_arguments, target_of
from ops.terminal.language import Failure, Text, chosen_language
from ops.terminal.screen import Screen

SUMMARY = Text("deploy, publish a version, make it live", "部署，发布一个版本，并让它上线")
ABOUT = Text(
    __doc__,
    "用部署工具（Serverless Devs）部署，发布一个版本，再把别名 `live` 指向它。\n\n"
    "`make deploy` 在 `check-deploy` 之后运行它；部署工具在 node_modules 里。顺序是：函数、版本、别名，"
    "最后是指向别名的触发器和域名，所以第一次部署能成功，中断之后也能重来。改动之前先和线上的版本比较，"
    "会丢失对象、用户目录或回执时停下（--anyway 照样继续）。部署工具打印的密钥不会显示。",
)

# Of the error VersionPublishError.
UNCHANGED = "No changes were made since last publish"
WORDS = {
    "canary_help": Text(
        "share of requests for the new version, 1 to 99 (percent)", "新版本分到的请求，1 到 99（百分比）"
    ),
    "canary": Text(
        "CANARY = {percent}: must be a whole number from 1 to 99. Nothing was changed.",
        "CANARY = {percent}：应为 1 到 99 的整数。什么都没有改动。",
    ),
    "no_canary": Text(
        "Nothing is live yet, so there is nothing to compare a canary with: run make deploy without CANARY."
        " Nothing was changed.",
        "还没有上线的版本，灰度没有可以对比的：请不带 CANARY 运行 make deploy。什么都没有改动。",
    ),
    "anyway_help": Text(
        "go on although something of the live deployment would be lost", "线上的东西会丢失，也照样继续"
    ),
    "stopped": Text(
        "Nothing was changed. Mend it, or go on all the same: make deploy ANYWAY=1",
        "什么都没有改动。请先改好；要照样继续：make deploy ANYWAY=1",
    ),
    "published": Text("version {version} is published", "已发布版本 {version}"),
    "unchanged": Text(
        "nothing has changed since version {version}, which stays the newest",
        "与版本 {version} 相比没有变化，它仍是最新版本",
    ),
    "stayed": Text(
        "The trigger {name} still calls {qualifier}, not live: remove it in the console, and deploy again.",
        "触发器 {name} 指向的还是 {qualifier}，不是 live：请在控制台删掉它，再运行 make deploy。",
    ),
    "deployed": Text("{name} is deployed in {region}", "{name} 已部署到 {region}"),
    "address": Text("address", "地址"),
    "domain": Text("your domain", "你的域名"),
    "moved": Text(
        "The address has changed; it was {before}. Put the new one wherever the old one stands: CALLBACK_URL,"
        " the domain lists and the code of the mini-program, WeChat's message push.",
        "地址变了，原来是 {before}。旧地址都要换：CALLBACK_URL、小程序的域名列表和代码、微信消息推送。",
    ),
    "next": Text(
        "Next: python3 manage.py doctor --url {url} --code CODE",
        "接着：python3 manage.py doctor --url {url} --code CODE",
    ),
    "log": Text(
        "The tool keeps a log of its own, with the secrets in clear: {folder}. Remove what you do not need.",
        "部署工具自己留了一份日志，里面有明文密钥：{folder}。不需要时请删除。",
    ),
}


def add_arguments(parser: argparse.ArgumentParser, language: str = "en") -> None:
    add_target_arguments(parser, language)
    parser.add_argument("--canary", metavar="PERCENT", help=WORDS["canary_help"].say(language))
    parser.add_argument("--anyway", action="store_true", help=WORDS["anyway_help"].say(language))


def run(args: argparse.Namespace) -> int:
    language, screen = chosen_language(args.lang), Screen()
    percent = _percent(args.canary)
    with target_of(args.file, args.tool, screen) as target:
        try:
            _deploy(target, percent, args.anyway, screen, language)
        finally:
            screen.line(WORDS["log"].say(language, folder=target.log))
    return 0


def _percent(said: str | None) -> int:
    """Return the share of a canary; 0 without one."""
    if not said:
        return 0
    if not re.fullmatch(r"[1-9][0-9]?", said):
        raise Failure(WORDS["canary"].filled(percent=said))
    return int(said)


def _deploy(target: Target, percent: int, anyway: bool, screen: Screen, language: str) -> None:
    cli = target.cli
    cli.show("verify")
    live = current(cli)
    if percent and live is None:
        raise Failure(WORDS["no_canary"])
    info = _info(cli)
    if live:
        _compare(target, live, info, anyway, screen, language)
    cli.show("deploy", "-y", "--function")
    newest = _publish(cli, screen, language)
    keep(target, newest)
    wanted = advanced(live, newest)
    if percent and live and live.version != newest:
        wanted = Live(live.version, {newest: percent / 100}, live.before)
    move(cli, wanted)
    screen.good(shown(wanted).say(language))
    # The package is there already.
    cli.show("deploy", "-y", "--skip-actions")
    _show_result(target, _address(_triggers(info)), screen, language)


def _compare(
    target: Target, live: Live, info: dict[str, Any], anyway: bool, screen: Screen, language: str
) -> None:
    """Say what would be lost, and stop there unless it is meant."""
    lost, unknown = compare(target, live, info)
    for sentence in (*unknown, *(lost if anyway else ())):
        screen.warn(sentence.say(language))
    if lost and not anyway:
        raise Failure(*lost, WORDS["stopped"])


def _publish(cli: Cli, screen: Screen, language: str) -> str:
    """Publish, and return the newest version: an older one where nothing has changed."""
    words = WORDS["published"]
    try:
        cli.change("version", "publish", "--description", VERSION)
    except CliFailed as error:
        if UNCHANGED not in str(error):
            raise
        words = WORDS["unchanged"]
    newest, *_ = published(cli)
    screen.good(words.say(language, version=newest))
    return newest


def _info(cli: Cli) -> dict[str, Any]:
    """Return the function as it was last deployed; nothing where it, or its trigger, is not there yet."""
    try:
        return mapping(cli.read("info"))
    except CliFailed as error:
        if error.code not in (NOT_DEPLOYED, "TriggerNotFound"):
            raise
        return {}


def _triggers(info: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the HTTP triggers as they are deployed."""
    return [mapping(trigger) for trigger in info.get("triggers") or []]


def _address(triggers: list[dict[str, Any]]) -> str:
    """Return the address of the trigger that has one; empty where it is closed."""
    for trigger in triggers:
        if not mapping(trigger.get("triggerConfig")).get("disableURLInternet"):
            return str(mapping(trigger.get("httpTrigger")).get("urlInternet") or "")
    return ""


def _show_result(target: Target, before: str, screen: Screen, language: str) -> None:
    name, region = (str(target.props.get(one, "")) for one in ("functionName", "region"))
    screen.good(WORDS["deployed"].say(language, name=name, region=region))
    triggers = _triggers(_info(target.cli))
    for trigger in triggers:
        if (qualifier := trigger.get("qualifier")) != ALIAS:
            stayed = WORDS["stayed"]
            raise Failure(stayed.filled(name=trigger.get("triggerName"), qualifier=qualifier))
    url = _address(triggers)
    domain = mapping(target.props.get("customDomain")).get("domainName")
    domain_url = f"https://{domain}" if domain else ""
    rows = {WORDS["domain"].say(language): domain_url, WORDS["address"].say(language): url}
    screen.pairs({row: value for row, value in rows.items() if value}, indent=6)
    if before and url and before != url:
        screen.warn(WORDS["moved"].say(language, before=before))
    if domain_url or url:
        screen.line("      " + WORDS["next"].say(language, url=domain_url or url))
