"""
Explanation of a held object: its state, and when it will be removed.
"""

import base64
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from ops.explain.times import beside_now
from ops.terminal.language import Text

# A receipt outlives by so much the time until which its object may wait.
BEYOND = timedelta(days=1)
STATES = {
    "held": Text(
        "it waits below held/, and nobody sees it until its steps have happened",
        "它暂存在 held/ 之下，各个步骤做完之前谁也看不到",
    ),
    "checking": Text(
        "a checker looks at it, WeChat for up to half an hour; nobody else sees it before",
        "正在审核，微信最多半小时；在那之前谁也看不到",
    ),
    "review": Text(
        'the check leaves it to a human: a backend ends that with /commit and a "decision"',
        "需要人工审核：后端用 /commit 加 “decision” 决定",
    ),
    "published": Text("it is published under its key", "已发布在它的 key 之下"),
    "rejected": Text("it was rejected, and its bytes are deleted", "没有通过，内容已删除"),
    "gone": Text(
        "it is gone: discarded, never there, or not published in time",
        "已经没有了：被丢弃了、从来没有过，或者到期没有发布",
    ),
}
OPEN = ("held", "checking", "review")
GONE = Text("gone", "清理时间")
UNLESS = Text(
    "{when}, unless it is published by then; the bucket's rule deletes it within two days after that",
    "{when}；到时还没有发布就不再发布，桶的规则在两天之内删除它",
)


def gone_line(answer: Mapping[str, Any], now: datetime, language: str) -> list[str]:
    """Return when the object will be removed; nothing if that is decided or unknown."""
    end = _until(answer) if answer.get("state") in OPEN else None
    if end is None:
        return []
    said = UNLESS.say(language, when=beside_now(end, now, language))
    return [f"  {GONE.say(language):<10} {said}"]


def _until(answer: Mapping[str, Any]) -> datetime | None:
    try:
        if "heldUntil" in answer:
            end = datetime.fromisoformat(answer["heldUntil"])
        else:
            end = datetime.fromtimestamp(_claims(answer["receipt"])["exp"], UTC) - BEYOND
        return end.astimezone(UTC)
    except (LookupError, TypeError, AttributeError, ValueError, OverflowError, OSError, RecursionError):
        return None


def _claims(receipt: str) -> dict[str, Any]:
    """Return the unverified claims of a receipt, for display only."""
    payload = receipt.split(".")[1]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return claims
