"""
Run the whole cloud on this machine: the function, STS, OSS, WeChat login and the playground page.

Nothing outside this machine is needed or asked. PORT names the function's port (9000); taken ports are
stepped over. Ctrl-C ends it.
"""

import argparse
import json
import os
import signal
import sys
import threading
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from local.cloud import BUCKET, CALLER_KINDS, REGION, LocalCloud
from local.ground.reach import HERE_ONLY, LOOPBACK
from ops.run.demo import WHO, upload_one_file
from ops.run.demo_answers import DemoFailed
from ops.run.host import add_host_argument, this_network, wanted_reach
from ops.run.hosting import DEFAULT_PORT, HostingError, Plan, quiet_log, running_cloud, wanted_port
from ops.run.phone import WARNING, show_phone
from ops.run.rules import add_rule_argument, rules_of
from ops.terminal.language import Text, add_language_argument, chosen_language
from ops.terminal.screen import Screen

SUMMARY = Text("the local cloud, until it is ended", "本地云，一直运行到你结束它")
ABOUT = Text(
    __doc__,
    "在本机运行整个云：函数、STS、OSS、微信登录和演练场网页。\n\n"
    "不需要也不访问本机以外的任何东西。PORT 是函数的端口（9000）；被占用的端口会跳过。Ctrl-C 结束。",
)
WORDS = {
    "json": Text(
        "print one JSON object with every address as the first line", "第一行打印含所有地址的 JSON 对象"
    ),
    "demo": Text("upload one file first, step by step", "先上传一个文件，显示每一步"),
    "folder": Text(
        "keep uploaded objects here (default: a temporary folder)", "把上传的对象留在这里（默认：临时目录）"
    ),
    "token_secret": Text(
        "signs receipts, so that your backend can verify them (default: a new one for each run)",
        "用来签回执，让你的后端能验证（默认：每次运行都换一个）",
    ),
    "webhook": Text(
        "your backend's address, which is told the receipt of each upload",
        "你的后端地址，每次上传的回执都会发给它",
    ),
    "rate": Text("{setting} of the function, such as 60/min", "函数的 {setting}，如 60/min"),
    "stopped": Text("Stopped.", "已停止。"),
    "running": Text("The local cloud is running", "本地云已启动"),
    "function": Text("function", "函数"),
    "bucket": Text("bucket {bucket}, region {region}", "桶 {bucket}，地域 {region}"),
    "wechat": Text("WeChat", "微信"),
    "playground": Text("playground", "演练场"),
    "browser": Text("open this in a browser", "在浏览器里打开"),
    "objects": Text("objects", "对象"),
    "temporary": Text(
        "in a temporary folder, removed at the end (keep them: --folder)",
        "在临时目录里，结束时删除（要留下：--folder）",
    ),
    "receipts": Text("receipts", "回执"),
    "signed": Text("signed with {signed}, told to {told}", "用{signed}签名，发给{told}"),
    "of_this_run": Text(
        "a secret of this run (yours: --token-secret)", "本次运行的密钥（用你的：--token-secret）"
    ),
    "yours": Text("--token-secret", " --token-secret "),
    "nobody": Text("nobody (your backend: --webhook URL)", "没有人（你的后端：--webhook URL）"),
    "taken": Text(
        "Port {port} was taken, so the function listens at the next free one.",
        "端口 {port} 已被占用，函数改用下一个空闲的端口。",
    ),
    "profiles": Text("Profiles", "能传什么"),
    "try": Text("Try it", "试一试"),
    "yours_next": Text("In your mini-program", "在你的小程序里"),
    "devtools": Text("1. Open in WeChat DevTools: {example}", "1. 微信开发者工具打开：{example}"),
    "domains": Text(
        "   “详情 → 本地设置”, tick “不校验合法域名”: the local addresses are no https domains",
        "   详情 → 本地设置 → 勾选“不校验合法域名”：本地地址不是 https 域名",
    ),
    "own_code": Text(
        "2. Your own code: copy miniprogram/oss-direct-upload, endpoint: '{function}'",
        "2. 你自己的代码：复制 miniprogram/oss-direct-upload，endpoint: '{function}'",
    ),
    "codes": Text(
        "   any code of wx.login works; see docs/client.md",
        "   wx.login 的 code 直接可用；说明见 docs/client.zh-CN.md",
    ),
    "real": Text("3. The real cloud: docs/deploy.md", "3. 真正的云：docs/deploy.zh-CN.md"),
    "open": Text(
        "CALLER_AUTH=anonymous: anyone who reaches the function may upload.",
        "CALLER_AUTH=anonymous：任何能访问函数的人都能上传。",
    ),
    "end": Text(
        "Ctrl-C stops it. Log lines of the function follow on stderr.",
        "Ctrl-C 停止。函数的日志在 stderr。",
    ),
}


def add_arguments(parser: argparse.ArgumentParser, language: str = "en") -> None:
    def help_of(name: str, **values: str) -> str:
        return WORDS[name].say(language, **values)

    parser.add_argument("--json", action="store_true", help=help_of("json"))
    parser.add_argument("--demo", action="store_true", help=help_of("demo"))
    parser.add_argument("--caller-auth", choices=CALLER_KINDS, default="wechat", help=WHO.say(language))
    parser.add_argument("--folder", type=Path, help=help_of("folder"))
    parser.add_argument("--token-secret", metavar="SECRET", help=help_of("token_secret"))
    parser.add_argument("--webhook", metavar="URL", help=help_of("webhook"))
    for option, name in (("--caller-rate", "CALLER_RATE"), ("--login-rate", "LOGIN_RATE")):
        parser.add_argument(option, metavar="N/UNIT", help=help_of("rate", setting=name))
    add_host_argument(parser, language)
    add_rule_argument(parser, language)
    add_language_argument(parser, language)


