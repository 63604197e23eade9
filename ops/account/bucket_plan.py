"""
Changes of a bucket: creation, lifecycle rules, and CORS for browser pages.

Rules of others are kept whole: ours is added to the document that OSS handed out.
"""

from collections.abc import Iterable
from xml.etree import ElementTree

from ops.account.bucket import PRIVATE, DesiredBucket, FoundBucket, bucket_notes, public_strip
from ops.account.lifecycle import lifecycle_steps
from ops.account.role_plan import Step
from ops.terminal.language import Failure, Text

CORS_SECONDS = "600"


def bucket_steps(desired: DesiredBucket, found: FoundBucket | None) -> tuple[list[Step], list[Text]]:
    """
    The calls still to be made, and what the operator should know.

    A bucket that is there keeps its ACL, versioning and Block Public Access.

    Raises:
        Failure: profiles with ``strip`` need a private one, and it is not.
    """
    if found is not None and (refused := [*public_strip(desired, found)]):
        raise Failure(*refused)
    if found is None and not desired.create:
        note = Text(
            f"Bucket {desired.name} is not there. --bucket-create makes it (private).",
            f"桶 {desired.name} 不存在。加 --bucket-create 可创建（私有）。",
        )
        return [], [note]
    steps: list[Step] = []
    notes: list[Text] = []
    if found is None:
        parameters = {"bucket": desired.name, "region": desired.region, "acl": PRIVATE}
        why = Text("the bucket uploads go to, private", "存放上传文件的私有桶")
        steps.append(Step("OSS", "PutBucket", parameters, why, desired.region))
    notes += bucket_notes(desired, found)
    steps += lifecycle_steps(desired, found.lifecycle if found else "", notes)
    steps += _cors(desired, found.cors if found else "")
    return steps, notes


def _cors(desired: DesiredBucket, current: str) -> Iterable[Step]:
    root = ElementTree.fromstring(current) if current else ElementTree.Element("CORSConfiguration")
    rules, methods = root.findall("CORSRule"), desired.h5_methods
    admitted = {origin for origin in desired.h5_origins for rule in rules if _admits(rule, origin, methods)}
    missing = [origin for origin in desired.h5_origins if origin not in admitted]
    if not missing:
        return
    rule = ElementTree.Element("CORSRule")
    for name, text in (
        *(("AllowedOrigin", origin) for origin in missing),
        *(("AllowedMethod", method) for method in desired.h5_methods),
        ("AllowedHeader", "*"),
        *(("ExposeHeader", header) for header in ("ETag", "x-oss-request-id")),
        ("MaxAgeSeconds", CORS_SECONDS),
    ):
        ElementTree.SubElement(rule, name).text = text
    root.insert(len(rules), rule)
    why = Text(
        f"pages of {', '.join(missing)} may send files by {' and '.join(desired.h5_methods)}"
        f" ({len(rules)} rules of yours stay); a mini-program needs no CORS",
        f"允许 {', '.join(missing)} 的网页用 {'、'.join(desired.h5_methods)} 上传"
        f"（保留你已有的 {len(rules)} 条规则）；小程序不需要 CORS",
    )
    parameters = {"bucket": desired.name, "body": ElementTree.tostring(root, encoding="unicode")}
    yield Step("OSS", "PutBucketCors", parameters, why, desired.region)


def _admits(rule: ElementTree.Element, origin: str, methods: Iterable[str]) -> bool:
    origins = [element.text for element in rule.findall("AllowedOrigin")]
    allowed = {element.text for element in rule.findall("AllowedMethod")}
    return allowed.issuperset(methods) and (origin in origins or "*" in origins)
