"""Meaning and remedy of an error: from the tables of docs/errors.md and docs/client.md."""

import functools
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ops.terminal.language import Text

TABLE = Path(__file__).with_name("advice.toml")
DOCS = Path(__file__).parents[2] / "docs"
# The code of what the mini-program's platform says, which is known by its text alone.
PLATFORM = "platform"
QUOTED = re.compile(r"`([^`]+)`")
EC = re.compile(r"\d{4}-\d{8}")
LINK = re.compile(r"\[([^\]]+)\]\(([\w-]+(?:\.zh-CN)?\.md[^)]*)\)")


@dataclass(frozen=True)
class Advice:
    """
    One row of a table.

    Args:
        codes: error codes the row belongs to; none where only the EC is known.
        fragments: lower-case pieces of messages that single this row out.
        ecs: values of OSS's ``EC``, a hint that OSS does not promise to keep.
    """

    codes: tuple[str, ...]
    fragments: tuple[str, ...]
    ecs: tuple[str, ...]
    meaning: Text
    remedy: Text


@functools.cache
def _document() -> dict[str, Any]:
    return tomllib.loads(TABLE.read_text(encoding="utf-8"))


@functools.cache
def advice_rows() -> tuple[Advice, ...]:
    """Rows of docs/errors.md, then those of docs/client.md."""
    found = []
    for name, cells in (("errors", 4), ("client", 5)):
        pages = (_rows(DOCS / f"{name}.md", cells), _rows(DOCS / f"{name}.zh-CN.md", cells))
        for (codes, marks, *en), (_, _, *zh) in zip(*pages, strict=True):
            fragments = tuple(mark for mark in marks if not EC.fullmatch(mark))
            ecs = tuple(mark for mark in marks if EC.fullmatch(mark))
            texts = (Text(_sentence(one, "."), _sentence(two, "。")) for one, two in zip(en, zh, strict=True))
            found.append(Advice(codes, fragments, ecs, *texts))
    return tuple(found)


def _rows(page: Path, width: int) -> Iterator[tuple[tuple[str, ...], tuple[str, ...], str, str]]:
    """Codes, what else singles a row out, "when" and "what to do", of the tables of codes of a page."""
    for line in page.read_text("utf-8").splitlines():
        cells = line[2:-2].split(" | ")
        if line.startswith("|") and len(cells) == width:
            # Before a code of the function is its status, behind one of the client its stage.
            code, mark = cells[1::-1] if cells[0].isdigit() else cells[:2]
            codes, marks = QUOTED.findall(code), QUOTED.findall(mark) if width == 4 else ()
            if codes or marks:
                yield tuple(codes), tuple(marks), cells[2], cells[3]


def _sentence(cell: str, end: str) -> str:
    text = LINK.sub(r"\1 (docs/\2)", cell).replace("**", "")
    return f"{text[:1].upper()}{text[1:]}{end}"


def find_advice(code: str, message: str = "", ec: str = "") -> Advice | None:
    """
    The row that fits best: by code and message, then code and EC, then code alone, then EC alone.

    Returns:
        ``None`` for an error that the tables do not know.
    """
    lowered = message.lower()
    if code == PLATFORM:
        said = _document()[PLATFORM].items()
        code = next((known for known, pieces in said if any(piece in lowered for piece in pieces)), "")
    same_code = [row for row in advice_rows() if code and code in row.codes]
    same_ec = [row for row in advice_rows() if ec and ec in row.ecs]
    candidates = (
        [row for row in same_code if any(piece in lowered for piece in row.fragments)]
        or [row for row in same_code if row in same_ec]
        # An error whose code and text are not documented is known by its EC only.
        or [row for row in same_ec if not row.codes]
        or [row for row in same_code if not row.fragments and not row.ecs]
        or [row for row in same_code if not row.fragments or code in row.codes[1:]]
        or same_ec
    )
    return candidates[0] if candidates else None


def condition_remedy(field: str) -> Text:
    """Return the remedy for a failed condition, by its field (without ``$``)."""
    if known := _document()["condition"].get(field.lower()):
        return Text(*known)
    return Text(
        "The field was left out or changed after signing. Send the formData of the answer as it is.",
        "该字段在签名后被遗漏或改动。请原样发送返回的 formData。",
    )
