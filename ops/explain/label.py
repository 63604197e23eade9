"""
Meaning of a label of AI-made content: the JSON of a file (GB 45438-2025), or ``aiLabel`` of the function.
"""

from collections.abc import Mapping
from typing import Any

from ops.terminal.language import Text
from ops.terminal.masking import printable, shown

TITLE = Text(
    "A label of AI-made content: {said} (docs/ai-labels.md)",
    "AI 生成合成内容标识：{said}（docs/ai-labels.zh-CN.md）",
)
NOTHING = Text(
    "looked for, and not found; that does not mean that AI did not make it",
    "查过，没有找到；不等于“不是 AI 生成”",
)
# By number, problem or source.
SAID = {
    "1": Text("AI made it; the notice says “属于”", "属于生成合成内容，按“属于”提示"),
    "2": Text("AI may have made it; the notice says “可能为”", "可能为生成合成内容，按“可能为”提示"),
    "3": Text("AI is suspected; the notice says “疑似”", "疑似生成合成内容，按“疑似”提示"),
    "conflict": Text("the file has labels that contradict each other", "文件里的标识互相矛盾"),
    "unreadable": Text("the file has one that cannot be read", "文件里的标识读不出来"),
    "metadata": Text("other marks of origin only (IPTC, C2PA)", "只有其他来源标记（IPTC、C2PA）"),
}


def label_lines(label: Mapping[str, Any] | None, language: str, *, is_alone: bool = False) -> list[str]:
    """
    Args:
        label: ``None`` where nothing was found.
        is_alone: True where its fields are not shown already.
    """
    texts = [str((label or {}).get(name)) for name in ("label", "Label", "problem", "source")]
    known = (
        NOTHING if label is None else next((SAID[text] for text in texts if text in SAID), SAID["unreadable"])
    )
    fields = label or {} if is_alone else {}
    rows = [f"  {printable(name)} = {shown(name, value, language)}" for name, value in fields.items()]
    return [TITLE.say(language, said=known.say(language)), *rows]
