"""
What the logstore still needs so that the log answers questions: an index, a dashboard, alarms.

Source: https://help.aliyun.com/zh/sls/developer-reference/api-sls-2020-12-30-overview
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ops.account.log_queries import ALARMS, CHARTS, MEDIUM, Alarm, Chart
from ops.account.role_plan import Step
from ops.terminal.language import Text

DASHBOARD = "oss-direct-upload"
ALARM_PREFIX = "oss-direct-upload-"
# Where a line is cut into words, so that a word of the JSON is found.
TOKENS = list(", '\";=()[]{}?@&<>/:\n\t\r")
# SLS analyses 2048 characters of a field unless told otherwise; a line about twenty files has more.
MAX_TEXT = 16384
COLUMNS, ROW_HEIGHT = 2, 6
WIDTH = 10
EVERY = "5m"
BUILTIN_POLICY = "sls.builtin.dynamic"


@dataclass(frozen=True)
class WantedLogs:
    """
    Args:
        notify: id of the action policy of SLS that says who is told; empty for nobody but the console.

        language: of titles and of what an alarm says.
    """

    region: str
    project: str
    logstore: str
    notify: str = ""
    language: str = "en"


@dataclass(frozen=True)
class FoundLogs:
    """
    Args:
        index: of the logstore, as SLS hands it out; ``None`` where there is none.

        alarms: ours, by name.
    """

    index: Mapping[str, Any] | None = None
    dashboard: Mapping[str, Any] | None = None
    alarms: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def log_steps(wanted: WantedLogs, found: FoundLogs) -> list[Step]:
    """The calls still to be made, in order: a query finds nothing before there is an index."""
    return [*_index(wanted, found), *_dashboard(wanted, found), *_alarms(wanted, found)]


def _step(wanted: WantedLogs, action: str, path: str, body: Any, why: Text) -> Step:
    return Step("SLS", action, {"project": wanted.project, "path": path, "body": body}, why)


def _index(wanted: WantedLogs, found: FoundLogs) -> Iterator[Step]:
    path = f"/logstores/{wanted.logstore}/index"
    if found.index is None:
        why = Text("the log can be searched and counted", "日志可以检索和统计")
        yield _step(wanted, "CreateIndex", path, merged_index({}), why)
    elif not is_index_enough(found.index):
        why = Text("the index exists otherwise: `message` is added", "索引已存在但不同：加上 `message`")
        yield _step(wanted, "UpdateIndex", path, merged_index(found.index), why)


def is_index_enough(index: Mapping[str, Any]) -> bool:
    message = index.get("keys", {}).get("message", {})
    is_read = message.get("doc_value") is True and set('":,') <= set(message.get("token", ()))
    return is_read and int(index.get("max_text_len", 2048)) >= MAX_TEXT


def merged_index(index: Mapping[str, Any]) -> dict[str, Any]:
    """An index with all that ours needs, and whatever was in it before."""
    plain = {"token": TOKENS, "caseSensitive": False, "chn": False}
    keys = {**index.get("keys", {}), "message": {"type": "text", "doc_value": True, "alias": "", **plain}}
    longest = max(MAX_TEXT, int(index.get("max_text_len", 0)))
    return {"line": index.get("line") or plain, "keys": keys, "max_text_len": longest}


def _dashboard(wanted: WantedLogs, found: FoundLogs) -> Iterator[Step]:
    document = dashboard(wanted)
    if found.dashboard is None:
        why = Text(f"{len(CHARTS)} charts of the log", f"日志的 {len(CHARTS)} 张图")
        yield _step(wanted, "CreateDashboard", "/dashboards", document, why)
    elif not _says(found.dashboard, document):
        why = Text("the dashboard exists otherwise", "看板已存在但不同")
        yield _step(wanted, "UpdateDashboard", f"/dashboards/{DASHBOARD}", document, why)


def dashboard(wanted: WantedLogs) -> dict[str, Any]:
    return {
        "dashboardName": DASHBOARD,
        "displayName": DASHBOARD,
        "description": "",
        "attribute": {"type": "grid"},
        "charts": [_chart(wanted, chart, place) for place, chart in enumerate(CHARTS)],
    }


def _chart(wanted: WantedLogs, chart: Chart, place: int) -> dict[str, Any]:
    return {
        "title": chart.name,
        "type": chart.kind,
        "action": {},
        "search": {
            "logstore": wanted.logstore,
            "topic": "",
            "query": chart.query,
            "start": "-86400s",
            "end": "now",
        },
        "display": {
            "displayName": chart.title.say(wanted.language),
            "xAxis": list(chart.x),
            "yAxis": list(chart.y),
            "xPos": place % COLUMNS * WIDTH,
            "yPos": place // COLUMNS * ROW_HEIGHT,
            "width": WIDTH,
            "height": ROW_HEIGHT,
        },
    }


def _alarms(wanted: WantedLogs, found: FoundLogs) -> Iterator[Step]:
    for alarm in ALARMS:
        document = alarm_rule(wanted, alarm)
        name = document["name"]
        if name not in found.alarms:
            yield _step(wanted, "CreateAlert", "/alerts", document, alarm.title)
        elif not _says(found.alarms[name], document):
            why = Text(f"the alarm exists otherwise: {alarm.title.en}", f"告警已存在但不同：{alarm.title.zh}")
            yield _step(wanted, "UpdateAlert", f"/alerts/{name}", document, why)


def alarm_rule(wanted: WantedLogs, alarm: Alarm) -> dict[str, Any]:
    policy = {"alertPolicyId": BUILTIN_POLICY, "actionPolicyId": wanted.notify, "repeatInterval": "1h"}
    query = {
        "storeType": "log",
        "region": wanted.region,
        "project": wanted.project,
        "store": wanted.logstore,
        "query": alarm.query,
        "timeSpanType": "Relative",
        "start": f"-{alarm.minutes}m",
        "end": "now",
        "powerSqlMode": "auto",
        "chartTitle": alarm.name,
        "dashboardId": DASHBOARD,
    }
    said = {"title": alarm.title.say(wanted.language), "desc": alarm.advice.say(wanted.language)}
    return {
        "name": ALARM_PREFIX + alarm.name,
        "displayName": f"{DASHBOARD}: {said['title']}",
        "description": said["desc"],
        "schedule": {"type": "FixedRate", "interval": EVERY},
        "configuration": {
            "version": "2.0",
            "type": "default",
            "dashboard": DASHBOARD,
            "queryList": [query],
            "groupConfiguration": {"type": "no_group", "fields": []},
            "joinConfigurations": [],
            "severityConfigurations": [
                {
                    "severity": alarm.severity,
                    "evalCondition": {"condition": alarm.condition, "countCondition": ""},
                }
            ],
            "labels": [],
            "annotations": [{"key": key, "value": value} for key, value in said.items()],
            "autoAnnotation": True,
            "sendResolved": True,
            "threshold": 1,
            "noDataFire": False,
            "noDataSeverity": MEDIUM,
            "policyConfiguration": policy,
        },
    }


def _says(found: Any, wanted: Any) -> bool:
    """Whether what was found says all that is wanted; what it says beside that is the service's own."""
    if isinstance(wanted, dict):
        found = _parsed(found)
        return isinstance(found, dict) and all(_says(found.get(name), wanted[name]) for name in wanted)
    if isinstance(wanted, list):
        found = _parsed(found)
        return (
            isinstance(found, list)
            and len(found) == len(wanted)
            and all(_says(one, other) for one, other in zip(found, wanted, strict=True))
        )
    return bool(found == wanted or (wanted == "" and found is None))


def _parsed(value: Any) -> Any:
    """SLS hands some documents out as text."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value
