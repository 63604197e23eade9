"""
Measure how long a deployed function takes to answer, its cold starts apart from the rest.

Some requests go out at once, so that new instances start, then others one after another. The first answer
of an instance says so itself; each connection is opened before the clock starts, and told apart.
"""

import argparse
import json
import os
import re
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import urlsplit

from function.config.types import ADDRESS_PATTERN
from ops.client import cold_log, invoke_options
from ops.client.answers import InvokeFailed
from ops.client.function_client import FunctionAtUrl, sendable
from ops.client.invoke import log_in
from ops.client.invoke_options import SOME_PICTURE
from ops.client.latency import Asked, Timed, at_once, in_turn, percentile
from ops.deploy.operator_env import add_env_argument, operator_environment
from ops.terminal.columns import in_columns
from ops.terminal.language import Failure, Text, add_language_argument, chosen_language
from ops.terminal.screen import Screen

SUMMARY = Text("time a deployed function, cold and warm", "测量已部署的函数：冷启动与热请求各多久")
ABOUT = Text(
    __doc__,
    "测量已部署的函数多久响应，冷启动与其余的分开。\n\n"
    "先同时发出若干请求，让新实例启动；再逐个发出其余请求。实例的第一个响应会说明自己是第一个；"
    "每条连接都在计时之前建立，另行列出。",
)
HELP = {
    "--url": Text("address of the function: trigger or custom domain", "函数的地址：触发器或自定义域名"),
    "--at-once": Text(
        "how many requests at once, to start new instances (default: 5)",
        "同时发出多少个请求，用来启动新实例（默认：5）",
    ),
    "--requests": Text("how many requests one after another (default: 50)", "逐个发出多少个请求（默认：50）"),
    "--form": Text(
        "ask for forms instead of /health; each counts towards CALLER_RATE",
        "要表单，而不是 /health；每个都计入 CALLER_RATE",
    ),
    "--token": Text(
        "ask for forms with this session token, or the business's own login token",
        "用这个会话令牌（或业务自己的登录令牌）要表单",
    ),
    "--code": Text(
        "log in with this code of wx.login, then ask for forms", "先用 wx.login 的这个 code 登录，再要表单"
    ),
    "--profile": Text("ask for forms of this profile", "要这个用途的表单"),
    "--logs": Text(
        "then show the cold starts of the last hour as Function Compute logs them in this logstore",
        "随后列出函数计算在这个日志库里记录的最近一小时的冷启动",
    ),
}
MOST_AT_ONCE, MOST_REQUESTS = 100, 10_000
RESULTS = Path(__file__).resolve().parents[2] / "quality" / "bench" / "results" / "results.json"
MEASURED_CALLER = "this function, wechat"
WORDS = {
    "bad_url": Text(
        "--url must be an http(s) address without a query.", "--url 必须是不带查询串的 http(s) 地址。"
    ),
    "bad_count": Text(
        "--at-once takes 0 to {at_once}, --requests 0 to {requests}, and one of them is not 0.",
        "--at-once 可为 0 到 {at_once}，--requests 可为 0 到 {requests}，且不能都是 0。",
    ),
    "plan": Text(
        "{method} {url}: {at_once} at once, then {requests} one after another",
        "{method} {url}：同时 {at_once} 个，然后逐个 {requests} 个",
    ),
    "answers": Text("answers", "响应"),
    "count": Text("number", "个数"),
    "p50": Text("p50 ms", "p50 毫秒"),
    "p95": Text("p95 ms", "p95 毫秒"),
    "longest": Text("longest ms", "最长 毫秒"),
    "cold": Text("cold: the first of an instance", "冷：实例的第一个响应"),
    "warm": Text("warm", "热"),
    "connecting": Text("opening a connection", "建立连接"),
    "share": Text("{cold} of {all} answers were cold.", "{all} 个响应里 {cold} 个是冷的。"),
    "beside": Text(
        "Beside it, without any network (docs/speed.md, {date}, {machine}): cold {cold} ms, warm {warm} ms.",
        "对照，不含任何网络（docs/speed.md，{date}，{machine}）：冷 {cold} 毫秒，热 {warm} 毫秒。",
    ),
    "none_cold": Text(
        "No instance started anew: enough stood ready. Ask for more with --at-once, or in ten minutes again.",
        "没有新实例启动：现有实例已经够用。请加大 --at-once，或十分钟后再试。",
    ),
    "others": Text("Not counted: {others}.", "未计入：{others}。"),
    "silent": Text("no answer", "没有响应"),
    "status": Text("{count} × HTTP {status}", "{count} 个 HTTP {status}"),
    "and": Text(", ", "，"),
    "nothing": Text(
        "Nothing was answered with 200, so there is nothing to measure.",
        "没有一个响应是 200，没有什么可测量的。",
    ),
}


def add_arguments(parser: argparse.ArgumentParser, language: str = "en") -> None:
    more: dict[str, dict[str, Any]] = {
        "--url": {"required": True},
        "--at-once": {"type": int, "default": 5, "metavar": "N"},
        "--requests": {"type": int, "default": 50, "metavar": "N"},
        "--form": {"action": "store_true"},
        "--profile": {"metavar": "NAME"},
        "--logs": {"metavar": "PROJECT/LOGSTORE"},
    }
    for option, text in HELP.items():
        parser.add_argument(option, help=text.say(language), **more.get(option, {}))
    add_env_argument(parser, language)
    add_language_argument(parser, language)


