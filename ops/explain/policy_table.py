"""
The conditions of a policy as the rows of a table: field, demanded value, and what that is good for.
"""

import json

from ops.explain.policy_words import Condition, read_policy
from ops.terminal.masking import printable, shown

WIDEST_VALUE = 36
SIGNS = {"eq": "=", "starts-with": "starts with", "in": "in", "not-in": "not in"}
REASONS = {
    "bucket": "只进这个桶 into this bucket only",
    "key": "只写这一个名字 under this name only",
    "content-length-range": "不大不小 no larger, no smaller",
    "content-type": "类型不能换 the type cannot be changed",
    "x-oss-content-type": "类型不能换 the type cannot be changed",
    "x-oss-object-acl": "读权限不能换 who may read it is settled",
    "x-oss-forbid-overwrite": "不能覆盖 an object that exists stays as it is",
    "cache-control": "缓存方式不能换 how browsers cache it is settled",
    "content-disposition": "下载方式不能换 how browsers show it is settled",
    "x-oss-storage-class": "存储类型不能换 the price class is settled",
    "callback": "回调不能去掉或改 the callback cannot be dropped or bent",
    "success_action_status": "成功就是 200 success is this status",
    "x-oss-security-token": "临时身份 the temporary identity that signed",
    "x-oss-credential": "谁签的 whose key, day and region signed",
    "x-oss-date": "何时签的 when it was signed",
    "x-oss-signature-version": "签名版本 how it was signed",
}
METADATA_REASON = "元数据不能改 the metadata is settled"
OTHER_REASON = "必须如此 has to be so"


def policy_rows(policy: str) -> tuple[str, list[tuple[str, str, str]]]:
    """
    Read a decoded policy.

    Returns:
        its expiration as it is written there, and (field, value, reason) per condition, in order.
    """
    read = read_policy(policy)
    rows = [_row(condition) for condition in read.conditions]
    expiration = read.expires_at.isoformat().replace("+00:00", "Z") if read.expires_at else "?"
    return expiration, rows or [("(none)", "", "")]


def _row(condition: Condition) -> tuple[str, str, str]:
    field = printable(condition.field)
    if condition.mode == "content-length-range":
        least, most = condition.value
        value = f"= {least:,} bytes" if least == most else f"{least:,} to {most:,} bytes"
        return "size", value, REASONS[condition.mode]
    demanded = condition.value if isinstance(condition.value, str) else json.dumps(list(condition.value))
    default = METADATA_REASON if field.startswith("x-oss-meta-") else OTHER_REASON
    value = f"{SIGNS[condition.mode]} {_short(shown(condition.field, demanded))}"
    return field, value, REASONS.get(field, default)


def _short(text: str) -> str:
    """Beginning and end of a long value: of a key, both tell something."""
    half = WIDEST_VALUE // 2
    return text if len(text) <= WIDEST_VALUE else f"{text[:half]}…{text[1 - half :]}"
