"""
Lifecycle rules: they remove unfinished parts, what was held back and never published, and its records.

``PutBucketLifecycle`` replaces all rules: ours go into the document that OSS handed out, which stays whole.
None is on the whole of ``held/``: a record outlives every object that it may be about, and the evidence of
rejections and erasures stays.

Source: https://help.aliyun.com/zh/oss/developer-reference/putbucketlifecycle
"""

import hashlib
from collections.abc import Iterable, Iterator
from xml.etree import ElementTree

from function.config.key_template import DUE, ERASURES, HELD_FOLDER, RECORDS
from ops.account.bucket import DesiredBucket, PartedFolder, outermost
from ops.account.role_plan import Step
from ops.terminal.language import Text

ABORT, EXPIRE = "AbortMultipartUpload", "Expiration"
# How the ID of each of our rules begins.
IDS = {ABORT: "oss-direct-upload-abort-stale-multipart", EXPIRE: "oss-direct-upload-expire-held"}
# Longer than any ticket of an upload in parts lives.
ABORT_AFTER_DAYS = 7
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

_NOT_ON_THE_WHOLE = Text(
    f"the one rule on {HELD_FOLDER} as a whole, which would remove {' and '.join(KEPT)} as well, is replaced"
    " by one for each folder",
    f"原来针对整个 {HELD_FOLDER} 的一条规则会连 {'、'.join(KEPT)} 一起清理，改为每个目录一条",
)


def lifecycle_steps(desired: DesiredBucket, current: str, notes: list[Text]) -> Iterator[Step]:
    """
    The one call that is still to be made, if any.

    Args:
        current: the document that OSS handed out; empty where there is none.
        notes: gets what the operator should know.
    """
    root = ElementTree.fromstring(current) if current else ElementTree.Element("LifecycleConfiguration")
    rules = root.findall("Rule")
    aborting = [rule for rule in rules if is_on(rule, ABORT)]
    changed = [
        *_lengthen(aborting, desired.parted_folders, notes),
        *_add(root, _missing(desired, aborting, notes)),
    ]
    why = [*([_removed_parts(changed)] if changed else []), *_expire_held(root, desired, notes)]
    if why:
        parameters = {"bucket": desired.name, "body": ElementTree.tostring(root, encoding="unicode")}
        yield Step("OSS", "PutBucketLifecycle", parameters, _why(why, len(rules)), desired.region)


def _missing(
    desired: DesiredBucket, aborting: list[ElementTree.Element], notes: list[Text]
) -> Iterator[PartedFolder]:
    """Return the prefixes that no rule aborts yet, with their days."""
    if desired.create and not aborting:
        yield PartedFolder("", ABORT_AFTER_DAYS)
        return
    # OSS refuses two rules of one action whose prefixes overlap.
    if desired.create and not any(_covers(rule, "") for rule in aborting):
        notes.append(
            Text(
                "A lifecycle rule of yours ends stale multipart uploads of some keys only.",
                "你已有的清理分片规则只对部分对象生效。",
            )
        )
    for folder in outermost(desired.parted_folders):
        if any(_covers(rule, folder.name) for rule in aborting):
            continue
        if inner := [_prefix(rule) for rule in aborting if _prefix(rule).startswith(folder.name)]:
            notes.append(_overlap_note(folder.name, inner[0]))
            continue
        yield folder


def _lengthen(
    aborting: list[ElementTree.Element], folders: Iterable[PartedFolder], notes: list[Text]
) -> Iterator[PartedFolder]:
    """Rules that end uploads which may still go on: ours are changed, of others the operator is told."""
    for folder in folders:
        for rule in aborting:
            days = rule.find("AbortMultipartUpload/Days")
            if days is None or not _covers(rule, folder.name) or int(days.text or 0) >= folder.days:
                continue
            if rule.findtext("ID", "").startswith(IDS[ABORT]):
                days.text = str(folder.days)
                yield PartedFolder(_prefix(rule), folder.days)
            else:
                notes.append(_short_note(folder, rule.findtext("ID", ""), days.text or ""))


def _add(root: ElementTree.Element, missing: Iterable[PartedFolder]) -> Iterator[PartedFolder]:
    for folder in missing:
        rule = _rule(folder, ABORT)
        # One of ours that somebody disabled: two rules of one id are refused.
        for disabled in [each for each in root.findall("Rule") if each.findtext("ID") == rule.findtext("ID")]:
            root.remove(disabled)
        root.append(rule)
        yield folder


def _expire_held(root: ElementTree.Element, desired: DesiredBucket, notes: list[Text]) -> Iterator[Text]:
    """
    Put our rules into the document, or put them right; a sentence when that changes it.

    Args:
        root: the document that OSS handed out, changed in place.
        desired: with its held folders; without any, what was held back before still waits for its rules.
        notes: gets what the operator should know.
    """
    folders, needed = desired.held_folders, wanted(desired)
    rules = root.findall("Rule")
    written = [rule for rule in rules if rule.findtext("ID", "").startswith(IDS[EXPIRE])]
    ours = [rule for rule in written if folders or rule.findtext("Prefix") == DUE]
    others = [rule for rule in rules if rule not in ours and is_on(rule, EXPIRE)]
    if folders or desired.keeps_erasures:
        notes += _about([rule for rule in others if rule not in written], needed)
    # OSS refuses two rules of one action whose prefixes overlap.
    free = [folder for folder in needed if not any(overlaps(rule, folder.name) for rule in others)]
    desired_rules = [_rule(folder, EXPIRE) for folder in free]
    if sorted(map(_content, ours)) == sorted(map(_content, desired_rules)):
        return
    for rule in ours:
        root.remove(rule)
    root.extend(desired_rules)
    if any(rule.findtext("Prefix") == HELD_FOLDER for rule in ours):
        yield _NOT_ON_THE_WHOLE
    yield _removed(free)


