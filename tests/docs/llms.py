"""
llms.txt and llms-full.txt for assistants, made from the English pages.

``python -m tests.docs.llms`` writes both. The pages and their order are those of the table in README.md.

Format: https://llmstxt.org
"""

import posixpath
import re

from tests.docs.markdown import ROOT, headings, links, page, tables

FIRST = ("README.md", "docs/agents.md", "docs/skill/SKILL.md")
LEFT_OUT = ("CHANGELOG.md", *FIRST)
OTHERS = {
    "docs/openapi.yaml": "the API for programs, OpenAPI 3.1",
    "profiles.example.toml": "profiles with comments",
    ".env.example": "settings with comments",
    "miniprogram/example/utils/oss-direct-upload": "the client: copy the whole folder",
    "docs/backends": "backends to copy: Node, Python, PHP, Java, Go",
}
LINK = re.compile(r"\]\((?!https?:)([^)#\s]*)(#[^)]*)?\)")
LANGUAGES = re.compile(r"\n\[简体中文\]\(.*\n")


def reading_list() -> list[tuple[str, list[str]]]:
    """Each row of the README's last table: who reads, and the pages."""
    return [
        (row[0], [target for cell in row[1:] for target, _ in links(cell) if target not in LEFT_OUT])
        for row in tables(page("README.md"))[-1]
    ]


def title_of(name: str) -> str:
    return headings(page(name))[0][1]


def llms() -> str:
    """The list: each page with its title and chapters."""
    summary = " ".join(page("README.md").split("\n\n")[2].replace("**", "").split())
    lines = [
        f"# {title_of('README.md')}",
        "",
        f"> {summary}",
        "",
        "All pages in one file: [llms-full.txt](llms-full.txt).",
    ]
    for readers, names in [("Begin here", list(FIRST)), *reading_list()]:
        lines += ["", f"## {readers[0].upper()}{readers[1:]}", ""]
        for name in names:
            chapters = "; ".join(title for level, title in headings(page(name)) if level == "##")
            lines.append(
                f"- [{title_of(name)}]({name}): {chapters}" if chapters else f"- [{title_of(name)}]({name})"
            )
    lines += ["", "## Files", "", *(f"- [{name}]({name}): {about}" for name, about in OTHERS.items())]
    return "\n".join(lines) + "\n"


def full() -> str:
    """All pages of the list, one after another, with links from the project's folder."""
    names = [*FIRST, *(name for _, listed in reading_list() for name in listed)]
    return "\n".join(f"<!-- {name} -->\n\n{_from_the_top(name)}" for name in names)


def _from_the_top(name: str) -> str:
    folder = posixpath.dirname(name)

    def moved(found: re.Match[str]) -> str:
        target, anchor = found[1], found[2] or ""
        path = posixpath.normpath(posixpath.join(folder, target)) if target else name
        return f"]({path}{anchor})"

    return LINK.sub(moved, LANGUAGES.sub("\n", page(name), count=1))


FILES = {"llms.txt": llms, "llms-full.txt": full}

if __name__ == "__main__":
    for each, made in FILES.items():
        (ROOT / each).write_text(made(), "utf-8")
