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
from pathlib import Path

from local.cloud import BUCKET, CALLER_KINDS, REGION, LocalCloud
from local.ground.reach import HERE_ONLY, LOOPBACK
from ops.run.demo import upload_one_file
from ops.run.demo_steps import DemoFailed
from ops.run.host import add_host_argument, this_network, wanted_reach
from ops.run.hosting import DEFAULT_PORT, HostingError, Plan, quiet_log, running_cloud, wanted_port
from ops.run.phone import WARNING, show_phone
from ops.run.rules import add_rule_argument, rules_of
from ops.terminal.screen import Screen

SUMMARY = "the local cloud, until it is ended"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--json", action="store_true", help="print one JSON object with every address as the first line"
    )
    parser.add_argument("--demo", action="store_true", help="upload one file first, step by step")
    parser.add_argument(
        "--caller-auth", choices=CALLER_KINDS, default="wechat", help="who may ask (default: wechat)"
    )
    parser.add_argument(
        "--folder", type=Path, help="keep uploaded objects here (default: a temporary folder)"
    )
    parser.add_argument(
        "--token-secret",
        metavar="SECRET",
        help="signs receipts, so that your backend can verify them (default: a new one for each run)",
    )
    parser.add_argument(
        "--webhook", metavar="URL", help="your backend's address, which is told the receipt of each upload"
    )
    parser.add_argument("--caller-rate", metavar="N/UNIT", help="CALLER_RATE of the function, such as 60/min")
    parser.add_argument("--login-rate", metavar="N/UNIT", help="LOGIN_RATE of the function, such as 30/min")
    add_host_argument(parser)
    add_rule_argument(parser)


def run(args: argparse.Namespace) -> int:
    # With --json the first line belongs to scripts; what is for a person goes beside it.
    screen = Screen(sys.stderr if args.json else sys.stdout)
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
                screen.warn(WARNING)
            if args.demo:
                with quiet_log():
                    upload_one_file(cloud, screen)
            if not args.json:
                show_cloud(cloud, screen, plan)
            ended.wait()
    except (HostingError, DemoFailed) as error:
        screen.fail(str(error))
        return 1
    if not args.json:
        screen.line("\n已停止 Stopped.")
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


def show_cloud(cloud: LocalCloud, screen: Screen, plan: Plan) -> None:
    """Print what runs where, what may be uploaded, and something to try."""
    function = cloud.gateway.outer_origin
    screen.line()
    screen.title("本地云已启动 The local cloud is running")
    screen.pairs(
        {
            "function": f"{function}   POST /upload-params /login /callback, GET /health",
            "FC 2.0": f"{function}/2016-08-15/proxy/SERVICE/FUNCTION/upload-params",
            "OSS": f"{cloud.oss.outer_origin}   bucket {BUCKET}, region {REGION}",
            "STS": cloud.sts.origin,
            "WeChat": cloud.wechat.origin,
            "playground": f"{cloud.playground.outer_origin}/   演练场 open this in a browser",
            "objects": str(plan.folder or "in a temporary folder, removed at the end (keep them: --folder)"),
            "receipts": _receipts(plan.settings),
        }
    )
    if plan.port and not function.endswith(f":{plan.port}"):
        screen.line(f"    Port {plan.port} was taken, so the function listens at the next free one.")
    screen.line()
    screen.title("能传什么 Profiles")
    screen.pairs(
        {
            name: f"{profile['max_size']:<8}  {', '.join(profile['content_types'])}"
            for name, profile in cloud.profiles.items()
        }
    )
    screen.line()
    screen.title("试一试 Try it")
    for line in example_lines(cloud):
        screen.line("    " + line)
    screen.line()
    screen.title("小程序里 In your mini-program")
    for line in next_lines(cloud):
        screen.line("    " + line)
    screen.line()
    if plan.reach != HERE_ONLY:
        show_phone(cloud, screen, this_network())
    if cloud.caller_auth == "anonymous":
        screen.warn("CALLER_AUTH=anonymous：任何人都能上传 anyone who reaches the function may upload.")
    screen.line("Ctrl-C 停止 stops it. 函数日志在 stderr. Log lines of the function follow on stderr.")


def _receipts(settings: Mapping[str, str]) -> str:
    signed = (
        "--token-secret" if "TOKEN_SECRET" in settings else "a secret of this run (yours: --token-secret)"
    )
    told = settings.get("UPLOAD_WEBHOOK_URL", "nobody (your backend: --webhook URL)")
    return f"signed with {signed}, told to {told}"


def next_lines(cloud: LocalCloud) -> list[str]:
    """What the developer of a mini-program does next, in both languages."""
    function = cloud.gateway.outer_origin
    is_in_example = function == f"http://{LOOPBACK}:{DEFAULT_PORT}"
    example = "miniprogram/example" + ("" if is_in_example else f", config.js: '{function}'")
    return [
        f"1. 微信开发者工具打开 Open in WeChat DevTools: {example}",
        "   详情 → 本地设置 → 勾选“不校验合法域名” tick it: the local addresses are no https domains",
        f"2. 自己的代码 Your own code: copy miniprogram/oss-direct-upload, endpoint: '{function}'",
        "   wx.login 的 code 直接可用 any code of wx.login works; 说明 see docs/client.md",
        "3. 真正的云 The real cloud: docs/deploy.md",
    ]


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
