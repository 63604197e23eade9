"""
Lifecycle rules: they remove unfinished parts, what was held back and never published, and its records.

``PutBucketLifecycle`` replaces all rules: ours go into the document that OSS handed out, which stays whole.
None is on the whole of ``held/``: a record outlives every object that it may be about, and the evidence of
rejections and erasures stays.

Source: https://help.aliyun.com/zh/oss/developer-reference/putbucketlifecycle
"""

import hashlib
from collections.abc import Iterator
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

REMOVED = {
    ABORT: Text("parts of uploads that nobody finished are removed: {days}", "清理没有传完的分片：{days}"),
    EXPIRE: Text(
        f"what waits below {HELD_FOLDER} and is not published is removed: {{days}}; records about it later,"
        f" but for {' and '.join(KEPT)}",
        f"清理 {HELD_FOLDER} 下没有发布的内容：{{days}}；之后清理有关的记录，{'、'.join(KEPT)} 除外",
    ),
}
# Of a rule of others that stands where ours are wanted.
IN_THE_WAY = {
    ABORT: Text(
        "Lifecycle rule {name} of yours on {prefix} ends uploads in parts, and OSS takes no second one for"
        " the same: let it cover {folders}, and leave the {days} days that parts_within lets them take.",
        "你的生命周期规则 {name}（{prefix}）会结束分片上传，OSS 不接受再写一条重叠的："
        "请让它覆盖 {folders}，并留出 parts_within 允许的 {days} 天。",
    ),
    EXPIRE: Text(
        "Lifecycle rule {name} of yours expires objects below {prefix}, and OSS takes no second one for the"
        f" same: what is held back and records below {HELD_FOLDER} have times of their own, and"
        f" {' and '.join(KEPT)} stay. Let yours spare {HELD_FOLDER}, and run setup again.",
        "你的生命周期规则 {name} 会让 {prefix} 过期，OSS 不接受再写一条重叠的；"
        f"{HELD_FOLDER} 下的暂存对象和记录各有自己的期限，{'、'.join(KEPT)} 一直保留。"
        f"请让你的规则排除 {HELD_FOLDER}，再运行一次 setup。",
    ),
}
SOME_KEYS = Text(
    "A lifecycle rule of yours ends stale multipart uploads of some keys only: setup adds none on every key.",
    "你已有的清理分片规则只对部分对象生效，setup 不再添加针对所有对象的。",
)
NO_ID, ANY_KEY = Text("without an ID", "（没有 ID）"), Text("every key", "所有对象")


def lifecycle_steps(desired: DesiredBucket, current: str, notes: list[Text]) -> Iterator[Step]:
    """
    The one call that is still to be made, if any.

    Args:
        current: the document that OSS handed out; empty where there is none.
        notes: gets what the operator should know.
    """
    root = ElementTree.fromstring(current) if current else ElementTree.Element("LifecycleConfiguration")
    count = sum(not any(_is_ours(rule, action) for action in IDS) for rule in root.findall("Rule"))
    # Whoever holds nothing back may expire records that are due.
    of_held = notes if desired.held_folders or desired.keeps_erasures else []
    why = [
        *_put_right(root, ABORT, _unfinished(desired, root, notes), notes),
        *_put_right(root, EXPIRE, wanted(desired), of_held),
    ]
    if why:
        english, chinese = "; ".join(text.en for text in why), "；".join(text.zh for text in why)
        kept = Text(f"{english} ({count} rules of yours stay)", f"{chinese}（保留你已有的 {count} 条规则）")
        parameters = {"bucket": desired.name, "body": ElementTree.tostring(root, encoding="unicode")}
        yield Step("OSS", "PutBucketLifecycle", parameters, kept, desired.region)


