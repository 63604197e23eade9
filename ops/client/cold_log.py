"""
Cold starts of the last hour, as Function Compute logs them: a line of metrics for each request.
"""

import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from ops.account.cloud import CloudError
from ops.account.cold_start_query import COLD_STARTS, COLD_STARTS_SQL
from ops.account.log_calls import LogService
from ops.account.log_options import read_place
from ops.account.operator_keys import operator_keys
from ops.terminal.columns import in_columns
from ops.terminal.language import Failure, Text
from ops.terminal.screen import Screen

SECONDS = 3600
WORDS = {
    "no_region": Text(
        "--logs needs OSS_REGION, the region of the function.", "--logs 需要 OSS_REGION，即函数所在的地域。"
    ),
    "head": Text("cold starts of the last hour, by their log", "日志里最近一小时的冷启动"),
    "colds": Text("number", "个数"),
    "p50": Text("p50 ms", "p50 毫秒"),
    "p95": Text("p95 ms", "p95 毫秒"),
    "longest": Text("longest ms", "最长 毫秒"),
    "code": Text("of it code", "其中代码"),
    "runtime": Text("of it runtime", "其中运行时"),
    "none": Text(
        "No cold start in that log. Lines come a minute late, and only with enableRequestMetrics in s.yaml"
        " and the index of `setup --dashboards`.",
        "这个日志库里没有冷启动。日志会晚一分钟左右，并且需要 s.yaml 里的 enableRequestMetrics"
        " 和 `setup --dashboards` 建立的索引。",
    ),
    "failed": Text("{action} failed: {code}.", "{action} 失败：{code}。"),
}
FIGURES = ("colds", "p50", "p95", "longest", "code", "runtime")


class ColdLog(NamedTuple):
    service: LogService
    logstore: str


def log_of(logs: str, environ: Mapping[str, str]) -> ColdLog:
    """
    The log to read.

    Raises:
        Failure: the place is none, or the region or the keys are missing.
    """
    problems: list[Text] = []
    place = read_place(logs, problems)
    if not environ.get("OSS_REGION"):
        problems.append(WORDS["no_region"])
    if problems or not place:
        raise Failure(*problems)
    project, logstore = place
    return ColdLog(LogService(operator_keys(environ), environ["OSS_REGION"], project), logstore)


def show(
    log: ColdLog, screen: Screen, complaints: Screen, language: str, now: Callable[[], float] = time.time
) -> int:
    """Print a line for each function; return 1 if the log cannot be read."""
    until = int(now())
    try:
        rows = log.service.rows(log.logstore, f"{COLD_STARTS} | {COLD_STARTS_SQL}", until - SECONDS, until)
    except CloudError as error:
        complaints.fail(WORDS["failed"].say(language, action=error.action, code=error.code))
        return 1
    screen.line()
    if not rows:
        screen.line(WORDS["none"].say(language))
        return 0
    head = [WORDS[name].say(language) for name in ("head", *FIGURES)]
    for line in in_columns([head, *(_cells(row) for row in rows)]):
        screen.line(line)
    return 0


def _cells(row: Mapping[str, Any]) -> list[str]:
    name = str(row.get("functionName", ""))
    return [name if name.isprintable() else ascii(name), *(_figure(row.get(figure)) for figure in FIGURES)]


def _figure(value: Any) -> str:
    """Whole as it is, otherwise with one digit; SLS writes ``null`` for what no line has."""
    try:
        return str(value) if str(value).isdigit() else f"{float(value):.1f}"
    except (TypeError, ValueError):
        return "-"
