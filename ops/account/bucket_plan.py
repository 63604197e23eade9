"""
What must change in a bucket: the bucket itself, one lifecycle rule, and CORS for pages in a browser.

Rules of others are kept whole: ours is added to the document that OSS handed out.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from xml.etree import ElementTree

from ops.account.role_plan import Step
from ops.terminal.language import Text

ABORT_AFTER_DAYS = 7
RULE_ID = "oss-direct-upload-abort-stale-multipart"
CORS_SECONDS = "600"
ALLOW_PUBLIC_ACCESS = (
    "<PublicAccessBlockConfiguration><BlockPublicAccess>false</BlockPublicAccess>"
    "</PublicAccessBlockConfiguration>"
)


@dataclass(frozen=True)
class WantedBucket:
    """
    Args:
        region: region id such as ``cn-hangzhou``.

        create: whether a missing bucket is made, and one that is there gets the lifecycle rule.

        h5_origins: origins whose pages post forms from a browser.

        wants_public_read: names of profiles with ``acl = "public-read"``.

        allow_public_read: whether Block Public Access may be switched off for them.
    """

    name: str
    region: str
    create: bool = False
    h5_origins: tuple[str, ...] = ()
    wants_public_read: tuple[str, ...] = ()
    allow_public_read: bool = False


@dataclass(frozen=True)
class FoundBucket:
    """
    A bucket as OSS describes it.

    Args:
        location: region id with the prefix ``oss-``.

        lifecycle, cors: the XML documents, empty where there is none.
    """

    location: str
    acl: str
    versioning: str
    blocks_public_access: bool
    lifecycle: str = ""
    cors: str = ""


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
    else:
        notes += _notes(wanted, found)
    # What OSS makes through its API begins with Block Public Access on (since 13 October 2025).
    if wanted.wants_public_read and (found is None or found.blocks_public_access):
        if wanted.allow_public_read:
            steps.append(_unblock(wanted))
        else:
            notes.append(_public_read_note(wanted))
    if _may_refuse_the_default_host(wanted.region):
        notes.append(DEFAULT_HOST_NOTE)
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


def _notes(wanted: WantedBucket, found: FoundBucket) -> Iterable[Text]:
    if found.location and found.location.removeprefix("oss-") != wanted.region:
        yield Text(
            f"Bucket {wanted.name} is in {found.location.removeprefix('oss-')}, not in {wanted.region}:"
            " set OSS_REGION to that, or forms will be refused.",
            f"桶 {wanted.name} 在 {found.location.removeprefix('oss-')}，不在 {wanted.region}："
            "请把 OSS_REGION 改为前者，否则表单会被拒绝。",
        )
    if found.acl not in ("", "private"):
        yield Text(
            f"Bucket {wanted.name} is {found.acl}: everybody reads what is uploaded. It is left as it is.",
            f"桶 {wanted.name} 的权限是 {found.acl}：任何人都能读取上传的文件。此处不做更改。",
        )
    if found.versioning in ("Enabled", "Suspended"):
        yield Text(
            f"Versioning is {found.versioning}: OSS then ignores x-oss-forbid-overwrite, and a second upload"
            " of a key becomes its newest version. It is left as it is.",
            f"版本控制为 {found.versioning}：此时 OSS 会忽略 x-oss-forbid-overwrite，"
            "同名再次上传会成为最新版本。此处不做更改。",
        )


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


def _public_read_note(wanted: WantedBucket) -> Text:
    names = ", ".join(f"[{name}]" for name in wanted.wants_public_read)
    return Text(
        f"Block Public Access is on for bucket {wanted.name}, as for every new one: uploads of {names}"
        ' (acl = "public-read") are refused. Use acl = "default" and signed addresses or a CDN, or let'
        " --allow-public-read switch it off.",
        f"桶 {wanted.name} 开启了“阻止公共访问”（新建的桶都是如此）："
        f'{names}（acl = "public-read"）的上传会被拒绝。'
        '请改用 acl = "default" 加签名地址或 CDN；确实要公开，可加 --allow-public-read 关闭它。',
    )


DEFAULT_HOST_NOTE = Text(
    "An account that opened OSS on or after 20 March 2025 gets 400 PublicEndpointForbidden from the default"
    " host of this region: bind a domain to the bucket and set OSS_HOST (docs/deploy.md).",
    "2025 年 3 月 20 日或之后开通 OSS 的账号，用这个地域的默认域名会得到 400 PublicEndpointForbidden："
    "请把域名绑定到桶并设置 OSS_HOST（见 docs/deploy.zh-CN.md）。",
)


def _may_refuse_the_default_host(region: str) -> bool:
    """
    Whether OSS may refuse data through the bucket's own host: mainland China.

    Source: https://www.alibabacloud.com/help/en/oss/user-guide/access-buckets-via-custom-domain-names
    """
    return region.startswith("cn-") and region != "cn-hongkong"


def _root(document: str, name: str) -> ElementTree.Element:
    return ElementTree.fromstring(document) if document else ElementTree.Element(name)
