"""
The conditions of a policy as the rows of a table: field, demanded value, and what that is good for.
"""

import json

from ops.explain.policy import Condition, read_policy
from ops.terminal.language import Text
from ops.terminal.masking import printable, shown

WIDEST_VALUE = 36
NONE = Text("(none)", "（没有）")
SIZE = Text("size", "大小")
EXACTLY = Text("= {least} bytes", "= {least} 字节")
BETWEEN = Text("{least} to {most} bytes", "{least} 到 {most} 字节")
SIGNS = {
    "eq": Text("=", "="),
    "starts-with": Text("starts with", "开头为"),
    "in": Text("in", "其中之一"),
    "not-in": Text("not in", "不能是"),
}
REASONS = {
    "bucket": Text("into this bucket only", "只进这个桶"),
    "key": Text("under this name only", "只写这一个名字"),
    "content-length-range": Text("no larger, no smaller", "正好这么大"),
    "content-type": Text("the type cannot be changed", "类型不能换"),
    "x-oss-content-type": Text("the type cannot be changed", "类型不能换"),
    "x-oss-object-acl": Text("who may read it is settled", "读权限不能换"),
    "x-oss-forbid-overwrite": Text("an object that exists stays as it is", "不能覆盖"),
    "cache-control": Text("how browsers cache it is settled", "缓存方式不能换"),
    "content-disposition": Text("how browsers show it is settled", "下载方式不能换"),
    "x-oss-storage-class": Text("the price class is settled", "存储类型不能换"),
    "callback": Text("the callback cannot be dropped or bent", "回调不能去掉或改"),
    "success_action_status": Text("success is this status", "成功就是 200"),
    "x-oss-security-token": Text("the temporary identity that signed", "临时身份"),
    "x-oss-credential": Text("whose key, day and region signed", "谁签的"),
    "x-oss-date": Text("when it was signed", "何时签的"),
    "x-oss-signature-version": Text("how it was signed", "签名版本"),
}
METADATA_REASON = Text("the metadata is settled", "元数据不能改")
OTHER_REASON = Text("has to be so", "必须如此")


def policy_rows(policy: str, language: str = "en") -> tuple[str, list[tuple[str, str, str]]]:
    """
    Read a decoded policy.

    Returns:
        its expiration as it is written there, and (field, value, reason) per condition, in order.
    """
    read = read_policy(policy)
    rows = [_row(condition, language) for condition in read.conditions]
    expiration = read.expires_at.isoformat().replace("+00:00", "Z") if read.expires_at else "?"
    return expiration, rows or [(NONE.say(language), "", "")]


def _row(condition: Condition, language: str) -> tuple[str, str, str]:
    field = printable(condition.field)
    if condition.mode == "content-length-range":
        least, most = condition.value
        words = EXACTLY if least == most else BETWEEN
        value = words.say(language, least=f"{least:,}", most=f"{most:,}")
        return SIZE.say(language), value, REASONS[condition.mode].say(language)
    demanded = condition.value if isinstance(condition.value, str) else json.dumps(list(condition.value))
    default = METADATA_REASON if field.startswith("x-oss-meta-") else OTHER_REASON
    value = f"{SIGNS[condition.mode].say(language)} {_short(shown(condition.field, demanded, language))}"
    return field, value, REASONS.get(field, default).say(language)


def _short(text: str) -> str:
    """Beginning and end of a long value: of a key, both tell something."""
    half = WIDEST_VALUE // 2
    return text if len(text) <= WIDEST_VALUE else f"{text[:half]}…{text[1 - half :]}"
