"""
What the playground's page may do to the cloud behind it: a fault, the mood of WeChat's check, days that pass.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from local.oss.handler import MOST_DAYS
from local.oss.posting import POST_OBJECT
from local.oss.server import OssServer
from local.wechat.moods import read_mood
from local.wechat.platform import Wechat

Act = Callable[[Mapping[str, Any]], object]


def acts_of(stores: Sequence[OssServer], wechat: Wechat) -> dict[str, Act]:
    """
    By path. Each raises ``ValueError``, ``TypeError`` or ``KeyError`` for what it cannot do.

    Args:
        stores: the local OSS of each bucket; the first is meant where nothing is said of one.
    """
    by_bucket = {store.bucket.name: store for store in stores}

    def plan_fault(wanted: Mapping[str, Any]) -> None:
        """For a form, once, and then all is well again: a phone may have the page."""
        store = by_bucket[wanted.get("bucket", stores[0].bucket.name)]
        store.faults.plan(wanted["kind"], times=1, on=[POST_OBJECT])

    def set_mood(wanted: Mapping[str, Any]) -> None:
        """For all checks to come; an empty one is as usual again."""
        mood = read_mood(wanted)
        wechat.checks.moods.clear()
        wechat.checks.moods.plan(mood)

    def let_days_pass(wanted: Mapping[str, Any]) -> None:
        """As the lifecycle rules see it: no clock moves."""
        days = wanted["days"]
        if type(days) is not int or not 1 <= days <= MOST_DAYS:
            raise ValueError(days)
        for store in stores:
            store.bucket.let_days_pass(days)

    return {"/fault.json": plan_fault, "/mood.json": set_mood, "/days.json": let_days_pass}
