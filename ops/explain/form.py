"""
A signed form or its policy in words: each condition, those it does not meet, and what else OSS would refuse.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from function.config.key_template import is_held_name, published_name
from local.oss.errors import OssError
from local.oss.policy import Condition, Policy, parse_policy
from ops.explain.advice import condition_remedy
from ops.explain.parser import decode_base64
from ops.explain.pasted import PastedForm
from ops.explain.policy import (
    V4_FIELDS,
    conditions_said,
    expiry_line,
    read_policy,
    span,
    unmet_conditions,
    unpinned_fields,
)
from ops.terminal.language import Text
from ops.terminal.masking import printable, shown, shown_message

WORDS = {
    "policy": Text("A policy", "一份 policy"),
    "form": Text("A signed form, version {version}", "一份已签名的表单，签名版本 {version}"),
    "sample": Text(
        "A signed form in the shape of Alibaba's sample servers, version {version}",
        "一份阿里云示例服务器格式的已签名表单，签名版本 {version}",
    ),
    "conditions": Text("Conditions", "条件"),
    "remedy": Text("What to do", "怎么办"),
    "notes": Text("Also", "另外"),
    "sends": Text("the form sends {value}", "表单发送的是 {value}"),
    "absent": Text("the form does not send it", "表单没有发送它"),
    "unpinned": Text(
        "No condition mentions {names}: OSS takes any value of it.", "没有条件约束 {names}:OSS 会接受任意值。"
    ),
    "refuses": Text("OSS refuses this policy: “{problem}”", "OSS 不会接受这份 policy：“{problem}”"),
    "no_v4": Text(
        "Version 4 needs a condition on {field}; OSS refuses the form without it.",
        "V4 签名必须有 {field} 的条件，否则 OSS 会拒绝。",
    ),
    "no_key": Text("The form has no field {field}.", "表单缺少 {field} 字段。"),
    "future": Text(
        "x-oss-date lies {ahead} in the future: the clock that signed is wrong, or this one is.",
        "x-oss-date 比现在晚 {ahead}：签名机器的时钟不准，或本机时钟不准。",
    ),
    "fresh": Text("Ask for a fresh form right before each upload.", "每次上传前都重新获取表单。"),
    "held": Text(
        "What is uploaded waits there, and nobody sees it before it is published as {key}.",
        "上传的内容先暂存在那里，发布为 {key} 之前谁也看不到。",
    ),
    "page_name": Text(
        'The page posts key = "{folder}" + a name of its choice.', '页面提交 key = "{folder}" + 自选文件名。'
    ),
}


def policy_lines(text: str, now: datetime, language: str) -> list[str]:
    """A policy by itself: when it ends, what it demands, why OSS would refuse it."""
    try:
        policy = read_policy(text)
    except OssError as error:
        return [WORDS["policy"].say(language), *block("remedy", [_refusal(error, language)], language)]
    lines = [WORDS["policy"].say(language), *_conditions(policy, {}, now, language)]
    fresh = [WORDS["fresh"].say(language)] if policy.expires_at <= now else []
    return lines + block("remedy", fresh, language)


def form_lines(form: PastedForm, now: datetime, language: str) -> list[str]:
    """A form beside its policy: a ``!`` marks each condition that it does not meet."""
    sent = {name.lower(): value for name, value in form.fields.items()}
    version = "4" if "x-oss-credential" in sent or "x-oss-signature-version" in sent else "1"
    head = WORDS["form" if form.folder is None else "sample"].say(language, version=version)
    rows = [("url", form.url), ("key", sent.get("key", "")), ("credential", sent.get("x-oss-credential", ""))]
    rows.append(("key id", sent.get("ossaccesskeyid", "")))
    rows.append(("calls back", _callback_address(sent.get("callback", ""))))
    lines = [head, *(f"  {name:<10} {shown(name, value, language)}" for name, value in rows if value)]
    policy: Policy | None = None
    remedies, notes = [], []
    try:
        policy = parse_policy("".join(sent.get("policy", "").split()), dollar_optional=False)
    except OssError as error:
        remedies.append(_refusal(error, language))
    else:
        unmet = unmet_conditions(policy, form.fields, form.url, form.folder)
        lines += _conditions(policy, unmet, now, language)
        remedies += [condition_remedy(condition.field).say(language) for condition in unmet]
        if unpinned := unpinned_fields(policy, form.fields):
            notes.append(WORDS["unpinned"].say(language, names=", ".join(map(printable, unpinned))))
    remedies += _signature_problems(sent, policy, version, form.folder, now, language)
    if form.folder is not None:
        notes.append(WORDS["page_name"].say(language, folder=printable(form.folder)))
    if is_held_name(sent.get("key", "")):
        notes.append(WORDS["held"].say(language, key=printable(published_name(sent["key"]))))
    return lines + block("remedy", remedies, language) + block("notes", notes, language)


def _conditions(
    policy: Policy, unmet: Mapping[Condition, str | None], now: datetime, language: str
) -> Iterator[str]:
    yield expiry_line(policy.expires_at, now, language)
    yield WORDS["conditions"].say(language)
    for condition, said in conditions_said(policy, language):
        if condition is None or condition not in unmet:
            yield f"  - {said}"
        elif (value := unmet[condition]) is None:
            yield f"  ! {said} — {WORDS['absent'].say(language)}"
        else:
            value = shown(condition.field, value, language)
            yield f"  ! {said} — {WORDS['sends'].say(language, value=value)}"


def _refusal(error: OssError, language: str) -> str:
    return WORDS["refuses"].say(language, problem=shown_message(error.message, language))


def _callback_address(parameter: str) -> str:
    """The address in a callback field; the rest of it holds the upload's ticket."""
    try:
        value = json.loads(decode_base64(parameter) or "{}")
    except (ValueError, RecursionError):
        return ""
    return str(value.get("callbackUrl", "")) if isinstance(value, dict) else ""


def _signature_problems(
    sent: Mapping[str, str],
    policy: Policy | None,
    version: str,
    folder: str | None,
    now: datetime,
    language: str,
) -> Iterator[str]:
    needed = ["policy", *(["key"] if folder is None else [])]
    needed += [*V4_FIELDS, "x-oss-signature"] if version == "4" else ["OSSAccessKeyId", "signature"]
    yield from (WORDS["no_key"].say(language, field=name) for name in needed if not sent.get(name.lower()))
    if policy is not None:
        wanted = [*V4_FIELDS, *(["x-oss-security-token"] if "x-oss-security-token" in sent else [])]
        unbound = {*wanted} - {condition.field for condition in policy.conditions} if version == "4" else ()
        yield from (WORDS["no_v4"].say(language, field=field) for field in wanted if field in unbound)
    with suppress(ValueError):
        signed_at = datetime.strptime(sent.get("x-oss-date", ""), "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        if signed_at > now + timedelta(minutes=1):
            yield WORDS["future"].say(language, ahead=span(signed_at - now, language))
    if policy is not None and policy.expires_at <= now:
        yield WORDS["fresh"].say(language)


def block(title: str, lines: list[str], language: str) -> list[str]:
    return [WORDS[title].say(language), *(f"  - {line}" for line in dict.fromkeys(lines))] if lines else []
