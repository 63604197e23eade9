"""
Meaning and remedy of an error of OSS, STS, RAM or the function, from ``advice.toml``.
"""

import functools
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from string import Formatter
from typing import Any

from ops.terminal.language import Text
from ops.terminal.messages import chinese_templates

TABLE = Path(__file__).with_name("advice.toml")
# The code of rows about what the mini-program's platform or our client says, known by their text alone.
PLATFORM = "platform"
LONGEST_REASON = 2000


@dataclass(frozen=True)
class Advice:
    """
    One row of the table.

    Args:
        codes: error codes the row belongs to; an empty one where only the EC is known.
        fragments: lower-case pieces of messages that single this row out.
        ecs: values of OSS's ``EC``, a hint that OSS does not promise to keep.
        page: the document that says more, in both languages; empty where there is none.
    """

    codes: tuple[str, ...]
    fragments: tuple[str, ...]
    ecs: tuple[str, ...]
    meaning: Text
    remedy: Text
    page: Text


@functools.cache
def _document() -> dict[str, Any]:
    return tomllib.loads(TABLE.read_text(encoding="utf-8"))


@functools.cache
def advice_rows() -> tuple[Advice, ...]:
    return tuple(
        Advice(
            codes=(code, *row.get("codes", ())),
            fragments=tuple(row.get("text", ())),
            ecs=tuple(row.get("ec", ())),
            meaning=Text(row["en"][0], row["zh"][0]),
            remedy=Text(row["en"][1], row["zh"][1]),
            page=_page(row.get("page", "")),
        )
        for code, rows in _document().items()
        if isinstance(rows, list)
        for row in rows
    )


def _page(name: str) -> Text:
    return Text(f"docs/{name}.md", f"docs/{name}.zh-CN.md") if name else Text("", "")


def find_advice(code: str, message: str = "", ec: str = "") -> Advice | None:
    """
    The row that fits best: by code and message, then code and EC, then code alone, then EC alone.

    Returns:
        ``None`` for an error that the table does not know.
    """
    lowered = message.lower()
    same_code = [row for row in advice_rows() if code and code in row.codes]
    same_ec = [row for row in advice_rows() if ec and ec in row.ecs]
    if code == PLATFORM:
        return next((row for row in same_code if any(piece in lowered for piece in row.fragments)), None)
    candidates = (
        [row for row in same_code if any(piece in lowered for piece in row.fragments)]
        or [row for row in same_code if row in same_ec]
        # An error whose code and text are not documented is known by its EC only.
        or [row for row in same_ec if "" in row.codes]
        or [row for row in same_code if not row.fragments and not row.ecs]
        or [row for row in same_code if not row.fragments or code in row.codes[1:]]
        or same_ec
    )
    return candidates[0] if candidates else None


@functools.cache
def _reasons() -> list[tuple[re.Pattern[str], str]]:
    """Patterns of the log's reasons, each with its Chinese template; the most literal one is first."""
    templates = {**_document()["reasons"], **chinese_templates()}
    return [
        (_pattern(english), re.sub(r"![rs](?=})", "", chinese))
        for english, chinese in sorted(templates.items(), key=lambda each: -len(re.sub("{.*?}", "", each[0])))
    ]


def _pattern(template: str) -> re.Pattern[str]:
    pattern = ""
    for literal, field, *_ in Formatter().parse(template):
        group = f"(?P={field})" if f"<{field}>" in pattern else f"(?P<{field}>.+?)"
        pattern += re.escape(literal) + (group if field else "")
    return re.compile(pattern, re.DOTALL)


def reason_in_chinese(reason: str) -> str:
    """Return a reason of the function's log in Chinese, as far as it is known."""
    if len(reason) > LONGEST_REASON:
        return reason
    for pattern, chinese in _reasons():
        if match := pattern.fullmatch(reason):
            return chinese.format(
                **{name: reason_in_chinese(each) for name, each in match.groupdict().items()}
            )
    return reason


def condition_remedy(field: str) -> Text:
    """Return the remedy for a failed condition, by its field (without ``$``)."""
    if known := _document()["condition"].get(field.lower()):
        return Text(*known)
    return Text(
        "The field was left out or changed after signing. Send the formData of the answer as it is.",
        "该字段在签名后被遗漏或改动。请原样发送返回的 formData。",
    )
