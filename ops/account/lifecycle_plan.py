"""
Lifecycle rules that remove unfinished parts and held objects never published.

``PutBucketLifecycle`` replaces all rules: ours go into the document that OSS handed out, which stays whole.

Source: https://help.aliyun.com/zh/oss/developer-reference/putbucketlifecycle
"""

import hashlib
from collections.abc import Iterable, Iterator
from xml.etree import ElementTree

from ops.account.bucket import DesiredBucket, PartedFolder, outermost
from ops.account.held_rule import expire_held
from ops.account.role_plan import Step
from ops.terminal.language import Text

# Longer than any ticket of an upload in parts lives.
ABORT_AFTER_DAYS = 7
RULE_ID = "oss-direct-upload-abort-stale-multipart"
ROOT = "LifecycleConfiguration"


def lifecycle_steps(desired: DesiredBucket, current: str, notes: list[Text]) -> Iterator[Step]:
    """
    The one call that is still to be made, if any.

    Args:
        current: the document that OSS handed out; empty where there is none.
        notes: gets what the operator should know.
    """
    root = ElementTree.fromstring(current) if current else ElementTree.Element(ROOT)
    rules = root.findall("Rule")
    aborting = [rule for rule in rules if _aborts(rule)]
    changed = [
        *_lengthen(aborting, desired.parted_folders, notes),
        *_add(root, _missing(desired, aborting, notes)),
    ]
    why = [*_removed_parts(changed), *expire_held(root, desired, notes)]
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
            if rule.findtext("ID", "").startswith(RULE_ID):
                days.text = str(folder.days)
                yield PartedFolder(_prefix(rule), folder.days)
            else:
                notes.append(_short_note(folder, rule.findtext("ID", ""), days.text or ""))


def _add(root: ElementTree.Element, missing: Iterable[PartedFolder]) -> Iterator[PartedFolder]:
    for folder in missing:
        name = _rule_id(folder.name)
        # One of ours that somebody disabled: two rules of one id are refused.
        for disabled in [rule for rule in root.findall("Rule") if rule.findtext("ID") == name]:
            root.remove(disabled)
        rule = ElementTree.SubElement(root, "Rule")
        for tag, text in (("ID", name), ("Prefix", folder.name), ("Status", "Enabled")):
            ElementTree.SubElement(rule, tag).text = text
        abort = ElementTree.SubElement(rule, "AbortMultipartUpload")
        ElementTree.SubElement(abort, "Days").text = str(folder.days)
        yield folder


def _rule_id(folder: str) -> str:
    # A folder may have letters that no id has.
    digest = hashlib.sha256(folder.encode()).hexdigest()[:8]
    return f"{RULE_ID}-{digest}" if folder else RULE_ID


def _aborts(rule: ElementTree.Element) -> bool:
    return rule.findtext("Status") == "Enabled" and rule.find("AbortMultipartUpload") is not None


def _covers(rule: ElementTree.Element, folder: str) -> bool:
    """Return whether a rule is about every key of a folder; of the empty one, about every key."""
    return folder.startswith(_prefix(rule)) and rule.find("Tag") is None and rule.find("Filter") is None


def _prefix(rule: ElementTree.Element) -> str:
    return rule.findtext("Prefix") or ""


def _removed_parts(changed: list[PartedFolder]) -> Iterator[Text]:
    english = ", ".join(f"{folder.name or 'any key'} after {folder.days} days" for folder in changed)
    chinese = "、".join(f"{folder.name or '任何对象'} {folder.days} 天后" for folder in changed)
    if changed:
        yield Text(
            f"parts of uploads that nobody finished are removed: {english}",
            f"清理没有传完的分片：{chinese}",
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
