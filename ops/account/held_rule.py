"""
The lifecycle rule that removes what was held back and never published, with the function's records of it.

Source: https://help.aliyun.com/zh/oss/developer-reference/putbucketlifecycle
"""

from collections.abc import Iterator
from xml.etree import ElementTree

from function.config.key_template import HELD_FOLDER
from ops.terminal.language import Text

RULE_ID = "oss-direct-upload-expire-held"


def expire_held(root: ElementTree.Element, days: int, notes: list[Text]) -> Iterator[Text]:
    """
    Put our rule into the document, or put it right; a sentence when that changes it.

    Args:
        root: the document that OSS handed out, changed in place.

        days: that the longest-held may wait; 0 where nothing is held back, and then nothing changes: what was
            held back before still waits for its rule.

        notes: gets what the operator should know.
    """
    if not days:
        return
    ours = [rule for rule in root.findall("Rule") if rule.findtext("ID") == RULE_ID]
    theirs = [rule for rule in root.findall("Rule") if rule not in ours and _expires_some(rule)]
    # OSS refuses two rules of one action whose prefixes overlap.
    if theirs:
        notes += _about(theirs, days)
        return
    desired = _rule(days)
    if [_content(rule) for rule in ours] == [_content(desired)]:
        return
    for rule in ours:
        root.remove(rule)
    root.append(desired)
    yield Text(
        f"what is held back and not published is removed: {HELD_FOLDER} after {days} days",
        f"清理没有发布的暂存对象：{HELD_FOLDER} {days} 天后",
    )


def _expires_some(rule: ElementTree.Element) -> bool:
    """Return whether a rule removes something of what is held back."""
    prefix = rule.findtext("Prefix") or ""
    overlaps = HELD_FOLDER.startswith(prefix) or prefix.startswith(HELD_FOLDER)
    spared = [element.text or "" for element in rule.findall("Filter/Not/Prefix")]
    if any(HELD_FOLDER.startswith(name) for name in spared if name) and rule.find("Filter/Not/Tag") is None:
        return False
    return overlaps and rule.findtext("Status") == "Enabled" and rule.find("Expiration") is not None


def _rule(days: int) -> ElementTree.Element:
    rule = ElementTree.Element("Rule")
    for tag, text in (("ID", RULE_ID), ("Prefix", HELD_FOLDER), ("Status", "Enabled")):
        ElementTree.SubElement(rule, tag).text = text
    ElementTree.SubElement(ElementTree.SubElement(rule, "Expiration"), "Days").text = str(days)
    return rule


def _content(rule: ElementTree.Element) -> list[tuple[str, str]]:
    return sorted((element.tag, (element.text or "").strip()) for element in rule.iter())


def _about(theirs: list[ElementTree.Element], days: int) -> Iterator[Text]:
    for rule in theirs:
        prefix, name = rule.findtext("Prefix") or "", rule.findtext("ID", "")
        whole = HELD_FOLDER.startswith(prefix) and rule.find("Tag") is None and rule.find("Filter") is None
        if not whole or rule.findtext("Expiration/Days") != str(days):
            yield Text(
                f"Lifecycle rule {name or 'without an ID'} of yours expires objects below"
                f" {prefix or 'every key'}, and OSS takes no second one for {HELD_FOLDER}: what is held back"
                f" should be removed after {days} days. Let yours spare {HELD_FOLDER}, and run setup again.",
                f"你的生命周期规则 {name or '（没有 ID）'} 会让 {prefix or '所有对象'} 过期，"
                f"OSS 不接受再为 {HELD_FOLDER} 写一条；暂存的对象应在 {days} 天后清理。"
                f"请让你的规则排除 {HELD_FOLDER}，再运行一次 setup。",
            )
