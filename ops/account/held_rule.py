"""
Lifecycle rules that remove what was held back and never published, and the function's records of it.

There is none on the whole of ``held/``: a record outlives every object that it may be about, and the
evidence of rejections and erasures stays.

Source: https://help.aliyun.com/zh/oss/developer-reference/putbucketlifecycle
"""

import hashlib
from collections.abc import Iterator
from xml.etree import ElementTree

from function.config.key_template import DUE, ERASURES, HELD_FOLDER, RECORDS
from ops.account.bucket import DesiredBucket, PartedFolder, outermost
from ops.terminal.language import Text

RULE_ID = "oss-direct-upload-expire-held"
# Records that live as long as their upload may be asked about, with its clean copy and what is due of it.
RECORD_KINDS = (
    "accepted attempts checks clean cleaned copied decided due fetched labels review verdicts".split()
)
# What a visit of ``doctor`` left.
SHORT_FOLDERS = (f"{RECORDS}doctor/", f"{RECORDS}prove/")
RECORD_DAYS = 8
# The function ends a hold, and tells the business; the bucket's rule comes later, for what it missed.
LATER_DAYS = 1
# Evidence, which no rule ends.
KEPT = (f"{RECORDS}rejected/", ERASURES)


def expire_held(root: ElementTree.Element, desired: DesiredBucket, notes: list[Text]) -> Iterator[Text]:
    """
    Put our rules into the document, or put them right; a sentence when that changes it.

    Args:
        root: the document that OSS handed out, changed in place.
        desired: with its held folders; without any, what was held back before still waits for its rules.
        notes: gets what the operator should know.
    """
    folders, wanted = desired.held_folders, _wanted(desired)
    rules = root.findall("Rule")
    written = [rule for rule in rules if rule.findtext("ID", "").startswith(RULE_ID)]
    ours = [rule for rule in written if folders or rule.findtext("Prefix") == DUE]
    others = [rule for rule in rules if rule not in ours and _expires(rule)]
    if folders or desired.keeps_erasures:
        notes += _about([rule for rule in others if rule not in written], wanted)
    # OSS refuses two rules of one action whose prefixes overlap.
    free = [folder for folder in wanted if not any(_overlaps(rule, folder.name) for rule in others)]
    desired_rules = [_rule(folder) for folder in free]
    if sorted(map(_content, ours)) == sorted(map(_content, desired_rules)):
        return
    for rule in ours:
        root.remove(rule)
    root.extend(desired_rules)
    if any(rule.findtext("Prefix") == HELD_FOLDER for rule in ours):
        yield _NOT_ON_THE_WHOLE
    yield _removed(free)


def shorter_rules(desired: DesiredBucket, current: str) -> list[tuple[PartedFolder, int]]:
    """
    Return each folder that a rule empties too soon, with the days of that rule.

    Args:
        current: the document that OSS handed out; empty where there is none.
    """
    root = ElementTree.fromstring(current) if current else ElementTree.Element("None")
    rules = [rule for rule in root.findall("Rule") if _expires(rule)]
    days = {id(rule): int(rule.findtext("Expiration/Days") or 0) for rule in rules}
    return [
        (folder, days[id(rule)])
        for folder in _wanted(desired)
        for rule in rules
        if 0 < days[id(rule)] < folder.days and _overlaps(rule, folder.name)
    ]


def _wanted(desired: DesiredBucket) -> list[PartedFolder]:
    held = outermost(desired.held_folders)
    return [*(PartedFolder(folder.name, folder.days + LATER_DAYS) for folder in held), *_records(desired)]


def _records(desired: DesiredBucket) -> Iterator[PartedFolder]:
    if not desired.held_folders:
        yield from [PartedFolder(DUE, RECORD_DAYS)] if desired.has_due_records else []
        return
    longest = max(folder.days for folder in desired.held_folders)
    lives = {f"{RECORDS}{kind}/": longest + RECORD_DAYS for kind in RECORD_KINDS}
    lives |= dict.fromkeys(SHORT_FOLDERS, RECORD_DAYS)
    yield from (PartedFolder(name, lives[name]) for name in sorted(lives))


