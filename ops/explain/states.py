"""States of an upload, in words."""

from ops.terminal.language import Text

STATES = {
    "held": Text(
        "it waits below held/, and nobody sees it until its steps have happened",
        "它暂存在 held/ 之下，各个步骤做完之前谁也看不到",
    ),
    "checking": Text(
        "a checker looks at it, WeChat for up to half an hour; nobody else sees it before",
        "正在审核，微信最多半小时；在那之前谁也看不到",
    ),
    "review": Text(
        'the check leaves it to a human: a backend ends that with /commit and a "decision"',
        "需要人工审核：后端用 /commit 加 “decision” 决定",
    ),
    "published": Text("it is published under its key", "已发布在它的 key 之下"),
    "rejected": Text("it was rejected, and its bytes are deleted", "没有通过，内容已删除"),
    "gone": Text(
        "it is gone: discarded, never there, or not published in time",
        "已经没有了：被丢弃了、从来没有过，或者到期没有发布",
    ),
}
