"""
Actions of the playground's page on the cloud behind it: plan a fault or a check's outcome, let time pass.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from local.green.codes import NOT_DOWNLOADED
from local.green.plan import PlannedAnswer
from local.green.service import Moderation
from local.oss.handler import MOST_DAYS
from local.oss.posting import POST_OBJECT
from local.oss.server import OssServer
from local.wechat.check_plan import PlannedCheck, read_planned_check
from local.wechat.platform import Wechat

MOST_MINUTES = 24 * 60

Action = Callable[[Mapping[str, Any]], object]


def actions_of(
    stores: Sequence[OssServer],
    wechat: Wechat,
    green: Moderation,
    let_minutes_pass: Callable[[int], object],
) -> dict[str, Action]:
    """
    By path. Each raises ``ValueError``, ``TypeError`` or ``KeyError`` for what it cannot do.

    Args:
        stores: the local OSS of each bucket; the first is meant where nothing is said of one.

        let_minutes_pass: moves the clocks, with a tick of the timer in each minute.
    """
    by_bucket = {store.bucket.name: store for store in stores}

    def plan_fault(wanted: Mapping[str, Any]) -> None:
        """For a form, once, and then all is well again: a phone may have the page."""
        store = by_bucket[wanted.get("bucket", stores[0].bucket.name)]
        store.faults.plan(wanted["kind"], times=1, on=[POST_OBJECT])

    def plan_checks(wanted: Mapping[str, Any]) -> None:
        """For all checks to come, whoever makes them; an empty one is as usual again."""
        planned = read_planned_check(wanted)
        wechat.checks.plan.clear()
        wechat.checks.plan.add(planned)
        green.plan.clear()
        green.plan.add(_answer_like(planned))

    def let_days_pass(wanted: Mapping[str, Any]) -> None:
        """As the lifecycle rules see it: no clock moves."""
        days = wanted["days"]
        if type(days) is not int or not 1 <= days <= MOST_DAYS:
            raise ValueError(days)
        for store in stores:
            store.bucket.let_days_pass(days)

    def let_time_pass(wanted: Mapping[str, Any]) -> None:
        minutes = wanted["minutes"]
        if type(minutes) is not int or not 1 <= minutes <= MOST_MINUTES:
            raise ValueError(minutes)
        let_minutes_pass(minutes)

    return {
        "/minutes.json": let_time_pass,
        "/fault.json": plan_fault,
        "/mood.json": plan_checks,
        "/days.json": let_days_pass,
    }


def _answer_like(planned: PlannedCheck) -> PlannedAnswer:
    """What Content Moderation answers where WeChat would say this; what has no like is as usual."""
    if planned.timing == "never":
        return PlannedAnswer(verdict="silent")
    if planned.verdict == "unreadable":
        return PlannedAnswer(code=NOT_DOWNLOADED)
    known = planned.verdict in ("pass", "review", "risky")
    return PlannedAnswer(verdict=planned.verdict if known else "by_name")
