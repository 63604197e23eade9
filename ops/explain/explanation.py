"""Explanation of a paste: an error with its advice, a form, or what the function wrote."""

from collections.abc import Sequence
from datetime import datetime
from urllib.parse import quote

from ops.explain.advice import PLATFORM, Advice, condition_remedy, find_advice
from ops.explain.form import block, form_lines, policy_lines
from ops.explain.function_output import (
    NONE,
    Secrets,
    advice_on,
    log_lines,
    owner_lines,
    token_lines,
)
from ops.explain.parser import read_pasted
from ops.explain.pasted import Kind, Pasted, PastedError, PastedForm
from ops.explain.policy import condition_said
from ops.terminal.language import Text
from ops.terminal.masking import failed_condition, printable, shown, shown_message

# The words of others, which stay as they are.
QUOTED = Text("{text}", "“{text}”")
WORDS = {
    "error": Text(
        "An error of OSS, STS, a platform, the function or the client", "OSS、STS、平台、函数或客户端的错误"
    ),
    "wechat": Text("An errcode of WeChat", "微信的 errcode"),
    "platform": Text("What the mini-program says", "小程序的报错"),
    "answer": Text(
        "An answer without an error. Its fields: docs/api.md; states: docs/held-objects.md.",
        "响应里没有错误。字段见 docs/api.zh-CN.md，状态见 docs/held-objects.zh-CN.md。",
    ),
    "failed": Text("The condition that failed", "未满足的条件"),
    "meaning": Text("What it means", "含义"),
    "unknown": Text(
        "This code is not in the table of this tool. Keep the RequestId for a ticket to Alibaba Cloud;"
        " what Alibaba Cloud says of it: https://api.aliyun.com/troubleshoot?q={ec}",
        "本工具的表中没有这个错误码。提交工单时请附上 RequestId；阿里云的说明："
        "https://api.aliyun.com/troubleshoot?q={ec}",
    ),
    "unknown_errcode": Text(
        "This errcode is not in the table of this tool; search for {ec} at https://developers.weixin.qq.com.",
        "本工具的表中没有这个 errcode；请在 https://developers.weixin.qq.com 搜索 {ec}。",
    ),
}


def explain(text: str, now: datetime, language: str, secrets: Secrets = NONE) -> str:
    """
    Return the whole explanation.

    Args:
        secrets: of the deployment, as far as they are at hand.

    Raises:
        Unreadable: the text is none of the things that can be explained.
    """
    return "\n\n".join("\n".join(_lines(each, now, language, secrets)) for each in read_pasted(text))


def _lines(pasted: Pasted, now: datetime, language: str, secrets: Secrets) -> list[str]:
    if isinstance(pasted, PastedError):
        return _error_lines(pasted, language)
    if isinstance(pasted, PastedForm):
        return form_lines(pasted, now, language)
    content = pasted.content
    match pasted.kind:
        case Kind.ANSWER:
            return [WORDS["answer"].say(language)]
        case Kind.POLICY:
            return policy_lines(content, now, language)
        case Kind.TOKEN:
            token, claims = content
            return token_lines(token, claims, now, secrets, language)
        case Kind.LOG_LINE:
            return log_lines(content, language) + _advice_lines(advice_on(content), (), language)
    return owner_lines(content, secrets, language)


def _error_lines(error: PastedError, language: str) -> list[str]:
    is_platform, is_wechat = error.code == PLATFORM, error.code.lstrip("-").isdecimal()
    message = shown_message(error.message, language)
    rows = [
        ("HTTP", str(error.status or "")),
        ("Code", "" if is_platform else printable(error.code)),
        ("Message", QUOTED.say(language, text=message) if message else ""),
        ("EC", printable(error.ec)),
        ("RequestId", printable(error.request_id)[:100]),
        ("HostId", printable(error.host)),
        ("Endpoint", printable(error.endpoint)),
    ]
    if error.argument:
        name, value = error.argument
        rows.append(("Argument", f"{printable(name)} = {shown(name, value, language)}"))
    title = WORDS["platform" if is_platform else "wechat" if is_wechat else "error"]
    lines = [title.say(language), *(f"  {name:<10} {value}" for name, value in rows if value)]
    remedies: list[str] = []
    failed = failed_condition(error.message)
    if failed:
        lines += [WORDS["failed"].say(language), f"  {condition_said(failed, language)}"]
        remedies.append(condition_remedy(str(failed[1]).lstrip("$")).say(language))
    if advice := find_advice(error.code, error.message, error.ec):
        return lines + _advice_lines([advice], remedies, language)
    known_by = quote(printable(error.ec or error.code))
    unknown = WORDS["unknown_errcode" if is_wechat else "unknown"].say(language, ec=known_by)
    return [*lines, WORDS["meaning"].say(language), f"  {unknown}", *block("remedy", remedies, language)]


def _advice_lines(rows: Sequence[Advice], remedies: Sequence[str], language: str) -> list[str]:
    if not rows:
        return []
    found = [row.remedy.say(language) for row in rows]
    meanings = [f"  {row.meaning.say(language)}" for row in rows]
    return [WORDS["meaning"].say(language), *meanings, *block("remedy", [*remedies, *found], language)]
