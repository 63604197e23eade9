"""
``Data`` of an answer: what is said about a picture, a video or a sound.

Sources: https://help.aliyun.com/zh/document_detail/467829.html, and the OpenAPI metadata of Green 2022-03-02
"""

from collections.abc import Callable
from typing import Any

from local.green.plan import PlannedAnswer

# Above 64 KiB, as of a video of many frames, and above 4 MiB, which the function does not read.
REPEATED = {"long": 1_000, "too_long": 60_000}
VERDICT_BY_NAME = {"risky-": "risky", "review-": "review", "silent-": "silent"}
Data = dict[str, Any]

# Level, label, confidence and description of each.
VERDICTS: dict[str, tuple[str, str, float | None, str]] = {
    "pass": ("none", "nonLabel", None, "未检测出风险"),
    "low": ("low", "nonLabel", None, "未检测出风险"),
    "review": ("medium", "violent_explosion", 61.25, "烟火类内容"),
    "risky": ("high", "pornographic_adultContent", 98.5, "成人色情"),
    "white_list": ("none", "nonLabel_lib", None, "命中自定义免审图库"),
}


def verdict_by(name: str) -> str:
    """The verdict that a file name asks for."""
    return next((verdict for begin, verdict in VERDICT_BY_NAME.items() if name.startswith(begin)), "pass")


def data_of_picture(verdict: str, planned: PlannedAnswer, data_id: str) -> Data:
    level, result = _result(verdict, planned)
    data: Data = {"DataId": data_id, "RiskLevel": level, "Result": result}
    return _changed(data, planned.shape)


def data_of_video(verdict: str, planned: PlannedAnswer, data_id: str, task_id: str) -> Data:
    """Frames and sound; the verdict is that of the frames, but for the shape ``risky_sound``."""
    level, result = _result(verdict, planned)
    sound = _sound("risky" if planned.shape == "risky_sound" else "pass", planned)
    frame = {"Offset": 1, "TempUrl": "http://example.com/frame.jpg", "RiskLevel": level}
    frame["Results"] = [{"Service": "videoDetection", "Result": result}]
    data: Data = {
        "DataId": data_id,
        "TaskId": task_id,
        "RiskLevel": "high" if planned.shape == "risky_sound" else level,
        "FrameResult": {"FrameNum": 1, "Frames": [frame], "RiskLevel": level},
        "AudioResult": sound,
    }
    return _changed(data, planned.shape)


def data_of_sound(verdict: str, planned: PlannedAnswer, data_id: str, task_id: str) -> Data:
    data: Data = {"DataId": data_id, "TaskId": task_id, **_sound(verdict, planned)}
    return _changed(data, planned.shape)


def _result(verdict: str, planned: PlannedAnswer) -> tuple[str, list[Data]]:
    level, label, confidence, description = VERDICTS[verdict]
    entry: Data = {"Label": planned.label or label, "Description": description}
    if confidence is not None:
        entry["Confidence"] = confidence
    result = [entry]
    match planned.shape:
        case "null_confidence" | "text_confidence" | "confidence_over_100":
            odd = {"null_confidence": None, "text_confidence": "98.5", "confidence_over_100": 100.01}
            entry["Confidence"] = odd[planned.shape]
        case "no_confidence":
            entry.pop("Confidence", None)
        case "number_label":
            entry["Label"] = 20002
        case "two_labels":
            result = [{"Label": "political_flag", "Confidence": 70, "Description": "旗帜"}, entry]
        case "lower_own_level":
            entry["RiskLevel"] = "low"
    return level, result * REPEATED.get(planned.shape, 1)


def _sound(verdict: str, planned: PlannedAnswer) -> Data:
    level, label, confidence, _ = VERDICTS[verdict]
    slice_ = {"StartTime": 0, "EndTime": 1, "Text": "", "Labels": planned.label, "RiskLevel": level}
    if confidence is not None:
        slice_ |= {"Labels": planned.label or label, "Score": confidence}
    return {"SliceDetails": [slice_], "RiskLevel": level}


def _changed(data: Data, shape: str) -> Data:
    """The data in a planned shape."""
    if change := CHANGES.get(shape):
        change(data)
    return data


def _without(*names: str) -> Callable[[Data], None]:
    def change(data: Data) -> None:
        for name in names:
            data.pop(name, None)

    return change


def _with(**fields: Any) -> Callable[[Data], None]:
    return lambda data: data.update(fields)


CHANGES: dict[str, Callable[[Data], None]] = {
    "other_data_id": _with(DataId="of-another-call"),
    "no_data_id": _without("DataId"),
    "no_level": _without("RiskLevel"),
    "unknown_level": _with(RiskLevel="severe"),
    "null_level": _with(RiskLevel=None),
    "no_result": _without("Result"),
    "empty_result": _with(Result=[]),
    "null_result": _with(Result=None),
    "list_result": _with(Result=[["nonLabel"]]),
    "manual_task": _with(ManualTaskId="m-0001"),
    "no_frames": _without("FrameResult"),
    "no_sound": _without("AudioResult"),
    "no_parts": _without("FrameResult", "AudioResult", "SliceDetails"),
}
