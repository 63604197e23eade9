"""
Aliyun's Content Moderation (Green), enhanced edition: a picture is looked at during the call, a video or
sound is submitted once, and the result fetched later.

The function's own role asks, never a session. A call is billed when it is done, and cannot be taken back: who
asks holds a lease. Green fetches the file by a presigned URL, so it needs no consent to read the bucket.

Sources:
    https://help.aliyun.com/zh/document_detail/467829.html
    https://help.aliyun.com/zh/document_detail/2505810.html
"""

import json
import re
from collections.abc import Mapping

from function.annotations import Any
from function.config.green import ALIYUN
from function.config.profile import Profile
from function.context import RequestContext
from function.http.client import TOO_LONG, ExchangeFailed
from function.moderation.aliyun_verdict import (
    AUDIO,
    FORBIDDEN,
    RUNNING,
    VIDEO,
    Verdict,
    data_of,
    not_checked,
    read_media,
    read_picture,
    unreadable,
)
from function.moderation.finding import Outcome
from function.request_log import encode, log
from function.sts import aliyun_sdk

VERSION = "2022-03-02"
# By main type: the action that submits one, and Aliyun's rules for it.
ACTIONS = {VIDEO: ("VideoModeration", "videoDetection"), AUDIO: ("VoiceModeration", "audio_media_detection")}
TASK_ID = r"[A-Za-z0-9_.-]{1,128}"
# Of one call; the shorter one where the request itself has little time, as OSS waits for a callback.
SECONDS, SHORT_SECONDS = 6.0, 2.0
# The result of a video lists its frames.
MAX_ANSWER_BYTES = 4 * 1024 * 1024
# Codes that any other file would get as well: too many calls, a missing right, a quota.
OF_THE_ACCOUNT = (403, *FORBIDDEN, 588)
# For the record of the answer and for the copy that publishes.
RESERVED_SECONDS = 1.5


def seconds_for_a_call(context: RequestContext) -> float:
    """Return how long Green may take now; at most 0 if there is no time to ask."""
    left = context.seconds_left() - RESERVED_SECONDS
    return min(SECONDS if left > SECONDS else SHORT_SECONDS, left)


def check_picture(context: RequestContext, profile: Profile, url: str, data_id: str) -> Verdict:
    """
    Have Green fetch and judge a picture; one attempt.

    Args:
        url: presigned, of the object itself.
        data_id: of the upload; at most 64 letters, digits, ``_``, ``-`` and full stops.

    Raises:
        Misconfigured: the function has no keys of its own.
    """
    parameters = {"imageUrl": url, "dataId": data_id}
    data = _ask(context, "ImageModeration", profile.check_service, parameters, DataId=data_id)
    return data if isinstance(data, Verdict) else read_picture(data, profile.check_reject)


def submit_media(
    context: RequestContext, profile: Profile, main_type: str, url: str, data_id: str
) -> str | Verdict:
    """
    Have Green fetch a video or sound, and look at it in its own time.

    Args:
        main_type: a key of ``ACTIONS``.
        url: presigned, for as long as the download may take.

    Returns:
        the id of the task, or why there is none.
    """
    action, service = ACTIONS[main_type][0], service_for(profile, main_type)
    data = _ask(context, action, service, {"url": url, "dataId": data_id}, DataId=data_id)
    if isinstance(data, Verdict):
        return data
    task = data.get("TaskId")
    return task if isinstance(task, str) and re.fullmatch(TASK_ID, task) else unreadable()


def fetch_result(context: RequestContext, profile: Profile, main_type: str, task: str) -> Verdict:
    """Return the verdict of a task; its ``errcode`` is ``RUNNING`` while there is none."""
    action, service = f"{ACTIONS[main_type][0]}Result", service_for(profile, main_type)
    data = _ask(context, action, service, {"taskId": task}, TaskId=task)
    return data if isinstance(data, Verdict) else read_media(data, main_type, profile.check_reject)


def service_for(profile: Profile, main_type: str) -> str:
    """Return the service that looks at videos or sounds, where a profile names that for pictures."""
    # Services abroad are named like this.
    suffix = re.search("_(cb|global)$", profile.check_service)
    return ACTIONS[main_type][1] + (suffix[0] if suffix else "")


def region_at(endpoint: str, otherwise: str) -> str:
    """Return the region whose address this is: files may be looked at in another than the bucket's."""
    found = re.search(r"green-cip(?:-vpc)?\.([a-z0-9-]+)\.", endpoint)
    return found[1] if found else otherwise


def _ask(
    context: RequestContext, action: str, service: str, parameters: Mapping[str, str], **echoed: str
) -> dict[str, Any] | Verdict:
    """
    Make one call and log why it checked nothing; if that is not the file's fault, this request asks no more.

    Args:
        echoed: fields of the data that must have these values.

    Returns:
        the data of an answer that is done, else the verdict.
    """
    endpoint = context.settings.green_endpoint
    assert endpoint is not None, "as the settings demand"
    began = context.instance.monotonic()
    try:
        response = aliyun_sdk.post(
            action,
            VERSION,
            {"Service": service, "ServiceParameters": json.dumps(parameters, separators=(",", ":"))},
            endpoint=endpoint,
            region=region_at(endpoint, context.settings.region),
            own=context.own_keys(),
            send=context.send,
            seconds=seconds_for_a_call(context),
            max_bytes=MAX_ANSWER_BYTES,
        )
        data, failure = data_of(response, **echoed), f"HTTP {response.status}"
    except ExchangeFailed as error:
        # An answer was given, about this file alone.
        data, failure = unreadable() if error.kind == TOO_LONG else not_checked(), error.kind
        context.line.reason = f"{action}: {failure}"
    # No other service's budget pays for them.
    context.checker_seconds += context.instance.monotonic() - began
    if isinstance(data, Verdict) and data.outcome is Outcome.ERROR and data.finding.errcode != RUNNING:
        code = data.finding.errcode
        # Other numbers are about this file.
        context.aliyun_has_failed |= not isinstance(code, int) or code in OF_THE_ACCOUNT
        _log_failure(context, action, data, failure)
    return data


def _log_failure(context: RequestContext, action: str, verdict: Verdict, failure: str) -> None:
    code = verdict.finding.errcode
    context.line.reason = f"{action}: {failure}, " + ("no valid answer" if code is None else f"code {code}")
    if verdict.is_forbidden:
        cure = "activate Content Moderation, pay what is overdue, or grant this to the function's own role"
        right = f"yundun-greenweb:{action}"
        log.error(encode({"check": ALIYUN, "code": code, "right": right, "reason": cure}))
