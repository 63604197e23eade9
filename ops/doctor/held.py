"""
The check of ``doctor`` on what is held back: that it can be published and deleted, that the first decision
about it stays the only one, and that it does not wait for ever.
"""

import re
import secrets
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from function.config.key_template import CLEAN, RECORDS, published_name
from function.config.profile import Profile
from function.config.settings import Settings
from function.errors import AlreadyExists, OssRejected, UploadError
from function.http.client import send
from function.oss.client import BUDGET_SECONDS, OssClient, budget, call
from function.oss.objects import copy_object, delete_object, head_object, process_object, put_record
from function.sts.credentials import AccessKeys, StsCredentials
from function.sts.session_policy import OBJECTS
from ops.account.held_rule import LATER_DAYS
from ops.doctor.findings import Finding, State, logged
from ops.doctor.identity import assume, sts_remedy
from ops.terminal.language import Text


def new_record() -> str:
    """The name of a record of this visit; where it is left, it expires with what is held back."""
    return f"{RECORDS}doctor/{secrets.token_hex(8)}"


def check_held(
    settings: Settings, profile: Profile, key: str, record: str, keys: AccessKeys, now: datetime
) -> Finding:
    """
    Publish what was uploaded, as the function does, and delete it under both names.

    Args:
        key: where it waits.
        record: where one may be left, for these keys as well.
    """
    check = Text(f"Hold [{profile.name}]", f"暂存 [{profile.name}]")
    try:
        credentials = assume(settings, OBJECTS, keys, now)
    except UploadError as error:
        return Finding(check, State.BAD, logged(error), sts_remedy(error))
    oss = client_of(settings, credentials, now)
    try:
        rule, ends = _rule_of(oss, key)
        is_first_kept = keeps_the_first(oss, record)
        rule_of_records, _ = _rule_of(oss, record)
        if profile.strip and (problem := _why_not_cleaned(oss, key)):
            return Finding(check, State.BAD, *problem)
        _publish_and_delete(oss, profile, key)
    except UploadError as error:
        return Finding(check, State.BAD, logged(error), _SET_UP_AGAIN)
    if not is_first_kept:
        return Finding(check, State.BAD, _WRITTEN_TWICE, _NO_VERSIONS)
    if not rule:
        return Finding(check, State.BAD, _WAITS_FOR_EVER, _WRITE_THE_RULE)
    if rule == rule_of_records:
        return Finding(check, State.BAD, _ONE_RULE, _A_RULE_FOR_EACH)
    if ends is not None and ends < now + timedelta(days=profile.hold_days + LATER_DAYS):
        return Finding(check, State.BAD, _TOO_EARLY, _WRITE_THE_RULE)
    return Finding(
        check, State.GOOD, Text("published, deleted, and gone in time", "能发布、能删除，到期清理")
    )


def _rule_of(oss: OssClient, key: str) -> tuple[str, datetime | None]:
    """Return the id of the lifecycle rule that will remove an object, and when; an empty id if none will."""
    headers = call(oss, "HeadObject", "HEAD", key, is_repeatable=True).headers
    expiration = headers.get("x-oss-expiration", "")
    match = re.fullmatch('expiry-date="(.*)", rule-id="(.*)"', expiration)
    if match is None:
        return expiration, None
    try:
        return match[2], parsedate_to_datetime(match[1]).astimezone(UTC)
    except (ValueError, OverflowError):
        return match[2], None


def client_of(settings: Settings, credentials: StsCredentials, now: datetime) -> OssClient:
    """Return a client for the bucket, as the function has it."""
    # This machine may not reach the internal host that the function asks.
    return OssClient(
        bucket=settings.bucket,
        region=settings.region,
        endpoint=settings.host,
        credentials=credentials,
        now=now,
        send=send,
        seconds_left=budget(),
    )


def keeps_the_first(oss: OssClient, record: str) -> bool:
    """Return whether of two records of one name the second is refused, as decisions rely on."""
    put_record(oss, record, b"{}", forbid_overwrite=True)
    try:
        put_record(oss, record, b"{}", forbid_overwrite=True)
    except AlreadyExists:
        return True
    return False


def _why_not_cleaned(oss: OssClient, key: str) -> tuple[Text, Text] | None:
    """Return what keeps OSS from making clean copies, or shows them to everybody, and the remedy."""
    target = f"{CLEAN}doctor-{secrets.token_hex(8)}"
    try:
        process_object(oss, key, target, "image/auto-orient,1/format,png")
    except OssRejected as error:
        if error.upstream == "AccessDenied":
            return _NO_PROCESSING, _SET_UP_AGAIN
        raise
    # What is held may be no picture; this has the bucket's ACL, as a copy has at first.
    call(oss, "PutObject", "PUT", target, body=b".", is_repeatable=True)
    status = send("GET", f"{oss.endpoint}/{target}", budget_seconds=BUDGET_SECONDS, max_bytes=0).status
    delete_object(oss, target)
    return (_SHOWN, _MAKE_IT_PRIVATE) if status == 200 else None


def _publish_and_delete(oss: OssClient, profile: Profile, key: str) -> None:
    facts = head_object(oss, key)
    if facts is not None:
        published = published_name(key)
        copy_object(oss, key, published, acl="private", source_etag=facts.etag)
        delete_object(oss, published)
        delete_object(oss, key)


_SHOWN = Text(
    "everybody can read a copy as OSS makes it, which has the bucket's ACL: strip needs a private bucket",
    "OSS 生成的副本权限随桶，现在任何人都能读取：strip 需要私有的桶",
)
_MAKE_IT_PRIVATE = Text("Set the bucket's ACL to private.", "请把桶的权限改为私有。")
_NO_PROCESSING = Text(
    "oss:PostProcessTask is missing, which strip = true needs: no clean copy can be made",
    "缺少 strip = true 需要的权限 oss:PostProcessTask：无法生成去掉元数据的副本",
)
_WRITTEN_TWICE = Text("a record could be written twice", "同一条记录写成了两次")
_NO_VERSIONS = Text(
    "OSS ignores x-oss-forbid-overwrite where versioning is on, so two decisions about one object might both"
    " count: use a bucket without versioning.",
    "开启版本控制时 OSS 会忽略 x-oss-forbid-overwrite，对同一个对象的两个决定可能都算数："
    "请用没有版本控制的桶。",
)
_WAITS_FOR_EVER = Text("nothing removes what is never published", "没有规则清理一直不发布的对象")
_WRITE_THE_RULE = Text(
    "The lifecycle rules below held/ are missing, or older than profiles.toml: run manage.py setup again.",
    "held/ 之下的生命周期规则缺失，或早于现在的 profiles.toml：请再运行一次 manage.py setup。",
)
_TOO_EARLY = Text(
    "the rule removes it less than a day after hold_days are over, and the function must end it first",
    "hold_days 到期后不足一天，规则就会清理：应当由函数先结束",
)
_ONE_RULE = Text(
    "one lifecycle rule removes held objects and records alike, those of rejections as well",
    "同一条生命周期规则会清理暂存的对象和记录，未通过的记录也会被清理",
)
_A_RULE_FOR_EACH = Text(
    "Run manage.py setup again: it replaces its own older rule on held/ by one for each folder. Let a rule of"
    " yours spare held/.",
    "请再运行一次 manage.py setup：它会把自己原来针对整个 held/ 的规则改为每个目录一条。"
    "你自己的规则请排除 held/。",
)
_SET_UP_AGAIN = Text(
    "The role does not allow all that holding back needs: run manage.py setup again.",
    "角色还不允许暂存所需的全部操作：请再运行一次 manage.py setup。",
)
