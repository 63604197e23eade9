"""Counting of what an erasure would find, with the operator's own keys."""

from collections import Counter

from function import context
from function.config.settings import Settings
from function.oss.versions import UPLOADS
from function.owners.erasure_pass import Step, steps_for
from function.sts.credentials import AccessKeys
from ops.account.oss_client import client_at, failure_of
from ops.terminal.language import Text
from ops.terminal.screen import Screen

FOUND = Text(
    "{bucket}: {count} objects, versions, delete markers and unfinished uploads",
    "{bucket}：对象、版本、删除标记和碎片共 {count} 个",
)
OWNER = Text("Counted in the folders of owner {owner}:", "统计的是用户目录 {owner}：")
NOT_COVERED = Text("Not covered, erase yourself: {names}", "不包括这些用途，请自行清除：{names}")


def show_counts(settings: Settings, owner: str, keys: AccessKeys, screen: Screen, language: str) -> None:
    """Show how much there is in each bucket; raise ``Failure`` if OSS refuses or is not reached."""
    has_hooks = context.HOOKS_FILE.is_file()
    profiles = [
        each._replace(key=each.key._replace(has_inner_folders=has_hooks))
        for each in settings.profiles.values()
    ]
    covered = [
        each
        for each in profiles
        if each.key.begins_with_owner and (each.key.has_owned_folders or not has_hooks)
    ]
    counts = Counter[str]()
    for step in steps_for(covered, owner):
        counts[step.location.bucket] += found(step, keys)
    screen.line(OWNER.say(language, owner=owner))
    for bucket, count in counts.items():
        screen.line(FOUND.say(language, bucket=bucket, count=count))
    if others := [each.name for each in profiles if each not in covered]:
        screen.line(NOT_COVERED.say(language, names=", ".join(others)))


def found(step: Step, keys: AccessKeys) -> int:
    """Return how many things a step of the erasure would find; raise as ``show_counts`` does."""
    import alibabacloud_oss_v2 as oss

    bucket, client = step.location.bucket, client_at(step.location, keys)
    try:
        if step.listed == UPLOADS:
            uploads = oss.ListMultipartUploadsRequest(bucket, prefix=step.prefix)
            pages = client.list_multipart_uploads_paginator().iter_page(uploads)
            return sum(len(page.uploads or ()) for page in pages)
        versions = oss.ListObjectVersionsRequest(bucket, prefix=step.prefix)
        pages = client.list_object_versions_paginator().iter_page(versions)
        return sum(len(page.version or ()) + len(page.delete_marker or ()) for page in pages)
    except oss.exceptions.BaseError as error:
        raise failure_of(error, step.location) from None