def wanted(desired: DesiredBucket) -> list[PartedFolder]:
    if not (held := outermost(desired.held_folders)):
        return [PartedFolder(DUE, RECORD_DAYS)] if desired.has_due_records else []
    longest = max(folder.days for folder in held)
    lives = {f"{RECORDS}{kind}/": longest + RECORD_DAYS for kind in RECORD_KINDS}
    lives |= dict.fromkeys(SHORT_FOLDERS, RECORD_DAYS)
    objects = [PartedFolder(folder.name, folder.days + LATER_DAYS) for folder in held]
    return objects + [PartedFolder(name, lives[name]) for name in sorted(lives)]


def _removed(folders: list[PartedFolder]) -> Text:
    held = [folder for folder in folders if not folder.name.startswith(RECORDS)]
    days = _days(held or folders)
    if not held:
        return Text(f"records of the function end: {days.en}", f"清理函数的记录：{days.zh}")
    return Text(
        f"what is held back and not published is removed: {days.en}; then the records about it, but for"
        f" {' and '.join(KEPT)}",
        f"清理没有发布的暂存对象：{days.zh}；之后清理关于它们的记录，{'、'.join(KEPT)} 除外",
    )


def _removed_parts(folders: list[PartedFolder]) -> Text:
    days = _days(folders)
    return Text(
        f"parts of uploads that nobody finished are removed: {days.en}", f"清理没有传完的分片：{days.zh}"
    )


def _days(folders: list[PartedFolder]) -> Text:
    return Text(
        ", ".join(f"{folder.name or 'any key'} after {folder.days} days" for folder in folders),
        "、".join(f"{folder.name or '任何对象'} {folder.days} 天后" for folder in folders),
    )


def is_on(rule: ElementTree.Element, action: str) -> bool:
    return rule.findtext("Status") == "Enabled" and rule.find(action) is not None


def overlaps(rule: ElementTree.Element, folder: str) -> bool:
    """Return whether a rule removes something below a folder."""
    prefix = _prefix(rule)
    spared = [element.text or "" for element in rule.findall("Filter/Not/Prefix")]
    if any(folder.startswith(name) for name in spared if name) and rule.find("Filter/Not/Tag") is None:
        return False
    return folder.startswith(prefix) or prefix.startswith(folder)


def _covers(rule: ElementTree.Element, folder: str) -> bool:
    """Return whether a rule is about every key of a folder; of the empty one, about every key."""
    return folder.startswith(_prefix(rule)) and rule.find("Tag") is None and rule.find("Filter") is None


def _prefix(rule: ElementTree.Element) -> str:
    return rule.findtext("Prefix") or ""


def _rule(folder: PartedFolder, action: str) -> ElementTree.Element:
    # A folder may have letters that no ID has.
    digest = hashlib.sha256(folder.name.encode()).hexdigest()[:8]
    name = f"{IDS[action]}-{digest}" if folder.name else IDS[action]
    rule = ElementTree.Element("Rule")
    for tag, text in (("ID", name), ("Prefix", folder.name), ("Status", "Enabled")):
        ElementTree.SubElement(rule, tag).text = text
    ElementTree.SubElement(ElementTree.SubElement(rule, action), "Days").text = str(folder.days)
    return rule


def _content(rule: ElementTree.Element) -> list[tuple[str, str]]:
    return sorted((element.tag, (element.text or "").strip()) for element in rule.iter())


def _about(theirs: list[ElementTree.Element], needed: list[PartedFolder]) -> Iterator[Text]:
    for rule in theirs:
        prefix, name = _prefix(rule), rule.findtext("ID", "")
        touched = [folder for folder in needed if overlaps(rule, folder.name)]
        is_plain = rule.find("Tag") is None and rule.find("Filter") is None
        is_same = touched == [PartedFolder(prefix, int(rule.findtext("Expiration/Days") or 0))]
        if (touched or any(overlaps(rule, name) for name in KEPT)) and not (is_plain and is_same):
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


def _why(changes: list[Text], kept: int) -> Text:
    english, chinese = "; ".join(text.en for text in changes), "；".join(text.zh for text in changes)
    return Text(f"{english} ({kept} rules of yours stay)", f"{chinese}（保留你已有的 {kept} 条规则）")


def _short_note(folder: PartedFolder, name: str, days: str) -> Text:
    return Text(
        f"Lifecycle rule {name or 'without an ID'} of yours ends uploads in parts below {folder.name} after"
        f" {days} days, and parts_within lets them take {folder.days}: make it longer.",
        f"你的生命周期规则 {name or '（没有 ID）'} 会在 {days} 天后结束 {folder.name} 下的分片上传，"
        f"而 parts_within 允许 {folder.days} 天：请把规则改长。",
    )


def _overlap_note(folder: str, prefix: str) -> Text:
    return Text(
        f"Nothing removes unfinished parts below {folder}: OSS takes no rule for it beside yours on {prefix}."
        f" Let yours cover {folder}.",
        f"{folder} 下未完成的分片没有规则清理：你已有针对 {prefix} 的规则，OSS 不接受两条重叠的。"
        f"请让你的规则覆盖 {folder}。",
    )
