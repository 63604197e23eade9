"""
Alarms of CloudMonitor on Function Compute's metrics: the function itself sees no request that is refused.

Source: https://help.aliyun.com/zh/functioncompute/fc/user-guide/monitoring-data (dimensions),
https://help.aliyun.com/zh/cms/cloudmonitor-1-0/developer-reference/api-cms-2019-01-01-putresourcemetricrule
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from ops.account.role_plan import Step
from ops.terminal.language import Text

NAMESPACE, PERIOD_SECONDS, SILENCE_SECONDS = "acs_fc", 60, 3600
# The one statistic that CloudMonitor has of these metrics, each summed up over a minute.
STATISTICS = "Value"
LIMIT_METRIC = "RegionConcurrencyLimit"
# Some pages say that an account has 100 instances in a region, one says 300; an alarm may come early.
ASSUMED_LIMIT = 100
SHARE_OF_LIMIT = 0.8


class MetricAlarm(NamedTuple):
    """
    One thing that somebody should be told.

    Args:
        metric: of the function, or of the whole region where its name begins so.

        above: what it is over when the alarm goes off; ``None`` for a share of the account's instances.

        minutes: how many in a row.

        advice: what to do.
    """

    name: str
    title: Text
    metric: str
    above: int | None
    minutes: int
    advice: Text

    @property
    def is_of_region(self) -> bool:
        return self.metric.startswith("Region")


class DesiredAlarms(NamedTuple):
    """
    Args:
        contacts: alert contact group of CloudMonitor.

        limit: instances that the account may run in the region; 0 where nobody said.
    """

    account: str
    region: str
    function: str
    contacts: str
    limit: int = 0


ALARMS = (
    MetricAlarm(
        "refused-429",
        Text("Requests are refused: no instance may start", "请求被拒绝：不能再启动实例"),
        *("FunctionConcurrencyThrottles", 0, 1),
        Text(
            "Deploy BURST=1, ask the quota centre for more instances, raise reservedConcurrency if set.",
            "用 BURST=1 部署；到配额中心申请更多实例；设置过 reservedConcurrency 就调大。",
        ),
    ),
    MetricAlarm(
        "refused-503",
        Text("Requests are refused: the region has no machine left", "请求被拒绝：地域里没有机器了"),
        *("FunctionResourceThrottles", 0, 1),
        Text(
            "It passes; the client repeats. If it returns: a least number of instances, or another region.",
            "会过去，客户端会重试。经常出现时：设置最小实例数，或换地域。",
        ),
    ),
    MetricAlarm(
        "function-errors",
        Text("The function ended without a response", "函数没有响应就结束了"),
        *("FunctionFunctionErrors", 0, 1),
        Text(
            "Look for errorType in the log: out of memory, out of time, or a package that does not start.",
            "在日志里看 errorType：内存不足、超时，或代码包无法启动。",
        ),
    ),
    MetricAlarm(
        "failing",
        Text("Many responses are 5xx", "大量响应是 5xx"),
        *("FunctionHTTPStatus5xx", 20, 3),
        Text(
            "The alarms of the log name the code; where that is silent, run doctor.",
            "看日志告警里的 code；日志里没有时，运行 doctor。",
        ),
    ),
    MetricAlarm(
        "instances",
        Text("Four fifths of the account's instances are in use", "账号的实例已用去八成"),
        *("RegionConcurrentCount", None, 1),
        Text(
            "Other functions of the account share them: see which; ask the quota centre for more.",
            "账号的其他函数共用这些实例：看是哪一个；到配额中心申请更多。",
        ),
    ),
)


def rule_id(desired: DesiredAlarms, alarm: MetricAlarm) -> str:
    return f"{desired.function}-{desired.region}-{alarm.name}"


def rule_ids(desired: DesiredAlarms) -> str:
    return ",".join(rule_id(desired, alarm) for alarm in ALARMS)


def dimensions(account: str, region: str, function: str = "") -> str:
    """The dimensions of a metric; Function Compute 3.0 has a service without a name."""
    of_function = {"serviceName": "", "functionName": function} if function else {}
    return json.dumps([{"userId": account, "region": region, **of_function}])


def threshold(desired: DesiredAlarms, alarm: MetricAlarm) -> int:
    if alarm.above is not None:
        return alarm.above
    return int((desired.limit or ASSUMED_LIMIT) * SHARE_OF_LIMIT)


def rule(desired: DesiredAlarms, alarm: MetricAlarm) -> dict[str, Any]:
    """The parameters of the call that makes an alarm, or makes it anew."""
    level = {
        "Statistics": STATISTICS,
        "ComparisonOperator": "GreaterThanThreshold",
        "Threshold": str(threshold(desired, alarm)),
        "Times": str(alarm.minutes),
    }
    return {
        "RuleId": rule_id(desired, alarm),
        "RuleName": f"{desired.function}: {alarm.name}",
        "Namespace": NAMESPACE,
        "MetricName": alarm.metric,
        "Resources": dimensions(
            desired.account, desired.region, "" if alarm.is_of_region else desired.function
        ),
        "ContactGroups": desired.contacts,
        "Period": str(PERIOD_SECONDS),
        "Interval": str(PERIOD_SECONDS),
        "SilenceTime": str(SILENCE_SECONDS),
        # A minute without refusals has no data; the alarm must end then.
        "NoDataPolicy": "OK",
        **{f"Escalations.Warn.{name}": value for name, value in level.items()},
    }


def alarm_steps(desired: DesiredAlarms, found: Iterable[Mapping[str, Any]]) -> list[Step]:
    """
    The calls still to be made.

    Args:
        found: our rules, as CloudMonitor lists them.
    """
    rules = {str(one.get("RuleId")): one for one in found}
    steps = []
    for alarm in ALARMS:
        wanted = rule(desired, alarm)
        there = rules.get(wanted["RuleId"])
        if there is None:
            steps.append(Step("CMS", "PutResourceMetricRule", wanted, alarm.title))
        elif not _says(there, wanted):
            why = Text(f"the alarm exists otherwise: {alarm.title.en}", f"告警已存在但不同：{alarm.title.zh}")
            steps.append(Step("CMS", "PutResourceMetricRule", wanted, why))
    return steps


def limit_in(datapoints: Any) -> int:
    """Return the account's limit in the newest value of its metric; 0 where there is none."""
    try:
        points = json.loads(datapoints) if isinstance(datapoints, str) else datapoints
        newest = max(points, key=lambda point: float(point["timestamp"]))
        return int(float(newest.get(STATISTICS, newest.get("Maximum", 0))))
    except (ArithmeticError, AttributeError, KeyError, TypeError, ValueError):
        return 0


def _says(found: Mapping[str, Any], wanted: Mapping[str, str]) -> bool:
    """Return whether a rule is as desired; what is not listed is the service's own."""
    flat = dict(found)
    for level, one in (found.get("Escalations") or {}).items():
        flat |= {f"Escalations.{level}.{name}": value for name, value in (one or {}).items()}
    return all(
        _read(flat.get(name, None if name.startswith("Escalations") else value)) == _read(value)
        for name, value in wanted.items()
    )


def _read(text: Any) -> Any:
    """A number or a document, however it is written; else the text."""
    try:
        return json.loads(str(text))
    except ValueError:
        return str(text)
