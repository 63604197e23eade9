"""
Alarms of CloudMonitor from deploy/monitoring/metrics.json, made one by one: ``setup --contacts``.

The same file is a template of Resource Orchestration Service (ROS); here its parameters are filled in.

Sources: https://help.aliyun.com/zh/cms/cloudmonitor-1-0/developer-reference/api-cms-2019-01-01-putresourcemetricrule,
https://help.aliyun.com/zh/functioncompute/fc/user-guide/monitoring-data
"""

import argparse
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from ops.account.bucket import DesiredBucket
from ops.account.cloud import Account, CloudError, metrics_in
from ops.account.role_plan import Step
from ops.deploy.costs import prices
from ops.terminal.language import Text

TEMPLATE = Path(__file__).parents[2] / "deploy" / "monitoring" / "metrics.json"
DEFAULT_FUNCTION = "oss-direct-upload"
# One group: a comma would name several.
CONTACTS = re.compile(r"[^\s,;\"'<>]{1,100}")
NO_GROUP = Text(
    "--contacts must be the name of one contact group.", "--contacts 应为一个报警联系人组的名称。"
)
NO_GB = Text(
    "--egress-alarm must be more than 0 and at most 100000 (GB a minute), with --contacts.",
    "--egress-alarm 应大于 0、不超过 100000（每分钟多少 GB），并与 --contacts 一起用。",
)
GB, MOST_GB, DEFAULT_GB = 10**9, 100_000, 1.0
RULE = Text(
    "alarm {name} to {contacts}: {metric} over {threshold:,} a minute, {times} in a row{more}",
    "告警 {name}，通知 {contacts}：{metric} 每分钟超过 {threshold:,}，连续 {times} 分钟{more}",
)
IN_CNY = Text(
    " ({gb:g} GB; {cny:,.2f} CNY an hour, price of {read})",
    "（{gb:g} GB；每小时 {cny:,.2f} 元，{read} 的价格）",
)


class DesiredAlarms(NamedTuple):
    """
    Args:
        contacts: alert contact group of CloudMonitor, which exists.
        gb: traffic of a bucket to the internet, in a minute, above which an alarm goes off.
    """

    contacts: str
    gb: float
    function: str


def read_alarms(
    args: argparse.Namespace, environ: Mapping[str, str], problems: list[Text]
) -> DesiredAlarms | None:
    """Return the alarms that the options ask for, if any."""
    gb = args.egress_alarm
    if gb is not None and not (args.contacts and 0 < gb <= MOST_GB):
        problems.append(NO_GB)
    if not args.contacts:
        return None
    if not CONTACTS.fullmatch(args.contacts):
        problems.append(NO_GROUP)
    function = environ.get("FUNCTION_NAME") or DEFAULT_FUNCTION
    return DesiredAlarms(args.contacts, gb or DEFAULT_GB, function)


def instance_limit(account: Account, account_id: str, region: str) -> int:
    """Return how many instances the account may run in the region; 0 where CloudMonitor does not tell it."""
    asked = {
        "Namespace": "acs_fc",
        "MetricName": "RegionConcurrencyLimit",
        "Period": 60,
        "Dimensions": json.dumps([{"userId": account_id, "region": region}]),
    }
    try:
        points = account.ask(metrics_in(region), "DescribeMetricLast", asked).get("Datapoints")
        points = json.loads(points) if isinstance(points, str) else points or []
        return int(float(max(points, key=lambda point: float(point["timestamp"]))["Value"]))
    except (CloudError, ArithmeticError, LookupError, TypeError, ValueError):
        return 0


def alarm_steps(
    desired: DesiredAlarms | None, account: str, buckets: Iterable[DesiredBucket], instances: int = 0
) -> Iterator[Step]:
    """
    Yield the call of each rule, which replaces the one of its ID; none without alarms.

    Args:
        buckets: the function is in the region of the first.
        instances: that the account may run there; 0 where nobody told.
    """
    if desired is None:
        return
    template = json.loads(TEMPLATE.read_text("utf-8"))
    defaults = {name: one.get("Default", "") for name, one in template["Parameters"].items()}
    names = {**defaults, "ALIYUN::TenantId": account, "ContactGroup": desired.contacts}
    names |= {"Function": desired.function, "EgressBytes": str(round(desired.gb * GB))}
    if instances:
        names["Instances"] = str(instances * 4 // 5)
    first, *others = buckets
    for one in template["Resources"].values():
        is_of_bucket = '"Bucket"' in json.dumps(one)
        for bucket in (first, *others) if is_of_bucket else (first,):
            filled = {**names, "ALIYUN::Region": bucket.region, "Bucket": bucket.name}
            rule = _parameters(_filled(one["Properties"], filled))
            yield Step("CMS", "PutResourceMetricRule", rule, _why(desired, rule), bucket.region)


def _why(desired: DesiredAlarms, rule: Mapping[str, str]) -> Text:
    values = {"name": rule["RuleName"], "contacts": desired.contacts, "metric": rule["MetricName"]}
    threshold, times = (rule[f"Escalations.Warn.{name}"] for name in ("Threshold", "Times"))
    price, more = prices()["egress_by_day"], Text("", "")
    if rule["MetricName"] == "InternetSend":
        more = IN_CNY.filled(gb=desired.gb, cny=desired.gb * 60 * float(price["cny"]), read=price["read"])
    return RULE.filled(**values, threshold=int(threshold), times=times, more=more)


def _filled(value: Any, names: Mapping[str, str]) -> Any:
    """A value of the template with its parameters replaced."""
    match value:
        case {"Ref": name}:
            return names[name]
        case {"Fn::Sub": text}:
            return re.sub(r"\$\{([\w:]+)\}", lambda match: names[match[1]], text)
        case dict():
            return {name: _filled(one, names) for name, one in value.items()}
        case list():
            return [_filled(one, names) for one in value]
    return value


def _parameters(properties: dict[str, Any]) -> dict[str, str]:
    """The properties of a rule in ROS as the parameters of the call."""
    special = {name: properties.pop(name) for name in ("Escalations", "Resources", "ContactGroups")}
    flat = {f"Escalations.Warn.{name}": str(value) for name, value in special["Escalations"]["Warn"].items()}
    flat |= {
        "Resources": json.dumps(special["Resources"]),
        "ContactGroups": ",".join(special["ContactGroups"]),
    }
    return {**{name: str(value) for name, value in properties.items()}, **flat}
