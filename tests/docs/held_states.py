"""Diagram of the states of a held upload, from ``holding.transitions``; a run writes them."""

import re
from pathlib import Path

from function.holding.transitions import SHOWN, TABLE

ROOT = Path(__file__).parents[2]
PAGES = ("docs/held-objects.md", "docs/held-objects.zh-CN.md")


def diagram() -> str:
    """Return the states that responses name, and the events between them, as Mermaid."""
    edges: dict[tuple[str, str], dict[str, None]] = {}
    for row in TABLE:
        for before in row.before:
            if SHOWN[before] != SHOWN[row.after]:
                edges.setdefault((SHOWN[before], SHOWN[row.after]), {})[row.event] = None
    lines = [f"    {before} --> {after}: {', '.join(events)}" for (before, after), events in edges.items()]
    ends = ["    [*] --> held: /confirm", *lines, "    rejected --> [*]", "    gone --> [*]"]
    return "\n".join(["```mermaid", "stateDiagram-v2", *ends, "```"])


def drawn(name: str) -> str:
    """Return a page with the diagram as the function has it."""
    page = (ROOT / name).read_text("utf-8")
    return re.sub(r"```mermaid\n.*?```", lambda _: diagram(), page, count=1, flags=re.S)


if __name__ == "__main__":
    for each in PAGES:
        (ROOT / each).write_text(drawn(each), "utf-8")
