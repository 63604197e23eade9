"""
A policy in words, read as the local OSS reads it: what each condition means, and whether a form meets it.

Source: https://help.aliyun.com/zh/oss/developer-reference/signature-version-4-recommend
"""

import base64
import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from local.oss.errors import OssError
from local.oss.policy import Condition, Policy, parse_policy
from ops.terminal.language import Text
from ops.terminal.masking import printable, shown

SIZE = Text("size", "大小")
ANY_VALUE = Text("= any value", "= 任意值")
WIDEST_VALUE = 36
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
    "content-length-range": Text("no larger, no smaller", "不能更大或更小"),
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
EXPIRY = {
    "expires": Text("expires", "有效期至"),
    "expired": Text("{when} UTC, expired {ago} ago", "{when} UTC，已过期 {ago}"),
    "valid": Text("{when} UTC, in {left}", "{when} UTC，还剩 {left}"),
}
V4_FIELDS = ("x-oss-signature-version", "x-oss-credential", "x-oss-date")
UNPINNED = {"policy", "signature", "ossaccesskeyid", "x-oss-signature", "file"}


def read_policy(text: str) -> Policy:
    """Read a decoded policy; raise ``OssError`` with the reason for which OSS would not accept it."""
    return parse_policy(base64.b64encode(text.encode()).decode(), dollar_optional=False)


def condition_said(item: list[Any], language: str) -> str:
    """One condition of a policy in words; of one that OSS would not know its field."""
    field = printable(str(item[1]).lstrip("$"))
    with suppress(OssError):
        policy = read_policy(json.dumps({"expiration": "2030-01-01T00:00:00Z", "conditions": [item]}))
        return next((said for _, said in conditions_said(policy, language)), field)
    return field


def conditions_said(policy: Policy, language: str) -> Iterator[tuple[Condition | None, str]]:
    """Yield each condition with what it says; ``None`` stands for a range of sizes."""
    for condition, (field, value, reason) in zip(
        [*policy.conditions, *[None] * len(policy.sizes)], _rows(policy, language), strict=True
    ):
        said = f"{field} {value}（{reason}）" if language == "zh" else f"{field} {value} ({reason})"
        yield condition, said


def _rows(policy: Policy, language: str) -> Iterator[tuple[str, str, str]]:
    """Yield field, demanded value, and what that is good for."""
    for each in policy.conditions:
        field, sign = printable(each.field), SIGNS[each.operator].say(language)
        default = METADATA_REASON if field.startswith("x-oss-meta-") else OTHER_REASON
        value = f"{sign} {shown(each.field, each.operand, language)}"
        if each.operator == "starts-with" and not each.operand:
            value = ANY_VALUE.say(language)
        yield field, value, REASONS.get(field, default).say(language)
    for least, most in policy.sizes:
        value = (EXACTLY if least == most else BETWEEN).say(language, least=f"{least:,}", most=f"{most:,}")
        yield SIZE.say(language), value, REASONS["content-length-range"].say(language)


def unmet_conditions(
    policy: Policy, fields: Mapping[str, str], url: str, folder: str | None
) -> dict[Condition, str | None]:
    """
    The conditions that this form cannot meet, with the value it sends (``None``: nothing).

    What only the upload itself decides (size, the file part's type, the name a page chooses) passes.
    """
    sent = {name.lower(): value for name, value in fields.items()}
    sent |= {"bucket": bucket} if (bucket := bucket_in(url)) else {}
    undecided = {"bucket", "content-type"} - set(sent) | ({"key"} if folder is not None else set())
    values = {one: sent.get(one.field) for one in policy.conditions if one.field not in undecided}
    return {one: value for one, value in values.items() if value is None or not one.holds(value)}


def unpinned_fields(policy: Policy, fields: Mapping[str, str]) -> list[str]:
    """Fields of the form that no condition mentions: OSS takes them with any value."""
    pinned = {condition.field for condition in policy.conditions}
    return sorted(name for name in fields if name.lower() not in pinned | UNPINNED)


def policy_rows(policy: str, language: str = "en") -> tuple[str, list[tuple[str, str, str]]]:
    """Return when a decoded policy expires, and (field, value, reason) of each condition."""
    read = read_policy(policy)
    rows = [(field, _short(value), reason) for field, value, reason in _rows(read, language)]
    return read.expires_at.isoformat().replace("+00:00", "Z"), rows


def _short(text: str) -> str:
    """Beginning and end of a long value: of a key, both tell something."""
    half = WIDEST_VALUE // 2
    return text if len(text) <= WIDEST_VALUE + 2 else f"{text[: half + 2]}…{text[1 - half :]}"


def bucket_in(url: str) -> str:
    """Bucket that OSS's own address of a bucket names; empty where it is another, or none."""
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        return ""
    bucket, _, rest = host.partition(".")
    return bucket if rest.startswith("oss-") and rest.endswith(".aliyuncs.com") else ""


def expiry_line(end: datetime, now: datetime, language: str) -> str:
    """Return the end and its distance from now; both timezone-aware."""
    when = end.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
    if end <= now:
        said = EXPIRY["expired"].say(language, when=when, ago=span(now - end, language))
    else:
        said = EXPIRY["valid"].say(language, when=when, left=span(end - now, language))
    return f"  {EXPIRY['expires'].say(language):<10} {said}"


def span(length: timedelta, language: str) -> str:
    """A length of time in its two largest units."""
    seconds = int(length.total_seconds())
    units = [(86400, "d", "天"), (3600, "h", "小时"), (60, "min", "分"), (1, "s", "秒")]
    parts = []
    for size, en, zh in units:
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count} {zh if language == 'zh' else en}")
    return " ".join(parts[:2]) or ("0 秒" if language == "zh" else "0 s")
