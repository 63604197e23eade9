"""
Meaning and remedy of an error of OSS, STS, RAM or the function, from ``advice.toml``.
"""

import functools
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ops.terminal.language import Text

TABLE = Path(__file__).with_name("advice.toml")
# The code of rows about what the mini-program's platform or our client says, known by their text alone.
PLATFORM = "platform"


@dataclass(frozen=True)
class Advice:
    """
    One row of the table.

    Args:
        code: error code the row belongs to; empty where only the EC is known.

        fragments: lower-case pieces of messages that single this row out.

        ecs: values of OSS's ``EC``, a hint that OSS does not promise to keep.

        page: the document that says more, in both languages; empty where there is none.
    """

    code: str
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
            code=row.get("code", ""),
            fragments=tuple(row.get("text", ())),
            ecs=tuple(row.get("ec", ())),
            meaning=Text(row["en"][0], row["zh"][0]),
            remedy=Text(row["en"][1], row["zh"][1]),
            page=_page(row.get("page", "")),
        )
        for row in _document()["row"]
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
    same_code = [row for row in advice_rows() if code and row.code == code]
    same_ec = [row for row in advice_rows() if ec and ec in row.ecs]
    if code == PLATFORM:
        return next((row for row in same_code if any(piece in lowered for piece in row.fragments)), None)
    candidates = (
        [row for row in same_code if any(piece in lowered for piece in row.fragments)]
        or [row for row in same_code if row in same_ec]
        # An error whose code and text are not documented is known by its EC only.
        or [row for row in same_ec if not row.code]
        or [row for row in same_code if not row.fragments and not row.ecs]
        or [row for row in same_code if not row.fragments]
        or same_ec
    )
    return candidates[0] if candidates else None


def condition_remedy(field: str) -> Text:
    """Return the remedy for a failed condition, by its field (without ``$``)."""
    known = _document()["condition"].get(field.lower())
    if known:
        return Text(known["en"], known["zh"])
    return Text(
        "The field was left out or changed after signing. Send the formData of the answer as it is.",
        "该字段在签名后被遗漏或改动。请原样发送返回的 formData。",
    )
