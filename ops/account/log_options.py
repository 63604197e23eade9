"""
Options of ``setup`` for the log: its logstore, dashboards and alarms.
"""

import argparse
import re
from collections.abc import Callable
from typing import Any

from ops.account.log_plan import DesiredLogs
from ops.terminal.language import Text, chosen_language

PLACE = re.compile(r"([a-z0-9-]{3,63})/([a-z0-9_-]{2,63})")
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
