"""
Changes of a logstore: index, dashboard, alarms.

Source: https://help.aliyun.com/zh/sls/developer-reference/api-sls-2020-12-30-overview
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ops.account.cold_start_query import METRIC_FIELDS
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
class DesiredLogs:
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


def log_steps(desired: DesiredLogs, found: FoundLogs) -> list[Step]:
    """The calls still to be made, in order: a query finds nothing before there is an index."""
    return [*_index(desired, found), *_dashboard(desired, found), *_alarms(desired, found)]


def _step(desired: DesiredLogs, action: str, path: str, body: Any, why: Text) -> Step:
    return Step("SLS", action, {"project": desired.project, "path": path, "body": body}, why)


def _index(desired: DesiredLogs, found: FoundLogs) -> Iterator[Step]:
    path = f"/logstores/{desired.logstore}/index"
    if found.index is None:
        why = Text("the log can be searched and counted", "日志可以检索和统计")
        yield _step(desired, "CreateIndex", path, merged_index({}), why)
    elif not is_index_enough(found.index):
        why = Text(
            "the index exists otherwise: `message` and the fields of cold starts are added",
            "索引已存在但不同：加上 `message` 与冷启动的字段",
        )
        yield _step(desired, "UpdateIndex", path, merged_index(found.index), why)


def is_index_enough(index: Mapping[str, Any]) -> bool:
    message = index.get("keys", {}).get("message", {})
    is_read = message.get("doc_value") is True and set('":,') <= set(message.get("token", ()))
    is_read &= all(index.get("keys", {}).get(name, {}).get("doc_value") is True for name in METRIC_FIELDS)
    return is_read and int(index.get("max_text_len", 2048)) >= MAX_TEXT


def merged_index(index: Mapping[str, Any]) -> dict[str, Any]:
    """An index with all that ours needs, and whatever was in it before."""
    plain = {"token": TOKENS, "caseSensitive": False, "chn": False}
    found = index.get("keys", {})
    keys = {**found, "message": {"type": "text", "doc_value": True, "alias": "", **plain}}
    for name, kind in METRIC_FIELDS.items():
        ours = {"type": kind, "alias": "", **(plain if kind == "text" else {})}
        keys[name] = {**found.get(name, ours), "doc_value": True}
    longest = max(MAX_TEXT, int(index.get("max_text_len", 0)))
    return {"line": index.get("line") or plain, "keys": keys, "max_text_len": longest}


def _dashboard(desired: DesiredLogs, found: FoundLogs) -> Iterator[Step]:
    document = dashboard(desired)
    if found.dashboard is None:
        why = Text(f"{len(CHARTS)} charts of the log", f"日志的 {len(CHARTS)} 张图")
        yield _step(desired, "CreateDashboard", "/dashboards", document, why)
    elif not _says(found.dashboard, document):
        why = Text("the dashboard exists otherwise", "看板已存在但不同")
        yield _step(desired, "UpdateDashboard", f"/dashboards/{DASHBOARD}", document, why)


def dashboard(desired: DesiredLogs) -> dict[str, Any]:
    return {
        "dashboardName": DASHBOARD,
        "displayName": DASHBOARD,
        "description": "",
        "attribute": {"type": "grid"},
        "charts": [_chart(desired, chart, place) for place, chart in enumerate(CHARTS)],
    }


def _chart(desired: DesiredLogs, chart: Chart, place: int) -> dict[str, Any]:
    return {
        "title": chart.name,
        "type": chart.kind,
        "action": {},
        "search": {
            "logstore": desired.logstore,
            "topic": "",
            "query": chart.query,
            "start": "-86400s",
            "end": "now",
        },
        "display": {
            "displayName": chart.title.say(desired.language),
            "xAxis": list(chart.x),
            "yAxis": list(chart.y),
            "xPos": place % COLUMNS * WIDTH,
            "yPos": place // COLUMNS * ROW_HEIGHT,
            "width": WIDTH,
            "height": ROW_HEIGHT,
        },
    }


def _alarms(desired: DesiredLogs, found: FoundLogs) -> Iterator[Step]:
    for alarm in ALARMS:
        document = alarm_rule(desired, alarm)
        name = document["name"]
        if name not in found.alarms:
            yield _step(desired, "CreateAlert", "/alerts", document, alarm.title)
        elif not _says(found.alarms[name], document):
            why = Text(f"the alarm exists otherwise: {alarm.title.en}", f"告警已存在但不同：{alarm.title.zh}")
            yield _step(desired, "UpdateAlert", f"/alerts/{name}", document, why)


def alarm_rule(desired: DesiredLogs, alarm: Alarm) -> dict[str, Any]:
    policy = {"alertPolicyId": BUILTIN_POLICY, "actionPolicyId": desired.notify, "repeatInterval": "1h"}
    query = {
        "storeType": "log",
        "region": desired.region,
        "project": desired.project,
        "store": desired.logstore,
        "query": alarm.query,
        "timeSpanType": "Relative",
        "start": f"-{alarm.minutes}m",
        "end": "now",
        "powerSqlMode": "auto",
        "chartTitle": alarm.name,
        "dashboardId": DASHBOARD,
    }
    said = {"title": alarm.title.say(desired.language), "desc": alarm.advice.say(desired.language)}
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


def _says(found: Any, desired: Any) -> bool:
    """Return whether what was found includes all that is desired; the rest is the service's own."""
    if isinstance(desired, dict):
        found = _parsed(found)
        return isinstance(found, dict) and all(_says(found.get(name), desired[name]) for name in desired)
    if isinstance(desired, list):
        found = _parsed(found)
        return (
            isinstance(found, list)
            and len(found) == len(desired)
            and all(_says(one, other) for one, other in zip(found, desired, strict=True))
        )
    return bool(found == desired or (desired == "" and found is None))


def _parsed(value: Any) -> Any:
    """SLS hands some documents out as text."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value
