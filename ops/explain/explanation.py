"""
Explanation of a paste: an error with its advice, a success, or a form.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote

from ops.explain.advice import PLATFORM, Advice, condition_remedy, find_advice
from ops.explain.form import form_lines, policy_lines
from ops.explain.function_output import NONE, Secrets, advice_on, log_lines, owner_lines, token_lines
from ops.explain.label import label_lines
from ops.explain.parser import read_pasted
from ops.explain.pasted import (
    STATES,
    Pasted,
    PastedError,
    PastedForm,
    PastedLabel,
    PastedLogLine,
    PastedPolicy,
    PastedSuccess,
    PastedToken,
)
from ops.explain.policy import read_condition, read_policy
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
    "callback_ok": Text("the callback answered as well", "回调也已响应"),
    "failed": Text("The condition that failed", "未满足的条件"),
    "meaning": Text("What it means", "含义"),
    "remedy": Text("What to do", "怎么办"),
    "success": Text("The upload worked", "上传成功"),
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
    "stored": Text("the file is stored", "文件已保存"),
    "confirmed": Text("OSS itself says that it is there", "已向 OSS 查实"),
    "standing": Text("Where an upload stands", "一次上传走到了哪一步"),
    "headline": Text("{title}: {tail}", "{title}：{tail}"),
    "exists": Text("the same bytes were there already", "同样的内容早已存过"),
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
    if isinstance(pasted, PastedSuccess):
        return _success_lines(pasted, language) + _label_in(pasted.answer, language)
    if isinstance(pasted, PastedPolicy):
        return policy_lines(read_policy(pasted.text), now, language)
    if isinstance(pasted, PastedForm):
        return form_lines(pasted, now, language)
    if isinstance(pasted, PastedToken):
        return token_lines(pasted, now, secrets, language) + _label_in(pasted.claims, language)
    if isinstance(pasted, PastedLabel):
        return label_lines(pasted.label, language, is_alone=True)
    if isinstance(pasted, PastedLogLine):
        return log_lines(pasted, language) + _advice_lines(advice_on(pasted), (), language)
    return owner_lines(pasted.text, secrets, language)


def _label_in(fields: Mapping[str, Any], language: str) -> list[str]:
    label = fields.get("aiLabel", "")
    return label_lines(label, language) if label is None or isinstance(label, Mapping) else []


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
        condition = read_condition(failed)
        field = str(failed[1]).lstrip("$")
        said = condition.say(language) if condition else printable(field)
        lines += [WORDS["failed"].say(language), f"  {said}"]
        remedies.append(condition_remedy(field).say(language))
    if advice := find_advice(error.code, error.message, error.ec):
        return lines + _advice_lines([advice], remedies, language)
    known_by = quote(printable(error.ec or error.code))
    unknown = WORDS["unknown_errcode" if is_wechat else "unknown"].say(language, ec=known_by)
    return [*lines, WORDS["meaning"].say(language), f"  {unknown}", *_remedy_lines(remedies, language)]


def _advice_lines(rows: Sequence[Advice], remedies: Sequence[str], language: str) -> list[str]:
    if not rows:
        return []
    found = [text.say(language) for row in rows for text in (row.remedy, row.page) if text.en]
    meanings = [f"  {row.meaning.say(language)}" for row in rows]
    return [WORDS["meaning"].say(language), *meanings, *_remedy_lines([*remedies, *found], language)]


def _remedy_lines(remedies: Sequence[str], language: str) -> list[str]:
    return [WORDS["remedy"].say(language), *(f"  - {each}" for each in remedies)] if remedies else []


def _success_lines(success: PastedSuccess, language: str) -> list[str]:
    state = STATES.get(str(success.answer.get("state")))
    tail = (state or WORDS[_how_it_is_known(success)]).say(language)
    title = WORDS["standing" if state else "success"].say(language)
    status = f" (HTTP {success.status})" if success.status else ""
    rows = [f"  {printable(name)} = {shown(name, value, language)}" for name, value in success.answer.items()]
    headline = WORDS["headline"].say(language, title=title + status, tail=tail)
    return [headline, *rows]


def _how_it_is_known(success: PastedSuccess) -> str:
    answer = success.answer
    if answer.get("exists") is True:
        return "exists"
    if "receipt" not in answer:
        return "stored"
    return "confirmed" if "state" in answer else "callback_ok"
