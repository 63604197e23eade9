"""
Say what is wrong with a deployment and how to mend it: settings, clock, keys, roles, bucket, uploads,
callback, the function itself, and the domains for the mini-program console.

Reads .env and the environment, as the deployment does. Asks the deployed function (--url, with --code or
--token) for a form of each profile, uploads a byte with it and removes it where your keys may; where a
profile has a callback, the business (UPLOAD_WEBHOOK_URL) hears of it. Your keys also try the roles, and
read whether roles and buckets have what the profiles need, as far as they may. Before
the first deployment check-deploy and setup say what is wrong. --content-check asks each checker whether
verdicts really come. --prove asks the real services what the function relies on and what no page says, and
writes a report that can be shown to others. --local examines a local cloud of its own instead.
"""

import argparse
import os
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from function.app import load_settings
from function.auth.wechat import openid_of
from function.config.types import ADDRESS_PATTERN
from function.http.client import send
from ops.account.oss_client import operator_keys
from ops.client.function_client import BAD_URL
from ops.deploy.operator_env import add_env_argument, operator_environment
from ops.doctor.configuration import check_settings
from ops.doctor.deployed import domains, wechat_callers
from ops.doctor.examination import Visit, examine, function_url
from ops.doctor.findings import Finding, State, show_finding
from ops.doctor.identity import check_keys
from ops.doctor.proof.sandbox import Sandbox
from ops.doctor.proof.suite import show_cost, show_proof
from ops.run.rules import add_rule_argument, rules_of
from ops.terminal.language import Failure, Text, add_language_argument, chosen_language
from ops.terminal.screen import GREEN, Screen

SUMMARY = Text("what is wrong with a deployment, and how to mend it", "部署哪里不对，怎样修好")
ABOUT = Text(
    __doc__,
    "说明一次部署哪里不对、怎样修好：设置、时钟、密钥、角色、桶、上传、回调、函数本身，以及要填入小程序后台的域名。"
    "\n\n与部署一样读取 .env 与环境变量。向已部署的函数（--url，加 --code 或 --token）要每个用途的表单，"
    "用它上传一个字节，密钥有权限时再删除；用途有回调时，业务（UPLOAD_WEBHOOK_URL）会收到通知。"
    "检查角色也要用到你的密钥；密钥能读取时，还会比较角色和桶是否符合用途的需要。"
    "第一次部署之前，由 check-deploy 和 setup 检查。"
    "--content-check 去问微信和阿里云内容安全，看审核结果是不是真的会来。"
    "--prove 向真实的服务验证函数所依赖的、文档没有说清的，写出可以给别人看的报告。"
    "--local 改为检查它自己启动的本地云。",
)
HELP = {
    "--url": Text(
        "address of the deployed function (default: from CALLBACK_URL)",
        "已部署的函数的地址（默认：由 CALLBACK_URL 得出）",
    ),
    "--code": Text(
        "a code of wx.login: ask the deployed function for forms", "wx.login 的 code：向已部署的函数要表单"
    ),
    "--token": Text("a token for the deployed function, instead of a code", "已部署的函数的令牌，代替 code"),
    "--no-upload": Text("upload nothing", "不上传任何东西"),
    "--content-check": Text(
        "have each checker look at a picture and at nothing, in each bucket with a profile that checks: two"
        " of WeChat's 200,000 checks of the day, and a minute; one billed call of Content Moderation",
        "在每个有审核的桶里，让审核方看一张图片和一个不存在的地址："
        "微信用掉当天 200,000 次中的两次，等一分钟；阿里云内容安全计费一次",
    ),
    "--timer": Text(
        "wait up to two and a half minutes for a tick of the timer, in each bucket",
        "在每个桶里等待一次定时触发，最多两分半钟",
    ),
    "--openid": Text(
        "of a user who has just opened the mini-program (default: whom --code or --token name)",
        "刚刚打开过小程序的用户的 openid（默认：--code 或 --token 所指的用户）",
    ),
    "--caller": Text(
        "of several callers the one of --code, --token or --openid: its name in callers.toml, or its id",
        "多个调用者时，--code、--token、--openid 属于哪个：callers.toml 里的名字或 id",
    ),
    "--local": Text("start a local cloud and examine that", "启动一个本地云并检查它"),
    "--prove": Text(
        "instead ask what the function relies on and what no page says, write a report, remove all again",
        "改为验证函数所依赖的、文档没有说清的，写出报告，最后全部删除",
    ),
    "--report": Text(
        "with --prove: file of the report (default: docs/proved/DATE-TIME-REGION.md; of a local cloud none)",
        "与 --prove 一起：报告的文件（默认：docs/proved/DATE-TIME-REGION.md；本地云不写）",
    ),
}

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "proved"
# Options that an examination takes as they are.
GIVEN = ("url", "code", "token", "content_check", "openid", "timer", "caller")
DOMAINS = Text(
    "Domains for the mini-program console (“开发管理 > 开发设置 > 服务器域名”)",
    "填入小程序后台（开发管理 > 开发设置 > 服务器域名）的域名",
)
ALONE = Text("{option} goes with {other}.", "{option} 要与 {other} 一起用。")
NOT_LOCAL = Text("--{option} does not go with --local.", "--{option} 不能与 --local 一起用。")
WAITS = Text(
    "This waits in each bucket: up to a minute for each verdict, up to two and a half minutes for a tick.",
    "会在每个桶里等待：每个审核结果最多一分钟，定时触发最多两分半钟。",
)
ALL_WELL = Text("All is well.", "一切正常。")
NOT_WELL = Text("{count} of {total} checks failed.", "{total} 项检查中有 {count} 项失败。")


