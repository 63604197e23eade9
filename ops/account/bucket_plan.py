"""
What must change in a bucket: the bucket itself, one lifecycle rule, and CORS for pages in a browser.

Rules of others are kept whole: ours is added to the document that OSS handed out.
"""

from collections.abc import Iterable
from xml.etree import ElementTree

from ops.account.bucket import FoundBucket, WantedBucket
from ops.account.bucket_notes import bucket_notes, must_unblock
from ops.account.role_plan import Step
from ops.terminal.language import Text

ABORT_AFTER_DAYS = 7
RULE_ID = "oss-direct-upload-abort-stale-multipart"
CORS_SECONDS = "600"
ALLOW_PUBLIC_ACCESS = (
    "<PublicAccessBlockConfiguration><BlockPublicAccess>false</BlockPublicAccess>"
    "</PublicAccessBlockConfiguration>"
)


def bucket_steps(wanted: WantedBucket, found: FoundBucket | None) -> tuple[list[Step], list[Text]]:
    """
    The calls still to be made, and what the operator should know.

    A bucket that is there keeps its ACL, versioning and Block Public Access.
    """
    if found is None and not wanted.create:
        note = Text(
            f"Bucket {wanted.name} is not there. --bucket-create makes it (private).",
            f"桶 {wanted.name} 不存在。加 --bucket-create 可创建（私有）。",
        )
        return [], [note]
    steps: list[Step] = []
    notes: list[Text] = []
    if found is None:
        parameters = {"bucket": wanted.name, "region": wanted.region, "acl": "private"}
        steps.append(
            Step(
                "OSS",
                "PutBucket",
                parameters,
                Text("the bucket uploads go to, private", "存放上传文件的私有桶"),
            )
        )
    notes += bucket_notes(wanted, found)
    if wanted.allow_public_read and must_unblock(wanted, found):
        steps.append(_unblock(wanted))
    if wanted.create:
        steps += _lifecycle(wanted, found.lifecycle if found else "", notes)
    steps += _cors(wanted, found.cors if found else "")
    return steps, notes


def _lifecycle(wanted: WantedBucket, current: str, notes: list[Text]) -> Iterable[Step]:
    root = _root(current, "LifecycleConfiguration")
    rules = root.findall("Rule")
    aborting = [rule for rule in rules if _aborts(rule)]
    if aborting:
        # OSS refuses two rules of one action whose prefixes overlap, and ours covers every prefix.
        if not any(_covers_all(rule) for rule in aborting):
            notes.append(
                Text(
                    "A lifecycle rule of yours ends stale multipart uploads of some keys only.",
                    "你已有的清理分片规则只对部分对象生效。",
                )
            )
        return
    rule = ElementTree.SubElement(root, "Rule")
    for name, text in (("ID", RULE_ID), ("Prefix", ""), ("Status", "Enabled")):
        ElementTree.SubElement(rule, name).text = text
    abort = ElementTree.SubElement(rule, "AbortMultipartUpload")
    ElementTree.SubElement(abort, "Days").text = str(ABORT_AFTER_DAYS)
    yield Step(
        "OSS",
        "PutBucketLifecycle",
        {"bucket": wanted.name, "body": ElementTree.tostring(root, encoding="unicode")},
        Text(
            f"parts of multipart uploads that nobody finished are removed after {ABORT_AFTER_DAYS} days"
            f" ({len(rules)} rules of yours stay)",
            f"{ABORT_AFTER_DAYS} 天后清理未完成的分片（保留你已有的 {len(rules)} 条规则）",
        ),
    )


def _aborts(rule: ElementTree.Element) -> bool:
    return rule.findtext("Status") == "Enabled" and rule.find("AbortMultipartUpload") is not None


def _covers_all(rule: ElementTree.Element) -> bool:
    return not rule.findtext("Prefix") and rule.find("Tag") is None and rule.find("Filter") is None


def _cors(wanted: WantedBucket, current: str) -> Iterable[Step]:
    root = _root(current, "CORSConfiguration")
    rules = root.findall("CORSRule")
    missing = [
        origin for origin in wanted.h5_origins if not any(_admits_posts(rule, origin) for rule in rules)
    ]
    if not missing:
        return
    rule = ElementTree.Element("CORSRule")
    entries = [("AllowedOrigin", origin) for origin in missing]
    entries += [("AllowedMethod", "POST"), ("AllowedHeader", "*")]
    entries += [
        ("ExposeHeader", "ETag"),
        ("ExposeHeader", "x-oss-request-id"),
        ("MaxAgeSeconds", CORS_SECONDS),
    ]
    for name, text in entries:
        ElementTree.SubElement(rule, name).text = text
    root.insert(len(rules), rule)
    yield Step(
        "OSS",
        "PutBucketCors",
        {"bucket": wanted.name, "body": ElementTree.tostring(root, encoding="unicode")},
        Text(
            f"pages of {', '.join(missing)} may post forms ({len(rules)} rules of yours stay);"
            " a mini-program needs no CORS",
            f"允许 {', '.join(missing)} 的网页提交表单（保留你已有的 {len(rules)} 条规则）；"
            "小程序不需要 CORS",
        ),
    )


def _admits_posts(rule: ElementTree.Element, origin: str) -> bool:
    origins = [element.text for element in rule.findall("AllowedOrigin")]
    methods = [element.text for element in rule.findall("AllowedMethod")]
    return "POST" in methods and (origin in origins or "*" in origins)


def _unblock(wanted: WantedBucket) -> Step:
    names = ", ".join(f"[{name}]" for name in wanted.wants_public_read)
    return Step(
        "OSS",
        "PutBucketPublicAccessBlock",
        {"bucket": wanted.name, "body": ALLOW_PUBLIC_ACCESS},
        Text(
            f"Block Public Access goes off, so that everybody may read what {names} stores",
            f"关闭“阻止公共访问”，让任何人都能读取 {names} 存入的文件",
        ),
    )


def _root(document: str, name: str) -> ElementTree.Element:
    return ElementTree.fromstring(document) if document else ElementTree.Element(name)
