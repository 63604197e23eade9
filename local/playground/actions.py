"""
Actions of the playground's page on the cloud behind it: plan a fault, let time pass.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from local.oss.handler import MOST_DAYS
from local.oss.posting import POST_OBJECT
from local.oss.server import OssServer

MOST_MINUTES = 24 * 60

Action = Callable[[Mapping[str, Any]], object]


def actions_of(
    stores: Sequence[OssServer],
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
        "/days.json": let_days_pass,
    }