def run(args: argparse.Namespace) -> int:
    # With --json the first line belongs to scripts; what is for a person goes beside it.
    screen = Screen(sys.stderr if args.json else sys.stdout)
    language = chosen_language(args.lang)
    ended = _ended_by_signal()
    try:
        plan = Plan(
            port=wanted_port(os.environ, DEFAULT_PORT),
            caller_auth=args.caller_auth,
            folder=args.folder,
            settings=_settings(args),
            rules=rules_of(args),
            reach=wanted_reach(args.host),
        )
        with running_cloud(plan) as cloud:
            if args.json:
                Screen(sys.stdout).line(json.dumps(cloud.addresses()))
            if plan.reach != HERE_ONLY:
                screen.warn(WARNING.say(language))
            if args.demo:
                with quiet_log():
                    upload_one_file(cloud, screen, language)
            if not args.json:
                show_cloud(cloud, screen, plan, language)
            ended.wait()
    except (HostingError, DemoFailed) as error:
        screen.fail_with(error, language)
        return 1
    if not args.json:
        screen.line("\n" + WORDS["stopped"].say(language))
    return 0


def _settings(args: argparse.Namespace) -> dict[str, str]:
    """Those of the function that were asked for."""
    asked = {
        "TOKEN_SECRET": args.token_secret,
        "UPLOAD_WEBHOOK_URL": args.webhook,
        "CALLER_RATE": args.caller_rate,
        "LOGIN_RATE": args.login_rate,
    }
    return {name: value for name, value in asked.items() if value}


def _ended_by_signal() -> threading.Event:
    """An event that Ctrl-C, SIGTERM and a closed terminal set, instead of a traceback."""
    ended = threading.Event()
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), lambda *_: ended.set())
    return ended


def show_cloud(cloud: LocalCloud, screen: Screen, plan: Plan, language: str = "en") -> None:
    """Print what runs where, what may be uploaded, and something to try."""
    function = cloud.gateway.outer_origin
    screen.line()
    say = partial(_say, language)
    screen.title(say("running"))
    screen.pairs(
        {
            say("function"): f"{function}   POST /upload-params /login /callback, GET /health",
            "FC 2.0": f"{function}/2016-08-15/proxy/SERVICE/FUNCTION/upload-params",
            "OSS": f"{cloud.oss.outer_origin}   {say('bucket', bucket=BUCKET, region=REGION)}",
            "STS": cloud.sts.origin,
            say("wechat"): cloud.wechat.origin,
            say("playground"): f"{cloud.playground.outer_origin}/   {say('browser')}",
            say("objects"): str(plan.folder or say("temporary")),
            say("receipts"): _receipts(plan.settings, language),
        }
    )
    if plan.port and not function.endswith(f":{plan.port}"):
        screen.line("    " + say("taken", port=plan.port))
    screen.line()
    screen.title(say("profiles"))
    screen.pairs(
        {
            name: f"{profile['max_size']:<8}  {', '.join(profile['content_types'])}"
            for name, profile in cloud.profiles.items()
        }
    )
    screen.line()
    screen.title(say("try"))
    for line in example_lines(cloud):
        screen.line("    " + line)
    screen.line()
    screen.title(say("yours_next"))
    for line in next_lines(cloud, language):
        screen.line("    " + line)
    screen.line()
    if plan.reach != HERE_ONLY:
        show_phone(cloud, screen, this_network(), language)
    if cloud.caller_auth == "anonymous":
        screen.warn(say("open"))
    screen.line(say("end"))


def _say(language: str, name: str, **values: object) -> str:
    return WORDS[name].say(language, **values)


def _receipts(settings: Mapping[str, str], language: str) -> str:
    signed = _say(language, "yours" if "TOKEN_SECRET" in settings else "of_this_run")
    told = settings.get("UPLOAD_WEBHOOK_URL") or _say(language, "nobody")
    return _say(language, "signed", signed=signed, told=told)


def next_lines(cloud: LocalCloud, language: str = "en") -> list[str]:
    """What the developer of a mini-program does next."""
    function = cloud.gateway.outer_origin
    is_in_example = function == f"http://{LOOPBACK}:{DEFAULT_PORT}"
    example = "miniprogram/example" + ("" if is_in_example else f", config.js: '{function}'")
    lines = ("devtools", "domains", "own_code", "codes", "real")
    return [_say(language, name, example=example, function=function) for name in lines]


def example_lines(cloud: LocalCloud) -> list[str]:
    """Commands for a POSIX shell, one a line, that get a signed form from this cloud."""
    curl, json_type = f"curl -s {cloud.gateway.outer_origin}", "-H 'Content-Type: application/json'"
    first, header = [], ""
    if cloud.caller_auth == "wechat":
        login = f"""{curl}/login {json_type} -d '{{"code":"local-'$(date +%s)'"}}'"""
        first = [f"""TOKEN=$({login} | sed 's/.*"token": *"//; s/".*//')"""]
    elif cloud.caller_auth == "jwt":
        first = [f"TOKEN={cloud.business_token('local-user')}"]
    if first:
        header = ' -H "Authorization: Bearer $TOKEN"'
    wanted = """'{"profile":"avatar","filename":"me.png"}'"""
    return [*first, f"{curl}/upload-params{header} {json_type} -d {wanted}"]
