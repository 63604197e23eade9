"""
Calls to CloudMonitor: the alarms that are missing, and the instances of an account.

Source: https://help.aliyun.com/zh/functioncompute/fc/user-guide/monitoring-data
"""

import json
from collections.abc import Sequence
from typing import Any

from ops.account.bucket import DesiredBucket
from ops.account.cloud import Account, CloudError
from ops.account.metric_alarms import DesiredAlarms, alarm_rules, alarm_steps
from ops.account.role_plan import Step


def missing_alarms(
    account: Account, desired: DesiredAlarms, account_id: str, buckets: Sequence[DesiredBucket]
) -> list[Step]:
    """
    Return the calls still to be made, with the account's own limit of instances.

    Raises:
        CloudError
    """
    instances = instance_limit(account, account_id, buckets[0].region)
    rules = [*alarm_rules(desired, account_id, buckets, instances)]
    found = []
    for region in dict.fromkeys(region for region, _ in rules):
        ids = ",".join(rule["RuleId"] for there, rule in rules if there == region)
        asked = {"RuleIds": ids, "PageSize": 100}
        answer = account.ask(metrics_in(region), "DescribeMetricRuleList", asked)
        found += [one for one in answer.get("Alarms", {}).get("Alarm", []) if isinstance(one, dict)]
    return alarm_steps(desired, rules, found)


def instance_limit(account: Account, account_id: str, region: str) -> int:
    """Return how many instances the account may run in the region; 0 where CloudMonitor does not tell it."""
    asked = {
        "Namespace": "acs_fc",
        "MetricName": "RegionConcurrencyLimit",
        "Period": 60,
        "Dimensions": json.dumps([{"userId": account_id, "region": region}]),
    }
    try:
        return limit_in(account.ask(metrics_in(region), "DescribeMetricLast", asked).get("Datapoints"))
    except CloudError:
        return 0


def limit_in(datapoints: Any) -> int:
    """Return the limit in the newest value; 0 where there is none."""
    try:
        points = json.loads(datapoints) if isinstance(datapoints, str) else datapoints
        newest = max(points, key=lambda point: float(point["timestamp"]))
        return int(float(newest.get("Value", newest.get("Maximum", 0))))
    except (ArithmeticError, AttributeError, KeyError, TypeError, ValueError):
        return 0


def carry_out(account: Account, step: Step) -> None:
    """
    Make one change, of CloudMonitor or of another service.

    Raises:
        CloudError
    """
    if step.service == "CMS":
        account.ask(metrics_in(step.region), step.action, step.parameters)
    else:
        account.carry_out(step)


def metrics_in(region: str) -> tuple[str, str, str]:
    """Return the address, name and version of CloudMonitor."""
    return f"https://metrics.{region}.aliyuncs.com", "Cms", "2019-01-01"
