"""Diagram and table of the states of a held upload, from ``holding.transitions``; a run writes them."""

import re
from pathlib import Path

from function.holding.transitions import OPEN, SHOWN, TABLE

ROOT = Path(__file__).parents[2]
PAGES = {"en": "docs/held-objects.md", "zh": "docs/held-objects.zh-CN.md"}
HEAD = {"en": "| event | what happens | from | to |", "zh": "| 事件 | 发生了什么 | 之前 | 之后 |"}
EVENTS = {
    "commit": ("a commit, and no check follows", "提交，之后不需要审核"),
    "accept": ("a commit that a check follows", "提交，之后要审核"),
    "ask": ("Aliyun is asked", "请求阿里云审核"),
    "no answer": ("it did not answer; asked again later", "没有结果，稍后重试"),
    "task": ("it looks at a video or sound", "阿里云开始审核视频或音频"),
    "still running": ("it still looks", "还在审核"),
    "answered": ("its answer is kept: WeChat is next, or OSS failed", "保存结果：接着送微信，或 OSS 出错"),
    "submit": ("WeChat gets the object", "送微信审核"),
    "not submitted": ("it did not take it; tried again later", "没有送成，稍后重试"),
    "submitted": ("it took it; a verdict comes within 35 minutes", "微信已受理，35 分钟内推送结果"),
    "unreachable": ("it cannot open the presigned URL", "微信打不开预签名 URL"),
    "doubt": ("a human must decide", "转人工审核"),
    "pass": ("every checker passed the same object", "审核通过，且对象没有变过"),
    "risky": ("a checker rejects it", "审核判为违规"),
    "publish": ("a backend or reviewer publishes it", "后端或审核员人工通过"),
    "reject": ("a backend or reviewer rejects it", "后端或审核员人工拒绝"),
    "discard": ("`/discard`, `/delete` or `replaces`", "`/discard`、`/delete` 或 `replaces`"),
    "end of hold": ("`hold_days` are over", "过了 `hold_days`"),
    "name taken": ("another upload has the name, a digest", "以摘要命名的位置已有另一份上传"),
}  # fmt: skip


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


def table(language: str) -> str:
    """Return every transition, in Markdown."""
    all_open = {"en": "each before a decision", "zh": "决定之前的任何状态"}[language]
    rows = []
    for row in TABLE:
        text = EVENTS[row.event][language == "zh"]
        before = all_open if row.before == OPEN else ", ".join(f"`{state}`" for state in row.before)
        rows.append(f"| `{row.event}` | {text} | {before} | `{row.after}` |")
    return "\n".join([HEAD[language], "|---|---|---|---|", *rows])


def drawn(language: str) -> str:
    """Return a page with diagram and table as the function has them."""
    page = (ROOT / PAGES[language]).read_text("utf-8")
    page = re.sub(r"```mermaid\n.*?```", lambda _: diagram(), page, count=1, flags=re.S)
    return re.sub(rf"{re.escape(HEAD[language])}\n(\|.*\n)*", lambda _: table(language) + "\n", page)


if __name__ == "__main__":
    for each, name in PAGES.items():
        (ROOT / name).write_text(drawn(each), "utf-8")