def run(args: argparse.Namespace) -> int:
    language = chosen_language(args.lang)
    screen, complaints = Screen(), Screen(sys.stderr)
    if problem := _problem(args):
        complaints.fail(problem.say(language, at_once=MOST_AT_ONCE, requests=MOST_REQUESTS))
        return 2
    try:
        if args.code:
            args.token = log_in(FunctionAtUrl(args.url), args.code, screen, language)
        asked = asked_of(args)
        environ = operator_environment(args.env_file, os.environ) if args.logs else {}
        log = cold_log.log_of(args.logs, environ) if args.logs else None
    except InvokeFailed as error:
        complaints.fail(str(error))
        return 1
    except Failure as error:
        complaints.fail_with(error, language)
        return 1 if args.code else 2
    method = "GET" if asked.body is None else "POST"
    counts = {"at_once": args.at_once, "requests": args.requests}
    screen.title(WORDS["plan"].say(language, method=method, url=asked.origin + asked.path, **counts))
    answers = at_once(asked, args.at_once) + in_turn(asked, args.requests)
    code = show(answers, screen, complaints, language)
    return max(code, cold_log.show(log, screen, complaints, language)) if log else code


def _problem(args: argparse.Namespace) -> Text | None:
    match = re.fullmatch(ADDRESS_PATTERN, args.url.rstrip("/") + "/")
    if not match or match["query"]:
        return WORDS["bad_url"]
    if args.code and args.token:
        return invoke_options.WORDS["both"]
    in_bounds = 0 <= args.at_once <= MOST_AT_ONCE and 0 <= args.requests <= MOST_REQUESTS
    return None if in_bounds and args.at_once + args.requests else WORDS["bad_count"]


def asked_of(args: argparse.Namespace) -> Asked:
    """A form where one is asked for, in whatever way; else ``/health``, for which nobody must log in."""
    parts = urlsplit(args.url.rstrip("/"))
    origin = f"{parts.scheme}://{parts.netloc}"
    if not (args.form or args.token or args.profile):
        return Asked(origin, f"{parts.path}/health", None, {})
    wanted = {"filename": SOME_PICTURE, **({"profile": args.profile} if args.profile else {})}
    headers = {"Content-Type": "application/json"}
    if args.token:
        headers["Authorization"] = f"Bearer {sendable(args.token)}"
    return Asked(origin, f"{parts.path}/upload-params", json.dumps(wanted).encode(), headers)


def show(answers: Sequence[Timed], screen: Screen, complaints: Screen, language: str) -> int:
    """Print the measurements as a table; return 1 if there are none."""
    good = [answer for answer in answers if answer.status == 200]
    others = Counter(answer.status for answer in answers if answer.status != 200)
    if good:
        _show_table(good, screen, language)
    if others:
        said = [_said_of(status, count, language) for status, count in sorted(others.items())]
        complaints.warn(WORDS["others"].say(language, others=WORDS["and"].say(language).join(said)))
    if not good:
        complaints.fail(WORDS["nothing"].say(language))
    return 0 if good else 1


def _said_of(status: int, count: int, language: str) -> str:
    if status:
        return WORDS["status"].say(language, count=count, status=status)
    return f"{count} × {WORDS['silent'].say(language)}"


def _show_table(good: Sequence[Timed], screen: Screen, language: str) -> None:
    measured = {
        "cold": [answer.milliseconds for answer in good if answer.is_cold],
        "warm": [answer.milliseconds for answer in good if not answer.is_cold],
        "connecting": [answer.connecting for answer in good if answer.connecting],
    }
    head = [WORDS[name].say(language) for name in ("answers", "count", "p50", "p95", "longest")]
    screen.line()
    for line in in_columns([head, *(_row(name, values, language) for name, values in measured.items())]):
        screen.line(line)
    screen.line()
    cold = len(measured["cold"])
    screen.line(WORDS["share"].say(language, cold=cold, all=len(good)))
    if not cold:
        screen.line(WORDS["none_cold"].say(language))
    screen.line(WORDS["beside"].say(language, **measured_here(RESULTS)))


def _row(name: str, values: Sequence[float], language: str) -> list[str]:
    shown = (percentile(values, 0.5), percentile(values, 0.95), max(values)) if values else ()
    figures = [f"{value:.1f}" for value in shown] or ["-"] * 3
    return [WORDS[name].say(language), str(len(values)), *figures]


def measured_here(results: Path) -> dict[str, str]:
    """Our own figures of a cold start and of a warm request, both in milliseconds, by the last benchmark."""
    found = json.loads(results.read_text("utf-8"))
    warm = median(found["warm"][f"{MEASURED_CALLER}: 1"]["us"]) / 1000
    return {
        "date": found["about"]["date"],
        "machine": found["about"]["machine"],
        "cold": f"{median(found['cold_start'][MEASURED_CALLER]['wall_ms']):.0f}",
        "warm": f"{warm:.2f}",
    }
