"""
A policy read as OSS reads it: what each condition means, and whether a form meets it.

Source: https://help.aliyun.com/zh/oss/developer-reference/signature-version-4-recommend
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from ops.terminal.language import LANGUAGES, Text
from ops.terminal.masking import printable, shown

MODES = ("eq", "starts-with", "in", "not-in")
SIZE = Text("size", "大小")
ANY_VALUE = Text("= any value", "= 任意值")
NONE = Text("(none)", "（没有）")
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
EXPIRY = {
    "expires": Text("expires", "有效期至"),
    "expired": Text("{when} UTC, expired {ago} ago", "{when} UTC，已过期 {ago}"),
    "valid": Text("{when} UTC, in {left}", "{when} UTC，还剩 {left}"),
}
V4_FIELDS = ("x-oss-signature-version", "x-oss-credential", "x-oss-date")
UNPINNED = {"policy", "signature", "ossaccesskeyid", "x-oss-signature", "file"}


@dataclass(frozen=True)
class Condition:
    """One condition; ``field`` is lower case without ``$``, ``value`` is text, texts, or a pair of sizes."""

    mode: str
    field: str
    value: Any

    def row(self, language: str) -> tuple[str, str, str]:
        """Return the field, the demanded value, and what that is good for."""
        if self.mode == "content-length-range":
            least, most = self.value
            words = EXACTLY if least == most else BETWEEN
            value = words.say(language, least=f"{least:,}", most=f"{most:,}")
            return SIZE.say(language), value, REASONS[self.mode].say(language)
        field = printable(self.field)
        default = METADATA_REASON if field.startswith("x-oss-meta-") else OTHER_REASON
        reason = REASONS.get(field, default).say(language)
        if self.mode == "starts-with" and not self.value:
            return field, ANY_VALUE.say(language), reason
        demanded = self.value if isinstance(self.value, str) else json.dumps(self.value, ensure_ascii=False)
        return field, f"{SIGNS[self.mode].say(language)} {shown(self.field, demanded, language)}", reason

    def say(self, language: str) -> str:
        field, value, reason = self.row(language)
        return f"{field} {value}（{reason}）" if language == "zh" else f"{field} {value} ({reason})"

    def holds_for(self, sent: str | None) -> bool:
        if sent is None:
            return False
        if self.mode == "eq":
            return bool(sent == self.value)
        if self.mode == "starts-with":
            return sent.startswith(self.value)
        return (sent in self.value) == (self.mode == "in")


@dataclass(frozen=True)
class Policy:
    """A policy document; ``problems`` are the reasons for which OSS would not accept it at all."""

    expires_at: datetime | None
    conditions: tuple[Condition, ...]
    problems: tuple[Text, ...]


def read_policy(text: str) -> Policy:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return Policy(None, (), (Text("the policy is not JSON", "policy 不是 JSON"),))
    if not isinstance(document, dict):
        return Policy(None, (), (Text("the policy is not a JSON object", "policy 不是 JSON 对象"),))
    problems: list[Text] = []
    expires_at = _read_expiration(document.get("expiration"), problems)
    given = document.get("conditions")
    if not isinstance(given, list) or not given:
        problems.append(Text("conditions must be a filled array", "conditions 必须是非空数组"))
        given = []
    conditions = []
    for item in given:
        if condition := read_condition(item):
            conditions.append(condition)
        else:
            written = json.dumps(item, ensure_ascii=False)
            en, zh = (shown("", written, language)[:120] for language in LANGUAGES)
            problems.append(Text(f"OSS knows no such condition: {en}", f"OSS 不认识这个条件：{zh}"))
    return Policy(expires_at, tuple(conditions), tuple(problems))


def read_condition(item: Any) -> Condition | None:
    """One condition of the array, or ``None`` when OSS would not know it."""
    if isinstance(item, dict):
        if len(item) != 1:
            return None
        [(field, value)] = item.items()
        return Condition("eq", field.lower(), value) if isinstance(value, str) else None
    if not isinstance(item, list) or len(item) != 3 or not isinstance(item[0], str):
        return None
    mode, field, value = item[0].lower(), item[1], item[2]
    if mode == "content-length-range":
        whole = all(isinstance(size, int) and not isinstance(size, bool) for size in (field, value))
        return Condition(mode, mode, (field, value)) if whole and 0 <= field <= value else None
    if mode not in MODES or not isinstance(field, str) or not field.startswith("$"):
        return None
    if mode in ("in", "not-in"):
        if not isinstance(value, list) or not all(isinstance(entry, str) for entry in value):
            return None
        return Condition(mode, field[1:].lower(), tuple(value))
    return Condition(mode, field[1:].lower(), value) if isinstance(value, str) else None


def unmet_conditions(
    policy: Policy, fields: Mapping[str, str], url: str, folder: str | None
) -> dict[Condition, str | None]:
    """
    The conditions that this form cannot meet, with the value it sends (``None``: nothing).

    What only the upload itself decides (size, the file part's type, the name a page chooses) passes.
    """
    sent = {name.lower(): value for name, value in fields.items()}
    sent |= {"bucket": bucket} if (bucket := bucket_in(url)) else {}
    unmet: dict[Condition, str | None] = {}
    for condition in policy.conditions:
        undecided = condition.mode == "content-length-range" or (
            condition.field not in sent and condition.field in ("bucket", "content-type")
        )
        if condition.field == "key" and folder is not None:
            undecided = True
        if not undecided and not condition.holds_for(sent.get(condition.field)):
            unmet[condition] = sent.get(condition.field)
    return unmet


def unpinned_fields(policy: Policy, fields: Mapping[str, str]) -> list[str]:
    """Fields of the form that no condition mentions: OSS takes them with any value."""
    pinned = {condition.field for condition in policy.conditions}
    return sorted(name for name in fields if name.lower() not in pinned | UNPINNED)


def policy_rows(policy: str, language: str = "en") -> tuple[str, list[tuple[str, str, str]]]:
    """
    Read a decoded policy.

    Returns:
        its expiration as it is written there, and (field, value, reason) per condition, in order.
    """
    read = read_policy(policy)
    rows = [
        (field, _short(value), reason)
        for field, value, reason in (one.row(language) for one in read.conditions)
    ]
    expiration = read.expires_at.isoformat().replace("+00:00", "Z") if read.expires_at else "?"
    return expiration, rows or [(NONE.say(language), "", "")]


def _short(text: str) -> str:
    """Beginning and end of a long value: of a key, both tell something."""
    half = WIDEST_VALUE // 2
    return text if len(text) <= WIDEST_VALUE + 2 else f"{text[: half + 2]}…{text[1 - half :]}"


def _read_expiration(value: Any, problems: list[Text]) -> datetime | None:
    try:
        instant = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        problems.append(
            Text(
                "expiration must be a time in GMT such as 2030-01-01T00:00:00.000Z",
                "expiration 必须是 GMT 时间，例如 2030-01-01T00:00:00.000Z",
            )
        )
        return None
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


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
