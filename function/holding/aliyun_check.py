"""
The check by Aliyun: ask about an upload, keep the answer, and act on it in the same request.

One request asks, which holds the lease. An answer counts only for an object that was not stored again while
Aliyun looked, and only a pass publishes. Where WeChat checks as well, a pass or doubt waits for its verdict.
"""

from contextlib import suppress
from datetime import timedelta

from function.config.green import ALIYUN
from function.config.profile import CREDENTIALS_MARGIN
from function.context import RequestContext
from function.errors import UploadError
from function.holding import records
from function.holding.aliyun_record import NUMBER, AliyunCheck, get_aliyun_check
from function.holding.decision import BY_CHECK, decide, forget_due, leave_to_a_human, settle
from function.holding.held_upload import HeldUpload, held_url
from function.holding.records import PUBLISH, REJECT
from function.holding.state import BY_ALIYUN, CHECKING, OPEN, REVIEW, HeldState
from function.holding.wechat_check import note_check
from function.holding.wechat_submission import obstacle_in
from function.moderation.aliyun import (
    ACTIONS,
    check_picture,
    fetch_result,
    seconds_for_a_call,
    submit_media,
)
from function.moderation.aliyun_verdict import AUDIO, RUNNING, Verdict, not_checked
from function.moderation.finding import CHANGED, NOT_CHECKED, UNSUPPORTED, Finding, Outcome
from function.moderation.wechat import may_be_sound
from function.oss.client import OssClient

PICTURE = "image"
# A picture is fetched at once, a video in its turn.
PICTURE_URL_LIFE, MEDIA_URL_LIFE = timedelta(minutes=5), timedelta(minutes=30)
# A call is not begun with less time.
LEAST_SECONDS = 0.5


def continue_with_aliyun(
    context: RequestContext, oss: OssClient, upload: HeldUpload, current: HeldState
) -> HeldState:
    """
    Do what is due of the check by Aliyun, unless another request does.

    Args:
        current: with ``due`` as ``BY_ALIYUN``.

    Returns:
        the state; ``due`` of WeChat if that is next.

    Raises:
        UploadError: OSS refuses, or does not respond; it is continued after a minute.
    """
    check = current.aliyun
    if check is not None and check.verdict is not None:
        return _apply(context, oss, upload, check, check.verdict)
    # From now on a tick continues it; one record stands for all attempts.
    name = note_check(context, oss, upload) if check is None else ""
    # A request that has waited for Aliyun in vain does not wait again for its other uploads.
    if context.aliyun_has_failed or seconds_for_a_call(context) < LEAST_SECONDS:
        return current
    # Asking for the result of a task costs nothing.
    is_free = check is not None and check.task
    if not is_free and not records.create(oss, current.lease, {}, context.now):
        # Another request was faster: it has asked by now, or is about to ask.
        latest = settle(context, oss, upload)
        is_due = latest.due == BY_ALIYUN and latest.lease != current.lease
        return continue_with_aliyun(context, oss, upload, latest) if is_due else latest
    after = _look(context, oss, upload, current)
    if name and after.state != CHECKING:
        forget_due(context, oss, name)
    return after


def _look(context: RequestContext, oss: OssClient, upload: HeldUpload, current: HeldState) -> HeldState:
    check = current.aliyun or AliyunCheck(context.now, context.now)
    stored_at = check.stored_at if check.task else current.stored_at
    check = check._replace(at=context.now, stored_at=stored_at)
    try:
        found = _ask(context, oss, upload, check)
    except UploadError as error:
        context.line.reason = f"check: {error.code}, {error.reason}"
        context.aliyun_has_failed |= not error.is_own
        found = not_checked()
    if isinstance(found, Finding):
        return leave_to_a_human(context, oss, upload, found)
    record = records.submission_key(upload.check_id, NUMBER)
    if isinstance(found, Verdict) and found.outcome is not Outcome.ERROR:
        check = check._replace(verdict=found)
        records.put(oss, record, check.fields, context.now)
        return _apply(context, oss, upload, check, found)
    if isinstance(found, str):
        check = check._replace(task=found, failures=0)
    elif check.task and found.finding.errcode == RUNNING:
        check = check._replace(asked=check.asked + 1, failures=0)
    elif context.aliyun_has_failed and check.task:
        # Nothing was said about this one, and asking again costs nothing.
        return current
    elif not context.aliyun_has_failed:
        check = check._replace(failures=check.failures + 1)
    # If this fails, the lease ends by itself.
    with suppress(UploadError):
        records.put(oss, record, check.fields, context.now)
    return HeldState(CHECKING, silent_at=check.next_at(current.held_until or upload.held_until))


def _ask(
    context: RequestContext, oss: OssClient, upload: HeldUpload, check: AliyunCheck
) -> Verdict | str | Finding:
    """Return the verdict, the id of a new task, or why no checker may look."""
    profile, main_type = upload.profile, upload.shown.content_type.partition("/")[0]
    if check.task:
        return fetch_result(context, profile, main_type, check.task)
    obstacle, beginning = obstacle_in(oss, upload)
    is_other = main_type not in (PICTURE, *ACTIONS) or (main_type == AUDIO and not may_be_sound(beginning))
    if obstacle or is_other:
        return Finding(obstacle or UNSUPPORTED)
    is_picture = main_type == PICTURE
    life = PICTURE_URL_LIFE if is_picture else MEDIA_URL_LIFE
    life = min(life, context.settings.session_life - 2 * CREDENTIALS_MARGIN)
    url = held_url(context, oss, upload, life, is_until_session_ends=not is_picture)
    if is_picture:
        return check_picture(context, profile, url, upload.upload_id)
    return submit_media(context, profile, main_type, url, upload.upload_id)


def _apply(
    context: RequestContext, oss: OssClient, upload: HeldUpload, check: AliyunCheck, verdict: Verdict
) -> HeldState:
    current = settle(context, oss, upload)
    if current.state not in OPEN:
        return current
    # What was stored meanwhile, even as the same bytes, may have been something else while Aliyun looked.
    if current.stored_at != check.stored_at:
        return leave_to_a_human(context, oss, upload, Finding(CHANGED, ALIYUN))
    if verdict.outcome is Outcome.RISKY:
        return decide(context, oss, upload, REJECT, BY_CHECK, verdict.finding)
    if current.state == REVIEW or upload.profile.is_checked_by_wechat:
        return current
    if verdict.outcome is not Outcome.PASS:
        return leave_to_a_human(context, oss, upload, verdict.finding)
    return decide(context, oss, upload, PUBLISH, BY_CHECK, verdict.finding)


def doubt_of_aliyun(oss: OssClient, upload: HeldUpload, current: HeldState) -> Finding | None:
    """Return why a pass of WeChat alone does not publish; ``None`` if Aliyun passed the same object."""
    check = get_aliyun_check(oss, upload.check_id)
    if check is None or check.verdict is None:
        return Finding(NOT_CHECKED, ALIYUN)
    if check.stored_at != current.stored_at:
        return Finding(CHANGED, ALIYUN)
    return None if check.verdict.outcome is Outcome.PASS else check.verdict.finding
