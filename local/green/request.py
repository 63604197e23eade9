"""
What a call of Content Moderation asks for: ``Service`` and ``ServiceParameters``, checked one by one.

Sources: https://help.aliyun.com/zh/document_detail/467829.html (pictures),
https://help.aliyun.com/zh/document_detail/467826.html (services)
"""

import json
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from local.green.codes import EMPTY, TOO_LONG, WRONG, GreenError

DATA_ID_CHARACTERS = 64
DATA_ID = re.compile(r"[A-Za-z0-9_.-]*", re.ASCII)
# In regions beyond the mainland a service has a suffix, and so has a copy made in the console.
SUFFIX = re.compile(r"_(?:cb|global|0[1-9]|[1-9][0-9])$", re.ASCII)
PICTURES, VIDEO, SOUND = "ImageModeration", "VideoModeration", "VoiceModeration"
RESULTS = {"VideoModerationResult": VIDEO, "VoiceModerationResult": SOUND}
ACTIONS = (PICTURES, VIDEO, SOUND, *RESULTS)
SERVICES = {
    PICTURES: frozenset(
        "baselineCheck baselineCheck_pro tonalityImprove aigcCheck profilePhotoCheck postImageCheck "
        "advertisingCheck liveStreamCheck riskDetection generalOcr generalRecognition postImageCheckByVL "
        "baselineCheckByVL".split()
    ),
    VIDEO: frozenset({"videoDetection"}),
    SOUND: frozenset({"audio_media_detection"}),
}
URL_NAMES = {PICTURES: "imageUrl", VIDEO: "url", SOUND: "url"}


class Asked(NamedTuple):
    """
    Args:
        url: of the file; empty where its bucket and key are named.

        bucket, key: of the file; empty where its URL is given.

        data_id: empty where none was given.
    """

    service: str
    url: str
    bucket: str
    key: str
    data_id: str


def read_asked(action: str, given: Mapping[str, str], longest_url: int) -> Asked:
    """
    Raises:
        GreenError: 400 for what is empty, 401 for what is wrong, 402 for what is too long.
    """
    wanted = _read_parameters(given)
    service = given["Service"]
    if service not in SERVICES[action] and SUFFIX.sub("", service) not in SERVICES[action]:
        raise GreenError(WRONG)
    data_id = _text(wanted, "dataId")
    if len(data_id) > DATA_ID_CHARACTERS:
        raise GreenError(TOO_LONG)
    if DATA_ID.fullmatch(data_id) is None:
        raise GreenError(WRONG)
    url = _text(wanted, URL_NAMES[action])
    bucket, key = (_text(wanted, name) for name in ("ossBucketName", "ossObjectName"))
    if not url and not (bucket and key):
        raise GreenError(EMPTY)
    if len(url) > longest_url:
        raise GreenError(TOO_LONG)
    # Neither scheme nor host may be left to the service; letters beyond ASCII are to be percent-encoded.
    if url and not (url.startswith(("http://", "https://")) and url.isascii()):
        raise GreenError(WRONG)
    return Asked(service, url, "" if url else bucket, "" if url else key, data_id)


def read_task_id(given: Mapping[str, str]) -> str:
    """
    Raises:
        GreenError: as ``read_asked``.
    """
    task_id = _text(_read_parameters(given), "taskId")
    if not task_id:
        raise GreenError(EMPTY)
    return task_id


def _read_parameters(given: Mapping[str, str]) -> dict[str, Any]:
    if not given.get("Service") or not given.get("ServiceParameters"):
        raise GreenError(EMPTY)
    try:
        wanted = json.loads(given["ServiceParameters"])
    except (ValueError, RecursionError):
        raise GreenError(WRONG) from None
    if not isinstance(wanted, dict):
        raise GreenError(WRONG)
    return wanted


def _text(wanted: Mapping[str, Any], name: str) -> str:
    value = wanted.get(name, "")
    if not isinstance(value, str):
        raise GreenError(WRONG)
    return value
