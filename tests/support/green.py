"""Aliyun's Content Moderation in memory: each call is answered as planned."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit

from function.http.client import ExchangeFailed, HttpResponse
from tests.support.wechat import key_of
from tests.support.wechat import response as response_of

# Data of an answer that is done, by the word for it.
FOUND: Mapping[str, tuple[str, str]] = {
    "pass": ("none", "nonLabel"),
    "risky": ("high", "pornographic_adultContent"),
    "review": ("medium", "political_x"),
}


class Call(NamedTuple):
    """A call of Green's API."""

    action: str
    service: str
    parameters: dict[str, Any]
    query: dict[str, str]
    options: Mapping[str, Any]

    @property
    def url(self) -> str:
        return str(self.parameters.get("imageUrl") or self.parameters.get("url"))


@dataclass
class Green:
    """
    Attributes:
        answers: of the next calls, one each, then always ``pass``: a word of ``FOUND``, a code, ``None`` for
            silence, or as of ``wechat.response``; ``running`` of a task.

        asked: every call.

        checks: every picture that was asked about, by key, and its planned answer.

        happens: while a call is made, before the response.
    """

    answers: list[Any] = field(default_factory=list)
    asked: list[Call] = field(default_factory=list)
    checks: list[tuple[str, Any]] = field(default_factory=list)
    happens: Callable[[], Any] = lambda: None

    def send(self, method: str, url: str, *, body: bytes | None = None, **options: Any) -> HttpResponse:
        """In place of the function's network."""
        assert method == "POST"
        query, form = dict(parse_qsl(urlsplit(url).query)), dict(parse_qsl((body or b"").decode()))
        # A form and a signature encode a space differently.
        assert " " not in form["ServiceParameters"]
        call = Call(query["Action"], form["Service"], json.loads(form["ServiceParameters"]), query, options)
        self.asked.append(call)
        planned = self.answers.pop(0) if self.answers else "pass"
        if not call.action.endswith("Result"):
            self.checks.append((key_of(call.url), planned))
        self.happens()
        if planned is None:
            raise ExchangeFailed("timed out")
        if planned == "running":
            planned = 280
        if isinstance(planned, int):
            return response_of({"Code": planned, "Msg": "no", "RequestId": "r"})
        if isinstance(planned, str) and planned in FOUND:
            return response_of(
                {"Code": 200, "Msg": "OK", "RequestId": "r", "Data": _data(call, *FOUND[planned])}
            )
        return response_of(planned)


def _data(call: Call, level: str, label: str) -> dict[str, Any]:
    result = [{"Label": label, **({} if label == "nonLabel" else {"Confidence": 99.5})}]
    task = call.parameters.get("taskId")
    if call.action == "ImageModeration":
        return {"DataId": call.parameters["dataId"], "RiskLevel": level, "Result": result}
    if task is None:
        return {"DataId": call.parameters["dataId"], "TaskId": f"task-{call.parameters['dataId']}"}
    says = "" if label == "nonLabel" or call.action == "VideoModerationResult" else label
    sound = {"RiskLevel": level, "SliceDetails": [{"RiskLevel": level, "Labels": says, "Text": "…"}]}
    if call.action == "VoiceModerationResult":
        return {"TaskId": task, **sound}
    frame = {"Offset": 1, "RiskLevel": level, "Results": [{"Service": "baselineCheck", "Result": result}]}
    frames = {"FrameNum": 1, "Frames": [frame], "RiskLevel": level}
    return {"TaskId": task, "RiskLevel": level, "FrameResult": frames, "AudioResult": sound}
