"""Report of a proof, in Markdown: made to be committed and shown, so no bucket, account or key is in it."""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple
from urllib.parse import urlsplit

from ops.doctor.evidence import REQUEST_ID
from ops.doctor.proof.point import NOBODY, QUESTIONS, RULES, Point, Seen
from ops.doctor.proof.sandbox import Sandbox

# Of a long-lived key, or of a session.
KEY_ID = r"\b(?:LTAI|STS\.)\w{4,}"
RAM_NAME = r"\b(role|user)/[\w.@-]+"


class Row(NamedTuple):
    """A point with what was seen; or why it was not tried."""

    point: Point
    seen: Seen | None
    why: str = ""

    @property
    def is_broken(self) -> bool:
        """Whether the function relies on another answer."""
        return bool(self.point.relies) and self.seen is not None and self.seen.answer is not True

    @property
    def answer(self) -> str:
        return self.seen.said if self.seen else f"not tried: {self.why}"


def report_of(title: str, rows: Sequence[Row], sandbox: Sandbox) -> str:
    lines = [f"# {title}"]
    for name, are_contracts in (("What the function relies on", True), ("Open points", False)):
        lines += ["", f"## {name}", "", "| point | question | answer | seen |", "|---|---|---|---|"]
        lines += [_line_of(row, sandbox) for row in rows if bool(row.point.relies) is are_contracts]
    lines += ["", *_same_locally(rows), "", "## What is not asked", "", "| points | why |", "|---|---|"]
    lines += [f"| {', '.join(names)} | {why} |" for why, names in QUESTIONS[NOBODY].items()]
    return "\n".join(lines) + "\n"


def _line_of(row: Row, sandbox: Sandbox) -> str:
    answer = f"**no**: {row.point.relies}" if row.is_broken else without_names(row.answer, sandbox)
    seen = without_names(row.seen.evidence if row.seen else "", sandbox)
    cells = (f"`{row.point.name}`", row.point.asks, answer, seen)
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"


def without_names(text: str, sandbox: Sandbox) -> str:
    """Without what tells whose bucket it is: its name, its domains, the account with role and user, keys."""
    settings = sandbox.settings
    urls = [settings.host, settings.read_origin, settings.oss_endpoint, sandbox.function_url]
    urls += [url for url in (settings.callback_url, settings.upload_webhook_url) if url]
    names = {*urls, *(urlsplit(url).hostname for url in urls), sandbox.keys.access_key_id, sandbox.openid}
    names |= {entry.id.partition(":")[2] for entry in settings.callers}
    for name in sorted(filter(None, names), key=len, reverse=True):
        text = text.replace(name, "…")
    # A short name is part of other words.
    text = re.sub(rf"(?<![a-z0-9-]){re.escape(settings.bucket)}(?![a-z0-9])", "…", text)
    text = re.sub(KEY_ID, "…", re.sub(RAM_NAME, r"\1/…", re.sub(REQUEST_ID, "", text)))
    return re.sub(r"(?<![0-9A-Fa-f])\d{10,}(?![0-9A-Fa-f])", "…", text)


def _same_locally(rows: Sequence[Row]) -> Iterator[str]:
    answers = {row.point.name: row.seen.answer for row in rows if row.seen and row.point.name in RULES}
    others = {name: answer for name, answer in answers.items() if answer not in (None, RULES[name])}
    if not others:
        yield "The local cloud does the same as it is."
        return
    rules = " ".join(f"--rule {name}={str(answer).lower()}" for name, answer in others.items())
    yield f"The local cloud does the same with: `python3 manage.py serve {rules}`"
