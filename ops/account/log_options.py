"""
Options of ``setup`` for the log: its logstore, dashboards and alarms.
"""

import argparse
import re
from collections.abc import Callable
from typing import Any

from ops.account.log_plan import DesiredLogs
from ops.account.metric_alarms import DesiredAlarms
from ops.terminal.language import Text, chosen_language

PLACE = re.compile(r"([a-z0-9-]{3,63})/([a-z0-9_-]{2,63})")
# One group: a comma would name several.
CONTACTS = re.compile(r"[^\s,;\"'<>]{1,100}")
NO_GROUP = Text(
    "--contacts must be the name of one contact group.", "--contacts 应为一个报警联系人组的名称。"
)
NO_NUMBER = Text(
    "--instances must be 1 to 100000, with --contacts.",
    "--instances 应为 1 到 100000，并与 --contacts 一起用。",
)
NO_ALARMS = Text(
    "Requests that Function Compute refuses (429, 503) are in no log: --contacts GROUP adds alarms of"
    " CloudMonitor on them.",
    "被函数计算拒绝的请求（429、503）不在任何日志里：用 --contacts GROUP 加上云监控的告警。",
)
OF_BURST = Text(
    "the function of s.burst.yaml: many requests at once", "s.burst.yaml 的函数：同时处理多个请求"
)
NOT_A_PLACE = Text(
    "--logs must be PROJECT/LOGSTORE; {value!r} is not.", "--logs 应为 PROJECT/LOGSTORE，而不是 {value!r}。"
)
NO_LOGSTORE = Text(
    "--dashboards needs --logs PROJECT/LOGSTORE, and --notify needs --dashboards.",
    "--dashboards 需要 --logs PROJECT/LOGSTORE，--notify 需要 --dashboards。",
)


def add_log_arguments(option: Callable[..., Any]) -> None:
    option(
        "--logs",
        Text(
            "let the function write its log there (s.yaml: logConfig)",
            "函数把日志写到这里（s.yaml：logConfig）",
        ),
        metavar="PROJECT/LOGSTORE",
    )
    option(
        "--dashboards",
        Text(
            "make that logstore answer questions: its index, a dashboard and alarms",
            "给这个日志库加上索引、看板与告警",
        ),
        action="store_true",
    )
    option(
        "--notify",
        Text(
            "action policy of SLS that says whom an alarm tells (default: the console alone)",
            "告警通知谁：日志服务的行动策略 ID（默认：只在控制台显示）",
        ),
        metavar="POLICY",
    )


def add_alarm_arguments(option: Callable[..., Any]) -> None:
    option(
        "--contacts",
        Text(
            "alert contact group of CloudMonitor: make alarms on Function Compute's own metrics",
            "云监控的报警联系人组：为函数计算自己的监控指标设置告警",
        ),
        metavar="GROUP",
    )
    option(
        "--instances",
        Text(
            "instances that the account may run in the region, for the alarm on them (default: as"
            " CloudMonitor says, else 100)",
            "账号在该地域可用的实例数，用于实例告警（默认：云监控给出的数，没有则 100）",
        ),
        metavar="N",
        type=int,
        default=0,
    )
    option("--burst", OF_BURST, action="store_true")


def notes_without_alarms(logs: DesiredLogs | None, alarms: DesiredAlarms | None) -> list[Text]:
    return [NO_ALARMS] if logs and not alarms else []


def read_alarms(
    args: argparse.Namespace, region: str, account: str, function: str, problems: list[Text]
) -> DesiredAlarms | None:
    """Return the desired alarms of CloudMonitor, if any."""
    if args.contacts and not CONTACTS.fullmatch(args.contacts):
        problems.append(NO_GROUP)
    if not 0 <= args.instances <= 100_000 or (args.instances and not args.contacts):
        problems.append(NO_NUMBER)
    if not args.contacts:
        return None
    return DesiredAlarms(account, region, function, args.contacts, args.instances)


def read_logs(
    args: argparse.Namespace, region: str, problems: list[Text]
) -> tuple[DesiredLogs | None, tuple[str, str] | None]:
    """Return the desired logs, if any, and where the function may write."""
    if (args.dashboards or args.notify) and not (args.logs and args.dashboards):
        problems.append(NO_LOGSTORE)
    place = read_place(args.logs, problems)
    if not place:
        return None, None
    project, logstore = place
    language = chosen_language(args.lang)
    desired = DesiredLogs(region, project, logstore, args.notify or "", language)
    return desired if args.dashboards else None, (project, logstore)


def read_place(text: str | None, problems: list[Text]) -> tuple[str, str] | None:
    """Return project and logstore, if any."""
    if not text:
        return None
    if not (place := PLACE.fullmatch(text)):
        problems.append(Text(*(sentence.format(value=text) for sentence in NOT_A_PLACE)))
        return None
    return place[1], place[2]
