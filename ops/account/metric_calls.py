"""
Instances of an account, as CloudMonitor tells them.

Source: https://help.aliyun.com/zh/functioncompute/fc/user-guide/monitoring-data
"""

import json
from typing import Any

from ops.account.cloud import Account, CloudError


def instance_limit(account: Account, account_id: str, region: str) -> int:
    """Return how many instances the account may run in the region; 0 where CloudMonitor does not tell it."""
    asked = {
        "Namespace": "acs_fc",
        "MetricName": "RegionConcurrencyLimit",
        "Period": 60,
        "Dimensions": json.dumps([{"userId": account_id, "region": region}]),
    }
    metrics = (f"https://metrics.{region}.aliyuncs.com", "Cms", "2019-01-01")
    try:
        return limit_in(account.ask(metrics, "DescribeMetricLast", asked).get("Datapoints"))
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
