"""
Phones at one instant that a plain and a burst deployment carry, by the limits of Function Compute.

``python -m quality.bench --only limits`` replays it; docs/speed has the figures.
"""

import json
from typing import Any, NamedTuple

from function.config.settings import Settings
from function.sts.credentials import AccessKeys
from ops.account.cloud import Account, CloudError
from ops.doctor.findings import Finding, State
from ops.terminal.language import Text

# Instances of an account in a region: the official pages say both, and the quota centre has the real one.
# Source: https://help.aliyun.com/zh/functioncompute/fc/product-overview/limits-of-usage
LIMITS = (100, 300)
# Where 300 instances may start at once, and then in a minute; elsewhere 100.
FAST_REGIONS = frozenset(f"cn-{place}" for place in "hangzhou shanghai beijing zhangjiakou shenzhen".split())
# A local cloud has no CloudMonitor.
OFFICIAL = ".aliyuncs.com"
CAPACITY = Text("Phones at one instant", "同一瞬间的手机数")


class Kind(NamedTuple):
    """
    A kind of deployment.

    Args:
        slots: requests that one of its instances takes at once.
        served: phones that it logs in and gives a form while they repeat what was refused (15 s), with some
            room to spare.
    """

    name: Text
    slots: int
    served: int


PLAIN = Kind(Text("plain", "普通部署"), 1, 100)
BURST = Kind(Text("BURST=1", "BURST=1"), 20, 300)


def growth(region: str) -> int:
    return 300 if region in FAST_REGIONS else 100


def most_instances(limit: int) -> int:
    """Return how many of an account's instances one function may have."""
    return limit * 9 // 10


def phones(kind: Kind, limit: int, region: str) -> tuple[int, int]:
    """Return how many phones find room at once, and how many with what the client repeats."""
    instances = min(most_instances(limit), growth(region))
    return instances * kind.slots, instances * kind.served


def limits_of(settings: Settings, keys: AccessKeys | None) -> tuple[int, ...]:
    """Return the account's limit where CloudMonitor tells these keys, else both that the pages name."""
    if keys is None or not settings.sts_endpoint.endswith(OFFICIAL):
        return LIMITS
    account = Account(keys, settings.region)
    try:
        limit = instance_limit(account, account.account_id(), settings.region)
    except CloudError:
        return LIMITS
    return (limit,) if limit else LIMITS


def instance_limit(account: Account, account_id: str, region: str) -> int:
    """
    Return how many instances the account may run in the region; 0 where CloudMonitor does not tell it.

    Source: https://help.aliyun.com/zh/functioncompute/fc/user-guide/monitoring-data
    """
    service = (f"https://metrics.{region}.aliyuncs.com", "Cms", "2019-01-01")
    asked = {
        "Namespace": "acs_fc",
        "MetricName": "RegionConcurrencyLimit",
        "Period": 60,
        "Dimensions": json.dumps([{"userId": account_id, "region": region}]),
    }
    try:
        return limit_in(account.ask(service, "DescribeMetricLast", asked).get("Datapoints"))
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


def check_capacity(region: str, limits: tuple[int, ...] = LIMITS) -> Finding:
    """
    Say it of both kinds of deployment.

    Args:
        limits: the account's, where it is known; else all that the pages name.
    """
    said = [_said(kind, limit, region) for limit in limits for kind in (PLAIN, BURST)]
    return Finding(
        CAPACITY, State.GOOD, Text("; ".join(one.en for one in said), "；".join(one.zh for one in said))
    )


def _said(kind: Kind, limit: int, region: str) -> Text:
    room, repeated = (f"{number:,}" for number in phones(kind, limit, region))
    return Text(
        f"{kind.name.en} with {limit} instances {room}, with repeats {repeated}",
        f"{kind.name.zh}、{limit} 个实例：当场 {room} 部，重试后 {repeated} 部",
    )
