"""
Explanation of a paste: an error with its advice, a success, or a form.
"""

from datetime import datetime
from urllib.parse import quote

from ops.explain.advice import PLATFORM, condition_remedy, find_advice
from ops.explain.form import form_lines, policy_lines
from ops.explain.parser import read_pasted
from ops.explain.pasted import PastedError, PastedPolicy, PastedSuccess
from ops.explain.policy import field_words, read_condition, read_policy
from ops.explain.states import STATES
from ops.terminal.language import Text
from ops.terminal.masking import failed_condition, printable, shown, shown_message

# The words of others, which stay as they are.
QUOTED = Text("{text}", "“{text}”")
WORDS = {
    "error": Text("An error of OSS, STS or the function", "OSS、STS 或函数返回的错误"),
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
    "stored": Text("the file is stored", "文件已保存"),
    "confirmed": Text("OSS itself says that it is there", "OSS 自己说它在那里"),
    "standing": Text("Where an upload stands", "一次上传走到了哪一步"),
    "headline": Text("{title}: {tail}", "{title}：{tail}"),
    "exists": Text("the same bytes were there already", "同样的内容已经在那里了"),
}


def explain(text: str, now: datetime, language: str) -> str:
    """
    Return the whole explanation.

    Raises:
        Unreadable: the text is none of the things that can be explained.
    """
    parts = []
    for pasted in read_pasted(text):
        if isinstance(pasted, PastedError):
            lines = _error_lines(pasted, language)
        elif isinstance(pasted, PastedSuccess):
            lines = _success_lines(pasted, language)
        elif isinstance(pasted, PastedPolicy):
            lines = policy_lines(read_policy(pasted.text), now, language)
        else:
            lines = form_lines(pasted, now, language)
        parts.append("\n".join(lines))
    return "\n\n".join(parts)


def _error_lines(error: PastedError, language: str) -> list[str]:
    is_platform = error.code == PLATFORM
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
    title = WORDS["platform" if is_platform else "error"]
    lines = [title.say(language), *(f"  {name:<10} {value}" for name, value in rows if value)]
    remedies = []
    failed = failed_condition(error.message)
    if failed:
        condition = read_condition(failed)
        field = str(failed[1]).lstrip("$")
        said = condition.say(language) if condition else field_words(field, language)
        lines += [WORDS["failed"].say(language), f"  {said}"]
        remedies.append(condition_remedy(field).say(language))
    advice = find_advice(error.code, error.message, error.ec)
    meaning = advice.meaning if advice else WORDS["unknown"]
    known_by = quote(printable(error.ec or error.code))
    lines += [WORDS["meaning"].say(language), f"  {meaning.say(language).replace('{ec}', known_by)}"]
    if advice:
        remedies += filter(None, (advice.remedy.say(language), advice.page.say(language)))
    if remedies:
        lines += [WORDS["remedy"].say(language), *(f"  - {remedy}" for remedy in remedies)]
    return lines


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
