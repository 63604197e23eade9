"""
The templates ``log.json`` and ``metrics.json``, made of ``templates.toml`` beside them.

``python -m tests.deploy.monitoring_templates`` writes both.
"""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parents[2] / "deploy/monitoring"
TABLES = tomllib.loads((FOLDER / "templates.toml").read_text("utf-8"))
NAME = "oss-direct-upload"
SAME = TABLES["same"]


def templates() -> dict[str, dict[str, Any]]:
    """Return each template by the name of its file."""
    said = "Dashboard and alarms of the log of oss-direct-upload. 日志的看板与告警。"
    metrics = (
        "Alarms of CloudMonitor on the metrics of Function Compute and OSS. 函数计算与 OSS 监控指标的告警。"
    )
    alarms = {_resource(name): _alarm(name, *row) for name, row in TABLES["alarms"].items()}
    rules = {_resource(name): _rule(name, *row) for name, row in TABLES["metrics"].items()}
    return {
        "log": _template("log", said, {"Dashboard": _dashboard(), **alarms}),
        "metrics": _template("metrics", metrics, rules),
    }


def _template(name: str, said: str, resources: dict[str, Any]) -> dict[str, Any]:
    head = {"ROSTemplateFormatVersion": "2015-09-01", "Description": said}
    return {**head, "Parameters": TABLES["parameters"][name], "Resources": resources}


def _resource(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("-"))


def _query(text: str) -> str:
    """Return what SLS is asked (of responses, unless it says more); ``{columns}`` are read of a line."""
    query = re.sub(r"\{([\w, ]+)\}", lambda columns: _table(columns[1].split(", ")), text)
    return query if " | " in query else f"stsRefreshed | {query}"


def _table(names: list[str]) -> str:
    read = {name: f"json_extract_scalar(line, '$.{name}')" for name in names} | TABLES["columns"]
    columns = ", ".join(name if name == read[name] else f"{read[name]} AS {name}" for name in names)
    moment = "__time__ AS moment, " if "moment" in names else ""
    return rf"(SELECT {columns} FROM (SELECT {moment}regexp_extract(message, '\{{.*\}}') AS line FROM log))"


def _dashboard() -> dict[str, Any]:
    names = {"ProjectName": {"Ref": "Project"}, "DashboardName": NAME, "DisplayName": NAME}
    charts = [_chart(title, *row) for title, row in TABLES["charts"].items()]
    return {"Type": "ALIYUN::SLS::Dashboard", "Properties": {**names, "Charts": charts}}


def _chart(
    title: str,
    kind: str,
    x_axis: list[str],
    y_axis: list[str],
    place: list[int],
    en: str,
    zh: str,
    query: str,
) -> dict[str, Any]:
    x, y, width = place
    where = {"xPos": x, "yPos": y, "width": width, "height": 6}
    display = {"displayName": f"{en} / {zh}", "xAxis": x_axis, "yAxis": y_axis, **where}
    search = {**SAME["search"], "query": _query(query)}
    return {"title": title, "type": kind, "action": {}, "display": display, "search": search}


def _alarm(
    name: str, severity: int, minutes: int, least: int, query: str, en: str, zh: str
) -> dict[str, Any]:
    level = {"Severity": severity, "EvalCondition": {"Condition": f"found >= {least}"}}
    detail = {
        "Name": f"{NAME}-{name}",
        "DisplayName": f"{NAME}: {name}",
        "Schedule": {"Type": "FixedRate", "Interval": "5m"},
        "Description": f"{en} / {zh}",
        "Configuration": {
            **SAME["alarm"],
            "Annotations": [{"Key": "title", "Value": name}],
            "SeverityConfigurations": [level],
            "QueryList": [{**SAME["query"], "Start": f"-{minutes}m", "Query": _query(query)}],
        },
    }
    properties = {"Project": {"Ref": "Project"}, "Detail": detail}
    return {"Type": "ALIYUN::SLS::Alert", "DependsOn": "Dashboard", "Properties": properties}


def _rule(name: str, metric: str, whose: str, threshold: str, minutes: int) -> dict[str, Any]:
    region = {"userId": {"Ref": "ALIYUN::TenantId"}, "region": {"Ref": "ALIYUN::Region"}}
    function = {**region, "serviceName": "", "functionName": {"Ref": "Function"}}
    bucket = {"BucketName": {"Ref": "Bucket"}}
    is_of_bucket = whose == "bucket"
    of_whom = "${Bucket}" if is_of_bucket else "${Function}"
    limit = threshold if threshold.isdigit() else {"Ref": threshold}
    properties = {
        **SAME["rule"],
        "RuleId": {
            "Fn::Sub": f"{of_whom}-{name}" if is_of_bucket else f"{of_whom}-${{ALIYUN::Region}}-{name}"
        },
        "RuleName": {"Fn::Sub": f"{of_whom}: {name}"},
        "Namespace": "acs_oss_dashboard" if is_of_bucket else "acs_fc",
        "MetricName": metric,
        "Resources": [{"region": region, "function": function, "bucket": bucket}[whose]],
        "Escalations": {"Warn": {**SAME["level"], "Threshold": limit, "Times": minutes}},
    }
    return {"Type": "ALIYUN::CMS::ResourceMetricRule", "Properties": properties}


def written(template: dict[str, Any]) -> str:
    return json.dumps(template, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    for name, template in templates().items():
        (FOLDER / f"{name}.json").write_text(written(template), "utf-8")
