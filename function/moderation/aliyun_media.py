"""
Videos and sounds at Aliyun's Content Moderation: submitted once, the result fetched later.

The verdict is the worst of all levels and labels: of the whole, of its frames and of its sound. A part that
is missing, or that cannot be read, leaves the file to a human.

Source: https://help.aliyun.com/zh/document_detail/2505810.html
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from function.config.profile import Profile
from function.context import RequestContext
from function.moderation.aliyun import ask
from function.moderation.aliyun_verdict import (
    Risk,
    Verdict,
    is_number,
    label_of,
    level_in,
    list_in,
    risk_in,
    unreadable,
    verdict_about,
)

VIDEO, AUDIO = "video", "audio"
# By main type: the action that submits one, and Aliyun's rules for it.
ACTIONS = {VIDEO: ("VideoModeration", "videoDetection"), AUDIO: ("VoiceModeration", "audio_media_detection")}
TASK_ID = r"[A-Za-z0-9_.-]{1,128}"


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
    action, service = ACTIONS[main_type][0], _service(profile, main_type)
    data = ask(context, action, service, {"url": url, "dataId": data_id}, DataId=data_id)
    if isinstance(data, Verdict):
        return data
    task = data.get("TaskId")
    return task if isinstance(task, str) and re.fullmatch(TASK_ID, task) else unreadable()


def fetch_result(context: RequestContext, profile: Profile, main_type: str, task: str) -> Verdict:
    """Return the verdict of a task; its ``errcode`` is ``RUNNING`` while there is none."""
    action, service = f"{ACTIONS[main_type][0]}Result", _service(profile, main_type)
    data = ask(context, action, service, {"taskId": task}, TaskId=task)
    if isinstance(data, Verdict):
        return data
    try:
        return verdict_about(_risks_in(data, main_type), profile.check_reject)
    except ValueError:
        return unreadable()


def _service(profile: Profile, main_type: str) -> str:
    # Services abroad are named like this.
    suffix = re.search("_(cb|global)$", profile.check_service)
    return ACTIONS[main_type][1] + (suffix[0] if suffix else "")


def _risks_in(data: Mapping[str, Any], main_type: str) -> Iterator[Risk]:
    """Yield the risk of each part; raise ``ValueError`` if one is missing or odd."""
    yield Risk(level_in(data), ())
    if main_type == VIDEO:
        yield from _risks_of_frames(_part(data, "FrameResult"))
        data = _part(data, "AudioResult")
        yield Risk(level_in(data), ())
    for piece in list_in(data, "SliceDetails"):
        level, found = level_in(piece), piece.get("Labels")
        # Several are one text.
        labels = label_of(found).split(",") if found else []
        yield Risk(level, tuple((label, level) for label in labels))


def _risks_of_frames(part: Mapping[str, Any]) -> Iterator[Risk]:
    yield Risk(level_in(part), ())
    count = part.get("FrameNum")
    # Without a frame nothing was looked at.
    if not is_number(count) or not count >= 1:
        raise ValueError
    for frame in list_in(part, "Frames"):
        for result in list_in(frame, "Results", least=1):
            yield risk_in({**result, "RiskLevel": level_in(frame)})


def _part(data: Mapping[str, Any], name: str) -> dict[str, Any]:
    part = data.get(name)
    if not (part and isinstance(part, dict)):
        raise ValueError
    return part
