"""
The calls to CloudMonitor, with the operator's own keys.
"""

from typing import Any

from ops.account.cloud import Account, CloudError
from ops.account.metric_alarms import (
    LIMIT_METRIC,
    NAMESPACE,
    PERIOD_SECONDS,
    DesiredAlarms,
    alarm_steps,
    dimensions,
    limit_in,
    rule_ids,
)
from ops.account.role_plan import Step


def missing_alarms(account: Account, desired: DesiredAlarms) -> list[Step]:
    """
    The calls still to be made, with the account's own limit where nobody gave one.

    Raises:
        CloudError
    """
    limit = desired.limit or instance_limit(account, desired.account, desired.region)
    asked = {"RuleIds": rule_ids(desired), "PageSize": 100}
    answer = account.ask(_metrics(desired.region), "DescribeMetricRuleList", asked)
    found = answer.get("Alarms", {}).get("Alarm", [])
    return alarm_steps(desired._replace(limit=limit), [one for one in found if isinstance(one, dict)])


def instance_limit(account: Account, account_id: str, region: str) -> int:
    """Return how many instances the account may run in the region; 0 where CloudMonitor does not tell it."""
    asked: dict[str, Any] = {"Namespace": NAMESPACE, "MetricName": LIMIT_METRIC, "Period": PERIOD_SECONDS}
    asked["Dimensions"] = dimensions(account_id, region)
    try:
        return limit_in(account.ask(_metrics(region), "DescribeMetricLast", asked).get("Datapoints"))
    except CloudError:
        return 0


def make_alarm(account: Account, step: Step, region: str) -> None:
    """
    Raises:
        CloudError
    """
    account.ask(_metrics(region), step.action, step.parameters)


def _metrics(region: str) -> tuple[str, str, str]:
    return f"https://metrics.{region}.aliyuncs.com", "Cms", "2019-01-01"
