"""The pages of the project, and what stands in them: headings, code blocks, tables, links."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
CHINESE_ENDING = ".zh-CN.md"
CHINESE_FOLDER = "docs/zh-CN"
# Each English page with its Chinese twin, by path from the project's root.
PAIRS = {
    twin.relative_to(ROOT).as_posix().replace(CHINESE_ENDING, ".md"): twin.relative_to(ROOT).as_posix()
    for folder in (ROOT, ROOT / "docs")
    for twin in sorted(folder.glob(f"*{CHINESE_ENDING}"))
} | {path.name: f"{CHINESE_FOLDER}/{path.name}" for path in sorted((ROOT / CHINESE_FOLDER).glob("*.md"))}

# Pages for whoever works on the project, in English alone.
MAKERS = (
    *("ARCHITECTURE.md", "CONTRIBUTING.md", "docs/decisions.md", "docs/oss-open-points.md"),
    *("docs/proved/README.md", "docs/speed.md", "docs/testing.md"),
)


def page(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


def both(name: str) -> list[str]:
    """The two languages of a page."""
    return [name, PAIRS[name]]


def without_code(text: str) -> str:
    return re.sub(r"^```.*?^```", "", text, flags=re.S | re.M)


def headings(text: str) -> list[tuple[str, str]]:
    """Each heading's level, as its ``#``, and its title."""
    return re.findall(r"^(#+) (.+)$", without_code(text), flags=re.M)


def code_blocks(text: str) -> list[tuple[str, str]]:
    """Each code block's language and text."""
    return re.findall(r"^```(\w*)\n(.*?)^```", text, flags=re.S | re.M)


def tables(text: str) -> list[list[list[str]]]:
    """Each table as rows of cells, its header and rule left out."""
    found = re.findall(r"(?:^\|.*\n)+", without_code(text), flags=re.M)
    return [[cells(row) for row in table.splitlines()[2:]] for table in found]


def cells(row: str) -> list[str]:
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", row.strip().strip("|"))]


def table_of(text: str, first: str) -> list[list[str]]:
    """The one table that has a row whose first cell is ``first``."""
    (found,) = [table for table in tables(text) if first in [row[0] for row in table]]
    return found


def names_in(cell: str) -> list[str]:
    """What stands in backquotes."""
    return re.findall(r"`([^`]+)`", cell)


def links(text: str) -> list[tuple[str, str]]:
    """Each link within the project: the path (empty within the page) and the anchor."""
    return re.findall(r"\]\((?!https?:)([^)#]*)#?([^)]*)\)", without_code(text))


def anchors(text: str) -> set[str]:
    """The anchors that a reader's browser makes of the headings."""
    return {re.sub(r"[^\w\- ]", "", title).strip().lower().replace(" ", "-") for _, title in headings(text)}


def literal(text: str) -> str:
    """Code without its comments, which are in the language of the page."""
    return re.sub(r"\s*(#|//) .*", "", text)
