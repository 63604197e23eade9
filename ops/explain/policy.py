"""
A policy read as OSS reads it: what each condition means, and whether a form meets it.

Source: https://help.aliyun.com/zh/oss/developer-reference/signature-version-4-recommend
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from ops.terminal.language import LANGUAGES, Text
from ops.terminal.masking import printable, shown

MODES = ("eq", "starts-with", "in", "not-in")
FIELD_WORDS = {
    "key": Text("the object key", "对象名 key"),
    "bucket": Text("the bucket", "Bucket"),
    "content-type": Text("the content type of the file", "文件的 Content-Type"),
    "x-oss-content-type": Text(
        "the stored content type (x-oss-content-type)", "保存的类型（x-oss-content-type）"
    ),
    "success_action_status": Text(
        "success_action_status (the status of success)", "success_action_status（成功时的状态码）"
    ),
    "x-oss-object-acl": Text("the ACL of the object (x-oss-object-acl)", "对象 ACL(x-oss-object-acl)"),
    "x-oss-forbid-overwrite": Text(
        "x-oss-forbid-overwrite (true refuses a second upload of the key)",
        "x-oss-forbid-overwrite（true 表示同名对象不可覆盖）",
    ),
    "x-oss-storage-class": Text("the storage class (x-oss-storage-class)", "存储类型（x-oss-storage-class）"),
    "content-disposition": Text(
        "what browsers do with the object (Content-Disposition)", "浏览器怎样处理对象（Content-Disposition）"
    ),
    "x-oss-security-token": Text(
        "the security token (x-oss-security-token)", "安全令牌（x-oss-security-token）"
    ),
    "x-oss-credential": Text(
        "the signing key and region (x-oss-credential)", "签名所用的密钥与地域（x-oss-credential）"
    ),
    "x-oss-date": Text("the time of signing (x-oss-date)", "签名时间（x-oss-date）"),
    "callback": Text("the callback OSS makes after the upload", "上传后的回调参数 callback"),
}
MODE_WORDS = {
    "eq": Text("{field} must be exactly {value}", "{field} 必须等于 {value}"),
    "starts-with": Text("{field} must start with {value}", "{field} 必须以 {value} 开头"),
    "in": Text("{field} must be one of {value}", "{field} 必须是以下之一：{value}"),
    "not-in": Text("{field} must be none of {value}", "{field} 不能是以下任何一个：{value}"),
}
OTHER_REGION = Text(
    "It is signed for {signed}, and its address is in {there}: OSS refuses that. Correct OSS_REGION, or"
    " region of the profile.",
    "它是为 {signed} 签名的，而地址在 {there}，OSS 会拒绝。请更正 OSS_REGION，或该用途的 region。",
)
ANY_VALUE = Text("{field} must be sent, with any value", "{field} 必须发送，值不限")
SIZE_WORDS = Text("the file must have {least} to {most}", "文件大小必须在 {least} 到 {most} 之间")
EXACT_SIZE = Text("the file must have exactly {least}", "文件大小必须恰好是 {least}")
# What V4 needs a condition for, whatever else a policy says.
V4_FIELDS = ("x-oss-signature-version", "x-oss-credential", "x-oss-date")
UNPINNED = {"policy", "signature", "ossaccesskeyid", "x-oss-signature", "file"}


@dataclass(frozen=True)
class Condition:
    """One condition; ``field`` is lower case without ``$``, ``value`` is text, texts, or a pair of sizes."""

    mode: str
    field: str
    value: Any

    def say(self, language: str) -> str:
        if self.mode == "content-length-range":
            least, most = self.value
            words = EXACT_SIZE if least == most else SIZE_WORDS
            return words.say(language, least=size_words(least, language), most=size_words(most, language))
        field = field_words(self.field, language)
        if self.mode == "starts-with" and self.value == "":
            return ANY_VALUE.say(language, field=field)
        values = self.value if isinstance(self.value, tuple) else (self.value,)
        texts = ", ".join(
            json.dumps(shown(self.field, item, language), ensure_ascii=False) for item in values
        )
        return MODE_WORDS[self.mode].say(language, field=field, value=texts)

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
    sent |= {"bucket": bucket} if (bucket := place_in(url)[0]) else {}
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


def field_words(field: str, language: str) -> str:
    """Return the description of a form field."""
    known = FIELD_WORDS.get(field.lower())
    return known.say(language) if known else printable(field)


def size_words(size: int, language: str) -> str:
    """A size in its largest unit, with the exact bytes where that rounds."""
    exact = f"{size} 字节" if language == "zh" else f"{size} byte{'' if size == 1 else 's'}"
    for unit, factor in (("GiB", 1024**3), ("MiB", 1024**2), ("KiB", 1024)):
        if size >= factor:
            return f"{size / factor:.4g} {unit}" + (f" ({exact})" if size % factor else "")
    return exact


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


def place_in(url: str) -> tuple[str, str]:
    """Bucket and region that OSS's own address of a bucket names; empty where it is another, or none."""
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        return "", ""
    bucket, _, rest = host.partition(".")
    if not (rest.startswith("oss-") and rest.endswith(".aliyuncs.com")):
        return "", ""
    region = rest.removeprefix("oss-").removesuffix(".aliyuncs.com").removesuffix("-internal")
    # Acceleration is not of a region.
    return bucket, "" if region.startswith("accelerate") else region


def region_problem(url: str, scope: Sequence[str]) -> Text | None:
    """
    Why OSS refuses what is signed for another region than its address is in.

    Args:
        scope: what follows the key id in a credential: day, region and so on.
    """
    signed, there = scope[1] if len(scope) > 1 else "", place_in(url)[1]
    if not signed or not there or signed == there:
        return None
    return Text(*(text.format(signed=signed, there=there) for text in OTHER_REGION))