def add_arguments(parser: argparse.ArgumentParser, language: str = "en") -> None:
    for option in ("--url", "--code", "--token", "--openid", "--caller"):
        parser.add_argument(option, default="", help=HELP[option].say(language))
    for option in ("--no-upload", "--content-check", "--timer", "--local", "--prove"):
        parser.add_argument(option, action="store_true", help=HELP[option].say(language))
    parser.add_argument("--report", type=Path, metavar="FILE", help=HELP["--report"].say(language))
    add_rule_argument(parser, language)
    add_env_argument(parser, language)
    add_language_argument(parser, language)


def run(args: argparse.Namespace) -> int:
    language, screen = chosen_language(args.lang), Screen()
    match = re.fullmatch(ADDRESS_PATTERN, args.url.rstrip("/") + "/")
    if args.url and (match is None or match["query"]):
        raise Failure(BAD_URL)
    for option, is_given, other, is_there in (
        ("--report", args.report, "--prove", args.prove),
        ("--rule", args.rule, "--local", args.local),
    ):
        if is_given and not is_there:
            raise Failure(ALONE.filled(option=option, other=other))
    for option in ("url", "code", "token"):
        if args.local and getattr(args, option):
            raise Failure(NOT_LOCAL.filled(option=option))
    if (args.timer or args.content_check) and not args.prove:
        screen.line(WAITS.say(language))
    if args.local:
        return _run_locally(args, screen, language)
    environ = operator_environment(args.env_file, os.environ)
    return _prove(environ, args, screen) if args.prove else _examine(environ, args, screen, language)


def _run_locally(args: argparse.Namespace, screen: Screen, language: str) -> int:
    from ops.run.hosting import Plan, quiet_log, running_cloud

    with running_cloud(Plan(rules=rules_of(args))) as cloud, quiet_log():
        if args.prove:
            return _prove_locally(cloud, args, screen)
        args.url, args.code = cloud.gateway.origin, cloud.wechat.issue_code()
        return _examine(cloud.environment(), args, screen, language)


def _examine(environ: Mapping[str, str], args: argparse.Namespace, screen: Screen, language: str) -> int:
    visit = Visit(uploads=not args.no_upload, **{name: getattr(args, name) for name in GIVEN})
    return show(examine(environ, visit), environ, args.url, screen, language)


def _prove(environ: Mapping[str, str], args: argparse.Namespace, screen: Screen) -> int:
    """Say what it costs, then ask: in English alone, for makers and careful operators."""
    settings, findings = check_settings(environ)
    keys, finding = check_keys(environ)
    bad = [one for one in [*findings, finding] if one.state is State.BAD]
    for one in bad:
        show_finding(one, screen, "en")
    if settings is None or keys is None or bad:
        return 1
    there = settings.at(settings.home)
    sandbox = Sandbox(there, keys, function_url(there, args.url))
    sandbox.openid = args.openid
    show_cost(sandbox, screen)
    report = args.report or FOLDER / f"{datetime.now(UTC):%Y-%m-%d-%H%M%S}-{there.region}.md"
    return show_proof(sandbox, f"OSS in {there.region}", report, screen)


def _prove_locally(cloud: Any, args: argparse.Namespace, screen: Screen) -> int:
    # A domain bound to the bucket; 127.0.0.1 plays the default host.
    environ = {**cloud.environment(), "OSS_HOST": cloud.oss.origin.replace("127.0.0.1", "localhost")}
    settings = load_settings(environ)
    there = settings.at(settings.home)
    sandbox = Sandbox(there, operator_keys(environ), cloud.gateway.origin)
    sandbox.openid = openid_of(cloud.wechat.issue_code(), wechat_callers(there)[0].settings, send)
    asked = f"The local cloud with {', '.join(args.rule) or 'no other rules'}"
    return show_proof(sandbox, asked, args.report, screen)


def show(
    findings: Iterator[Finding], environ: Mapping[str, str], url: str, screen: Screen, language: str
) -> int:
    """Print each finding as it comes, then the domains; 1 when anything is bad."""
    states = []
    where: Text | None = None
    for finding in findings:
        states.append(finding.state)
        if finding.where and finding.where != where:
            screen.line(finding.where.say(language))
        where = finding.where
        show_finding(finding, screen, language)
    _show_domains(environ, url, screen, language)
    screen.line()
    if State.BAD in states:
        screen.fail(NOT_WELL.say(language, count=states.count(State.BAD), total=len(states)))
        return 1
    screen.line(screen.colour(f"✓ {ALL_WELL.say(language)}", GREEN))
    return 0


def _show_domains(environ: Mapping[str, str], url: str, screen: Screen, language: str) -> None:
    settings, _ = check_settings(environ)
    if settings is None:
        return
    screen.line()
    screen.title(DOMAINS.say(language))
    rows = domains(settings, function_url(settings, url))
    screen.pairs({name: value.say(language) for name, value in rows})