def _put_right(
    root: ElementTree.Element, action: str, needed: list[PartedFolder], notes: list[Text]
) -> Iterator[Text]:
    """
    Put our rules of an action into the document; a sentence when that changes it.

    Rules of ours on folders that nobody needs any more stay, for the objects of before.

    Args:
        root: the document that OSS handed out, changed in place.
        notes: gets what the operator should know.
    """
    rules = root.findall("Rule")
    ours = [
        rule
        for rule in rules
        if _is_ours(rule, action) and any(overlaps(rule, folder.name) for folder in needed)
    ]
    others = [rule for rule in rules if rule not in ours and is_on(rule, action)]
    notes += [note for rule in others if (note := _complaint(rule, action, needed))]
    # OSS refuses two rules of one action whose prefixes overlap.
    free = [folder for folder in needed if not any(overlaps(rule, folder.name) for rule in others)]
    made = [_rule(folder, action) for folder in free]
    if not made or sorted(map(_content, ours)) == sorted(map(_content, made)):
        return
    for rule in ours:
        root.remove(rule)
    root.extend(made)
    yield _removed(action, free)


def _unfinished(desired: DesiredBucket, root: ElementTree.Element, notes: list[Text]) -> list[PartedFolder]:
    """Return where unfinished parts end: everywhere in a bucket that we make and nobody else rules."""
    aborting = [rule for rule in root.findall("Rule") if is_on(rule, ABORT)]
    ours = [rule for rule in aborting if _is_ours(rule, ABORT)]
    is_whole = any(not _prefix(rule) for rule in ours) or desired.create
    whole = [PartedFolder("", ABORT_AFTER_DAYS)] if is_whole and ours == aborting else []
    if desired.create and not whole and all(map(_prefix, aborting)):
        notes.append(SOME_KEYS)
    return outermost([*whole, *desired.parted_folders])


def wanted(desired: DesiredBucket) -> list[PartedFolder]:
    if not (held := outermost(desired.held_folders)):
        return [PartedFolder(DUE, RECORD_DAYS)] if desired.has_due_records else []
    longest = max(folder.days for folder in held)
    lives = {f"{RECORDS}{kind}/": longest + RECORD_DAYS for kind in RECORD_KINDS}
    lives |= dict.fromkeys(SHORT_FOLDERS, RECORD_DAYS)
    objects = [PartedFolder(folder.name, folder.days + LATER_DAYS) for folder in held]
    return objects + [PartedFolder(name, lives[name]) for name in sorted(lives)]


def _removed(action: str, folders: list[PartedFolder]) -> Text:
    """Say what our rules do; of records only where nothing else is there."""
    shown = [folder for folder in folders if not folder.name.startswith(RECORDS)] or folders
    return REMOVED[action].filled(
        days=Text(
            ", ".join(f"{folder.name or 'any key'} after {folder.days} days" for folder in shown),
            "、".join(f"{folder.name or '任何对象'} {folder.days} 天后" for folder in shown),
        )
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


def _is_ours(rule: ElementTree.Element, action: str) -> bool:
    return rule.findtext("ID", "").startswith(IDS[action])


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


def _complaint(rule: ElementTree.Element, action: str, needed: list[PartedFolder]) -> Text | None:
    """Return what is wrong with a rule of others, unless it does no harm or does all that ours would."""
    prefix, name = _prefix(rule), rule.findtext("ID")
    touched = [folder for folder in needed if overlaps(rule, folder.name)]
    days = int(rule.findtext(f"{action}/Days") or 0)
    is_enough = rule.find("Tag") is None and rule.find("Filter") is None
    if action == ABORT:
        is_harmless = not touched
        is_enough &= all(folder.name.startswith(prefix) and days >= folder.days for folder in touched)
    else:
        is_harmless = not (touched or any(overlaps(rule, folder) for folder in KEPT))
        is_enough &= touched == [PartedFolder(prefix, days)]
    if is_harmless or is_enough:
        return None
    longest = max((folder.days for folder in touched), default=0)
    folders = ", ".join(folder.name for folder in touched)
    values = {"name": name or NO_ID, "prefix": prefix or ANY_KEY, "folders": folders, "days": longest}
    return IN_THE_WAY[action].filled(**values)