def _removed(folders: list[PartedFolder]) -> Text:
    held = [folder for folder in folders if not folder.name.startswith(RECORDS)]
    english = ", ".join(f"{folder.name} after {folder.days} days" for folder in held or folders)
    chinese = "、".join(f"{folder.name} {folder.days} 天后" for folder in held or folders)
    if not held:
        return Text(f"records of the function end: {english}", f"清理函数的记录：{chinese}")
    return Text(
        f"what is held back and not published is removed: {english}; then the records about it, but for"
        f" {' and '.join(KEPT)}",
        f"清理没有发布的暂存对象：{chinese}；之后清理关于它们的记录，{'、'.join(KEPT)} 除外",
    )


def _expires(rule: ElementTree.Element) -> bool:
    return rule.findtext("Status") == "Enabled" and rule.find("Expiration") is not None


def _overlaps(rule: ElementTree.Element, folder: str) -> bool:
    """Return whether a rule removes something below a folder."""
    prefix = rule.findtext("Prefix") or ""
    spared = [element.text or "" for element in rule.findall("Filter/Not/Prefix")]
    if any(folder.startswith(name) for name in spared if name) and rule.find("Filter/Not/Tag") is None:
        return False
    return folder.startswith(prefix) or prefix.startswith(folder)


def _rule(folder: PartedFolder) -> ElementTree.Element:
    digest = hashlib.sha256(folder.name.encode()).hexdigest()[:8]
    rule = ElementTree.Element("Rule")
    for tag, text in (("ID", f"{RULE_ID}-{digest}"), ("Prefix", folder.name), ("Status", "Enabled")):
        ElementTree.SubElement(rule, tag).text = text
    ElementTree.SubElement(ElementTree.SubElement(rule, "Expiration"), "Days").text = str(folder.days)
    return rule


def _content(rule: ElementTree.Element) -> list[tuple[str, str]]:
    return sorted((element.tag, (element.text or "").strip()) for element in rule.iter())


def _about(theirs: list[ElementTree.Element], wanted: list[PartedFolder]) -> Iterator[Text]:
    for rule in theirs:
        prefix, name = rule.findtext("Prefix") or "", rule.findtext("ID", "")
        touched = [folder for folder in wanted if _overlaps(rule, folder.name)]
        is_plain = rule.find("Tag") is None and rule.find("Filter") is None
        is_same = touched == [PartedFolder(prefix, int(rule.findtext("Expiration/Days") or 0))]
        if (touched or any(_overlaps(rule, name) for name in KEPT)) and not (is_plain and is_same):
            yield Text(
                f"Lifecycle rule {name or 'without an ID'} of yours expires objects below"
                f" {prefix or 'every key'}, and OSS takes no second one for the same: what is held back and"
                f" records below {HELD_FOLDER} have times of their own, and {' and '.join(KEPT)} stay."
                f" Let yours spare {HELD_FOLDER}, and run setup again.",
                f"你的生命周期规则 {name or '（没有 ID）'} 会让 {prefix or '所有对象'} 过期，"
                f"OSS 不接受再写一条重叠的；{HELD_FOLDER} 下的暂存对象和记录各有自己的期限，"
                f"{'、'.join(KEPT)} 一直保留。"
                f"请让你的规则排除 {HELD_FOLDER}，再运行一次 setup。",
            )


_NOT_ON_THE_WHOLE = Text(
    f"the one rule on {HELD_FOLDER} as a whole, which would remove {' and '.join(KEPT)} as well, is replaced"
    " by one for each folder",
    f"原来针对整个 {HELD_FOLDER} 的一条规则会连 {'、'.join(KEPT)} 一起清理，改为每个目录一条",
)
