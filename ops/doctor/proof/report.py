"""
Report of a proof, in Markdown: made to be committed and shown, so no bucket, account or key is in it.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from function import VERSION
from function.wechat import WechatApp
from ops.doctor.evidence import REQUEST_ID
from ops.doctor.proof.point import RULES, Point, Seen
from ops.doctor.proof.point import WORDS as QUESTIONS
from ops.doctor.proof.sandbox import Sandbox
from ops.terminal.language import Text

# Of a long-lived key, or of a session.
KEY_ID = r"\b(?:LTAI|STS\.)\w{4,}"
RAM_NAME = r"\b(role|user)/[\w.@-]+"
FOLDER = Path(__file__).resolve().parents[2] / "docs" / "proved"
WORDS = {
    "real": Text(
        "OSS in {region}, asked on {date} (oss-direct-upload {version})",
        "{date} 在 {region} 实测 OSS（oss-direct-upload {version}）",
    ),
    "local": Text(
        "The local cloud, asked on {date} (oss-direct-upload {version}); no real account. Rules: {rules}",
        "{date} 试本地云（oss-direct-upload {version}），不是真实账号。规则：{rules}",
    ),
    "no_rules": Text("as they are", "默认"),
    "calls": Text("{calls} requests, {bytes} bytes.", "{calls} 个请求，{bytes} 字节。"),
    "contracts": Text("What the function relies on", "函数所依赖的"),
    "open": Text("Open points", "文档没有说清的"),
    "nobody": Text("What nobody can ask", "没有人能问的"),
    "heads": Text("| point | question | answer | seen |", "| 项 | 问题 | 答案 | 所见 |"),
    "nobody_heads": Text("| point | why |", "| 项 | 原因 |"),
    "not_tried": Text("not tried: {why}", "没有试：{why}"),
    "broken": Text("**no**: {relies}", "**否**：{relies}"),
    "same": Text(
        "The local cloud does the same with: `python3 manage.py serve {rules}`",
        "让本地云照样做：`python3 manage.py serve {rules}`",
    ),
    "as_it_is": Text("The local cloud does the same as it is.", "本地云不用改，表现相同。"),
}


class Row(NamedTuple):
    """A point with what was seen; or why it was not tried."""

    point: Point
    seen: Seen | None
    why: Text | None = None

    @property
    def is_broken(self) -> bool:
        """Whether the function relies on another answer."""
        return self.point.relies is not None and self.seen is not None and self.seen.answer is not True


def title_of(region: str, now: datetime) -> Text:
    date = now.strftime("%Y-%m-%d %H:%M UTC")
    return WORDS["real"].filled(region=region, date=date, version=VERSION)


def local_title(rules: Sequence[str], now: datetime) -> Text:
    """
    Args:
        rules: ``NAME=VALUE`` each.
    """
    date, said = now.strftime("%Y-%m-%d %H:%M UTC"), WORDS["local"]
    named = [", ".join(rules)] * 2 if rules else WORDS["no_rules"]
    en, zh = (
        text.format(date=date, version=VERSION, rules=name) for text, name in zip(said, named, strict=True)
    )
    return Text(en, zh)


def report_file(region: str, now: datetime, folder: Path = FOLDER) -> Path:
    """Return a new file, named by date and region; a further one of that day by its time, too."""
    file = folder / f"{now:%Y-%m-%d}-{region}.md"
    return file.with_stem(f"{file.stem}-{now:%H%M%S}") if file.exists() else file


def answer_of(row: Row, language: str) -> tuple[str, str]:
    """Return the answer and the evidence of it."""
    if row.seen is None:
        return WORDS["not_tried"].say(language, why=row.why.say(language) if row.why else ""), ""
    return row.seen.said.say(language), row.seen.evidence


def report_of(title: Text, rows: Sequence[Row], sandbox: Sandbox, language: str) -> str:
    def said(name: str, **values: object) -> str:
        return WORDS[name].say(language, **values)

    lines = [f"# {title.say(language)}", "", said("calls", calls=sandbox.calls, bytes=sandbox.sent_bytes)]
    for name, are_contracts in (("contracts", True), ("open", False)):
        lines += ["", f"## {said(name)}", "", said("heads"), "|---|---|---|---|"]
        chosen = (row for row in rows if (row.point.relies is not None) is are_contracts)
        lines += [_line_of(row, sandbox, language) for row in chosen]
    lines += ["", _same_locally(rows, language)]
    if nobody := QUESTIONS.get("nobody"):
        lines += ["", f"## {said('nobody')}", "", said("nobody_heads"), "|---|---|"]
        lines += [f"| `{name}` | {Text(*why).say(language)} |" for name, why in nobody.items()]
    return "\n".join(lines) + "\n"


def _line_of(row: Row, sandbox: Sandbox, language: str) -> str:
    answer, seen = (without_names(text, sandbox) for text in answer_of(row, language))
    if row.is_broken and row.point.relies:
        answer = WORDS["broken"].say(language, relies=row.point.relies.say(language))
    cells = (f"`{row.point.name}`", row.point.question.say(language), answer, seen)
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"


def without_names(text: str, sandbox: Sandbox) -> str:
    """Without what tells whose bucket it is: its name, its domains, the account with role and user, keys."""
    settings, app = sandbox.settings, sandbox.settings.caller_settings
    urls = [settings.host, settings.read_origin, settings.oss_endpoint, sandbox.function_url]
    urls += [url for url in (settings.callback_url, settings.upload_webhook_url) if url]
    names = {*urls, *(urlsplit(url).hostname for url in urls), sandbox.keys.access_key_id, sandbox.openid}
    if isinstance(app, WechatApp):
        names.add(app.appid)
    for name in sorted(filter(None, names), key=len, reverse=True):
        text = text.replace(name, "…")
    # A short name is part of other words.
    text = re.sub(rf"(?<![a-z0-9-]){re.escape(settings.bucket)}(?![a-z0-9])", "…", text)
    text = re.sub(KEY_ID, "…", re.sub(RAM_NAME, r"\1/…", re.sub(REQUEST_ID, "", text)))
    return re.sub(r"(?<![0-9A-Fa-f])\d{10,}(?![0-9A-Fa-f])", "…", text)


def _same_locally(rows: Iterable[Row], language: str) -> str:
    seen = {row.point.name: row.seen.answer for row in rows if row.seen and row.point.is_rule}
    return _rules_for(seen, language)


def _rules_for(seen: Mapping[str, bool | None], language: str) -> str:
    others = [
        f"--rule {name}={str(answer).lower()}"
        for name, answer in seen.items()
        if answer is not None and RULES[name] != answer
    ]
    if not others:
        return WORDS["as_it_is"].say(language)
    return WORDS["same"].say(language, rules=" ".join(others))
