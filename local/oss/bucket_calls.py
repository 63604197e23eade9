"""
Settings of the bucket: lifecycle rules by prefix, with their two actions, and versioning.

Source: https://help.aliyun.com/zh/oss/developer-reference/putbucketlifecycle and .../putbucketversioning
"""

import re
import secrets
from itertools import combinations
from xml.etree.ElementTree import Element

from local.oss import errors
from local.oss.access import authorize
from local.oss.answer import XML, Answer
from local.oss.documents import Children, read_document, write_document
from local.oss.errors import OssError, Refusal, invalid_argument
from local.oss.exchange import Call
from local.oss.lifecycle import LifecycleRule
from local.oss.storing import read_body
from local.oss.versions import ENABLED, SUSPENDED

MOST_RULES = 1000
OVERLAP = "x-oss-allow-same-action-overlap"
KNOWN = {"ID", "Prefix", "Status", "Expiration", "AbortMultipartUpload"}
NO_LIFECYCLE = Refusal(404, "NoSuchLifecycle", "No Row found in Lifecycle Table.")
TAG_AND_PARTS_EC = "0014-00000027"


def put_lifecycle(call: Call) -> Answer:
    """PutBucketLifecycle: these rules in place of all others."""
    request, bucket = call.request, call.bucket
    authorize(request, bucket, "oss:PutBucketLifecycle")
    document = read_document(read_body(call), "LifecycleConfiguration")
    rules = [_rule(element) for element in document]
    if not 1 <= len(rules) <= MOST_RULES or len({rule.id for rule in rules}) < len(rules):
        raise OssError(errors.MALFORMED_XML)
    if request.headers.get(OVERLAP) != "true":
        _check_overlap(rules)
    bucket.lifecycle.replace(rules, bucket.now())
    return Answer()


def get_lifecycle(call: Call) -> Answer:
    """GetBucketLifecycle."""
    authorize(call.request, call.bucket, "oss:GetBucketLifecycle")
    rules = call.bucket.lifecycle.rules
    if not rules:
        raise OssError(NO_LIFECYCLE)
    told: Children = [("Rule", _elements(rule)) for rule in rules]
    body = write_document("LifecycleConfiguration", told, call.bucket.rules)
    return Answer(headers={"Content-Type": XML}, body=body)


def delete_lifecycle(call: Call) -> Answer:
    """DeleteBucketLifecycle: 204, whether there were rules or not."""
    authorize(call.request, call.bucket, "oss:DeleteBucketLifecycle")
    call.bucket.lifecycle.replace((), call.bucket.now())
    return Answer(204)


def _rule(element: Element) -> LifecycleRule:
    names = [child.tag for child in element]
    if "Tag" in names and "AbortMultipartUpload" in names:
        message = "Parts can be matched by prefix only."  # ours
        raise invalid_argument(message, TAG_AND_PARTS_EC, "Tag")
    if set(names) - KNOWN:
        raise OssError(errors.NOT_IMPLEMENTED)
    status, days, abort_days = (
        element.findtext("Status"),
        _days(element, "Expiration"),
        _days(element, "AbortMultipartUpload"),
    )
    if (
        element.tag != "Rule"
        or len(set(names)) < len(names)
        or "Prefix" not in names
        or status not in ("Enabled", "Disabled")
        or days is abort_days is None
    ):
        raise OssError(errors.MALFORMED_XML)
    rule_id = element.findtext("ID") or secrets.token_hex(16)
    return LifecycleRule(rule_id, element.findtext("Prefix", ""), status == "Enabled", days, abort_days)


def _days(element: Element, action: str) -> int | None:
    found = element.find(action)
    if found is None:
        return None
    if [child.tag for child in found] != ["Days"]:
        raise OssError(errors.NOT_IMPLEMENTED)
    text = found.findtext("Days", "")
    if not re.fullmatch("[1-9][0-9]{0,8}", text):
        raise invalid_argument("Days is a positive number.", errors.NO_PUBLIC_EC, "Days", text)
    return int(text)


def _check_overlap(rules: list[LifecycleRule]) -> None:
    for one, other in combinations(rules, 2):
        is_same_action = (one.days and other.days) or (one.abort_days and other.abort_days)
        if is_same_action and (one.prefix.startswith(other.prefix) or other.prefix.startswith(one.prefix)):
            # OSS's own text is in no public page.
            message = "Two rules have overlapping prefixes for one action."
            raise invalid_argument(message, errors.NO_PUBLIC_EC, "Prefix", one.prefix)


def _elements(rule: LifecycleRule) -> Children:
    actions: list[tuple[str, Children]] = [
        (name, [("Days", str(days))])
        for name, days in (("Expiration", rule.days), ("AbortMultipartUpload", rule.abort_days))
        if days is not None
    ]
    status = "Enabled" if rule.is_enabled else "Disabled"
    return [("ID", rule.id), ("Prefix", rule.prefix), ("Status", status), *actions]


def put_versioning(call: Call) -> Answer:
    """PutBucketVersioning: once it was on, it can only be suspended."""
    authorize(call.request, call.bucket, "oss:PutBucketVersioning")
    document = read_document(read_body(call), "VersioningConfiguration")
    status = document.findtext("Status")
    if [child.tag for child in document] != ["Status"] or status not in (ENABLED, SUSPENDED):
        raise OssError(errors.MALFORMED_XML)
    call.bucket.objects.versioning = str(status)
    return Answer()


def get_versioning(call: Call) -> Answer:
    """GetBucketVersioning: without a status while there never was any."""
    authorize(call.request, call.bucket, "oss:GetBucketVersioning")
    status = call.bucket.objects.versioning
    told: Children = [("Status", status)] if status else []
    body = write_document("VersioningConfiguration", told, call.bucket.rules)
    return Answer(headers={"Content-Type": XML}, body=body)
