"""
Run the whole cloud on this machine: the function, STS, OSS, WeChat login and the playground page.

The function runs with your own profiles.toml and hooks.py, and with what .env says of its behaviour; they are
read again when they change. Nothing outside this machine is needed or asked. PORT names the function's port
(9000); taken ports are stepped over. Ctrl-C ends it.
"""

import argparse
import json
import os
import signal
import sys
import threading
from functools import partial
from pathlib import Path

from function.config import types
from local.callers import CALLER_KINDS
from local.common.reach import HERE_ONLY
from ops.run.demo import show_samples
from ops.run.host import WARNING, add_host_argument, wanted_reach
from ops.run.hosting import DEFAULT_PORT, HostingError, Plan, running_cloud, wanted_port
from ops.run.overview import show_cloud
from ops.run.own_files import EVERY_SECONDS, OwnFiles
from ops.run.rules import add_rule_argument, rules_of
from ops.terminal.language import Text, add_language_argument, chosen_language
from ops.terminal.screen import Screen

ROOT = Path(__file__).resolve().parents[2]
SUMMARY = Text("the local cloud, until it is ended", "本地云，一直运行到你结束它")
ABOUT = Text(
    __doc__,
    "在本机运行整个云：函数、STS、OSS、微信登录和演练场网页。\n\n"
    "函数用你自己的 profiles.toml、hooks.py，以及 .env 里与行为有关的设置；改动后自动重新读取。"
    "不需要也不访问本机以外的任何东西。PORT 是函数的端口（9000）；被占用的端口会跳过。Ctrl-C 结束。",
)
WORDS = {
    "json": Text(
        "print one JSON object with every address as the first line", "第一行打印含所有地址的 JSON 对象"
    ),
    "demo": Text(
        "run the samples of local/demo/ instead of your own files",
        "运行 local/demo/ 里的示例，而不是你自己的文件",
    ),
    "caller_auth": Text(
        "who may ask (default: CALLER_AUTH of .env, else wechat)",
        "谁可以要表单（默认：.env 的 CALLER_AUTH，没有则 wechat）",
    ),
    "folder": Text(
        "keep uploaded objects here (default: a temporary folder)", "把上传的对象留在这里（默认：临时目录）"
    ),
    "token_secret": Text(
        "signs receipts, so that your backend can verify them (default: RECEIPT_SECRET of .env,"
        " else a new one for each run)",
        "用来签回执，让你的后端能验证（默认：.env 的 RECEIPT_SECRET，没有则每次运行都换一个）",
    ),
    "webhook": Text(
        "your backend's address, which is told the receipt of each upload",
        "你的后端地址，每次上传的回执都会发给它",
    ),
    "rate": Text("{setting} of the function, such as 60/min", "函数的 {setting}，如 60/min"),
    "taken": Text(
        "Port {wanted} is taken by another program, so the function is at {address}: write that into"
        " config.js, or end the other one (PORT=… chooses a port).",
        "端口 {wanted} 被别的程序占用，函数改用 {address}：请写进 config.js，"
        "或结束那个程序（PORT=… 可以换端口）。",
    ),
    "bad_webhook": Text(
        "--webhook {url}: a backend is here (http://127.0.0.1:3000/PATH), or has https and a path.",
        "--webhook {url}：后端应在本机，如 http://127.0.0.1:3000/路径，或者是带路径的 https 地址。",
    ),
    "stopped": Text("Stopped.", "已停止。"),
}


def add_arguments(parser: argparse.ArgumentParser, language: str = "en") -> None:
    def help_of(name: str, **values: str) -> str:
        return WORDS[name].say(language, **values)

    parser.add_argument("--json", action="store_true", help=help_of("json"))
    parser.add_argument("--demo", action="store_true", help=help_of("demo"))
    parser.add_argument("--caller-auth", choices=CALLER_KINDS, default="", help=help_of("caller_auth"))
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
    own = OwnFiles(ROOT, args.caller_auth, screen, language)
    samples = partial(show_samples, screen, language)
    plan = Plan(
        port=wanted_port(os.environ, DEFAULT_PORT),
        caller_auth=args.caller_auth or "wechat",
        folder=args.folder,
        settings=_settings(args),
        rules=rules_of(args),
        reach=wanted_reach(args.host),
        deploy=samples if args.demo else own.deploy,
    )
    with running_cloud(plan) as cloud:
        if plan.port and not cloud.gateway.origin.endswith(f":{plan.port}"):
            screen.warn(WORDS["taken"].say(language, wanted=plan.port, address=cloud.gateway.origin))
        if args.json:
            Screen(sys.stdout).line(json.dumps(cloud.addresses()))
        if plan.reach != HERE_ONLY:
            screen.warn(WARNING.say(language))
        if not args.json:
            show_cloud(cloud, screen, plan, language)
        while not ended.wait(None if args.demo else EVERY_SECONDS):
            own.look()
    if not args.json:
        screen.line("\n" + WORDS["stopped"].say(language))
    return 0


def _settings(args: argparse.Namespace) -> dict[str, str]:
    """Those of the function that were asked for; raise ``HostingError`` for a webhook that is no address."""
    if args.webhook:
        try:
            types.ADDRESS.read(args.webhook)
        except ValueError:
            raise HostingError(WORDS["bad_webhook"].filled(url=args.webhook)) from None
    asked = {
        "TOKEN_SECRET": args.token_secret,
        "UPLOAD_WEBHOOK_URL": args.webhook,
        "CALLER_RATE": args.caller_rate,
        "LOGIN_RATE": args.login_rate,
    }
    # It signs receipts as well, whatever .env says.
    instead = {"RECEIPT_SECRET": ""} if args.token_secret else {}
    return {name: value for name, value in asked.items() if value} | instead


def _ended_by_signal() -> threading.Event:
    """An event that Ctrl-C, SIGTERM and a closed terminal set, instead of a traceback."""
    ended = threading.Event()
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), lambda *_: ended.set())
    return ended
