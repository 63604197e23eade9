"""
Meaning of a label of AI-made content: the JSON of a file (GB 45438-2025), or ``aiLabel`` of the function.
"""

from collections.abc import Mapping
from typing import Any

from ops.explain.pasted import PastedLabel
from ops.terminal.language import Text
from ops.terminal.masking import printable, shown

TITLE = Text("A label of AI-made content: {said}", "AI 生成合成内容标识：{said}")
PAGE = Text("  docs/ai-labels.md says more", "  详见 docs/ai-labels.zh-CN.md")
SAID = {
    1: Text("it is made by AI; the notice says “属于”", "属于生成合成内容，按“属于”提示"),
    2: Text("it may be made by AI; the notice says “可能为”", "可能为生成合成内容，按“可能为”提示"),
    3: Text("it is suspected to be; the notice says “疑似”", "疑似生成合成内容，按“疑似”提示"),
}
PROBLEMS = {
    "conflict": Text("the file has labels that contradict each other", "文件里的标识互相矛盾"),
    "unreadable": Text("the file has a label that cannot be read", "文件里的标识读不出来"),
}
NOTHING = Text(
    "examined, nothing found; that does not mean that AI did not make it",
    "查过，没有找到；不等于“不是 AI 生成”",
)
MARKS = Text(
    "none, only other marks of origin (IPTC, C2PA), which are no label of the rule",
    "没有，只有其他来源标记（IPTC、C2PA），不是规定里的标识",
)
SOURCES = {
    "metadata": Text("the file says so, which anybody can forge", "文件里写的，谁都能伪造"),
    "declared": Text("its uploader declared it", "上传者声明的"),
    "reviewed": Text("a reviewer said so", "审核人员标注的"),
}


def label_lines(pasted: PastedLabel, language: str) -> list[str]:
    label = pasted.label
    lines = [TITLE.say(language, said=_said(label).say(language))]
    if label is not None and (source := SOURCES.get(str(label.get("source")))) and _number(label):
        lines.append(f"  {source.say(language)}")
    if pasted.is_alone and label:
        lines += [f"  {printable(name)} = {shown(name, value, language)}" for name, value in label.items()]
    return [*lines, PAGE.say(language)]


def _number(label: Mapping[str, Any]) -> int | None:
    """Return 1, 2 or 3; the standard writes a text."""
    return next(
        (known for known in SAID if str(known) in (str(label.get(name)) for name in ("label", "Label"))), None
    )


def _said(label: Mapping[str, Any] | None) -> Text:
    if label is None:
        return NOTHING
    if number := _number(label):
        return SAID[number]
    return (
        MARKS
        if label.get("source") == "metadata"
        else PROBLEMS.get(str(label.get("problem")), PROBLEMS["unreadable"])
    )
