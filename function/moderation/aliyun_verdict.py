"""
Answers of Aliyun's Content Moderation (Green): read with each type checked, and trusted strictly.

===========  ==========================================================================================
outcome      answer
===========  ==========================================================================================
``PASS``     done, risk none or low, and every label is ``nonLabel``
``RISKY``    done, risk high, and a label of a rejected family whose own risk is not lower
``REVIEW``   anything else that was done, unreadable data as well; a file too large, or of no known format
``ERROR``    not checked: any other code or HTTP status, an answer about something else, no JSON
===========  ==========================================================================================

Green's own codes are numbers; the gateway before it, which refuses signatures and rights, has texts.

Sources:
    https://help.aliyun.com/zh/document_detail/467829.html
    https://help.aliyun.com/zh/document_detail/2505810.html
"""

import re
from collections.abc import Iterable, Iterator, Mapping

from function.annotations import Any, NamedTuple, TypeGuard
from function.config.green import ALIYUN
from function.http.client import HttpResponse
from function.http.json_body import object_in
from function.moderation.finding import (
    ERRCODE,
    LABEL,
    MAX_LABELS,
    NOT_CHECKED,
    UNREADABLE,
    Finding,
    Label,
    Outcome,
)

# Done; a task that still runs.
DONE, RUNNING = 200, 280
# No repetition changes these: too large, of another format; the second pair is of the earlier edition.
UNCHECKABLE = (406, 407, 589, 590)
# Not activated, overdue, or the caller lacks the right; texts by their beginning.
FORBIDDEN, FORBIDDEN_TEXTS = (408, 411), ("NoPermission", "Forbidden")
VIDEO, AUDIO = "video", "audio"
NO_LABEL = "nonLabel"
LEVELS = ("none", "low", "medium", "high")
HIGH, HARMLESS = "high", ("none", "low")
# Without quotes and backslashes, which grow each time that JSON is written into JSON.
LABEL_TEXT, CODE_TEXT, MAX_CODE = r"[!#-\[\]-~]{1,128}", r"[A-Za-z0-9._-]{1,80}", 10**9
MAX_CONFIDENCE = 100


class Verdict(NamedTuple):
    """
    Verdict of Aliyun about one file.

    Args:
        finding: of an ``ERROR`` its ``errcode`` says what to do; without one there was no answer.
        is_forbidden: True if the account or the function's role lacks the right to ask.
    """

    outcome: Outcome
    finding: Finding
    is_forbidden: bool = False


class Risk(NamedTuple):
    """A level and the labels that belong to it, each with a level of its own where it has one."""

    level: str
    labels: tuple[tuple[str, str], ...]


def not_checked(code: Label | None = None, *, is_forbidden: bool = False) -> Verdict:
    """Return the verdict that nobody has looked at the file."""
    return Verdict(Outcome.ERROR, Finding(NOT_CHECKED, ALIYUN, errcode=code), is_forbidden)


def unreadable() -> Verdict:
    """Return the verdict of an answer that was given, and that cannot be understood."""
    return Verdict(Outcome.REVIEW, Finding(UNREADABLE, ALIYUN))


def data_of(response: HttpResponse, **echoed: str) -> dict[str, Any] | Verdict:
    """
    Return the data of an answer that is done; of any other answer the verdict.

    Args:
        echoed: fields of the data that must have these values.
    """
    answer = object_in(response.body)
    if answer is None:
        return not_checked()
    code = _code_in(answer)
    if (response.status, code) == (200, DONE):
        data = answer.get("Data")
        if not isinstance(data, dict):
            return unreadable()
        is_ours = all(data.get(name) == value for name, value in echoed.items())
        return data if is_ours else not_checked()
    if code in UNCHECKABLE:
        return Verdict(Outcome.REVIEW, Finding(ERRCODE, ALIYUN, errcode=code))
    is_forbidden = code in FORBIDDEN or str(code).startswith(FORBIDDEN_TEXTS)
    return not_checked(code, is_forbidden=is_forbidden)


def read_picture(data: Mapping[str, Any], rejected: Iterable[str]) -> Verdict:
    """
    Return the verdict in the data of a picture.

    Args:
        rejected: prefixes of labels.
    """
    try:
        risk = _risk_in(data)
    except ValueError:
        return unreadable()
    # A human of Aliyun looks at it as well.
    return _verdict_about([risk], rejected, has_doubts=data.get("ManualTaskId") not in (None, ""))


def read_media(data: Mapping[str, Any], main_type: str, rejected: Iterable[str]) -> Verdict:
    """
    Return the verdict in the data of a video or sound: the worst of the whole, its frames and its sound.

    A part that is missing, or that cannot be read, leaves the file to a human.

    Args:
        main_type: ``VIDEO`` or ``AUDIO``.
        rejected: prefixes of labels.
    """
    try:
        return _verdict_about(_risks_in(data, main_type), rejected)
    except ValueError:
        return unreadable()


def _verdict_about(risks: Iterable[Risk], rejected: Iterable[str], *, has_doubts: bool = False) -> Verdict:
    """
    Return the verdict about all parts of a file: the worst of their levels and labels.

    Args:
        has_doubts: True if it is not final.
    """
    risks, prefixes = [*risks], tuple(rejected)
    found = [(label, risk.level == own == HIGH) for risk in risks for label, own in risk.labels]
    labels = [label for label, _ in found]
    bad = [label for label, is_high in found if is_high and label.startswith(prefixes)]
    levels = {level for risk in risks for level in (risk.level, *(own for _, own in risk.labels))}
    is_harmless = levels <= {*HARMLESS} and {*labels} <= {NO_LABEL}
    outcome = Outcome.RISKY if bad else Outcome.PASS if is_harmless else Outcome.REVIEW
    deciding = next((label for label in [*bad, *labels] if label != NO_LABEL), next(iter(labels), None))
    finding = Finding(LABEL, ALIYUN, deciding, tuple(dict.fromkeys(labels))[:MAX_LABELS])
    return Verdict(Outcome.REVIEW if has_doubts else outcome, finding)


def _risk_in(data: Mapping[str, Any]) -> Risk:
    """Return the risk of ``RiskLevel`` and ``Result``; raise ``ValueError`` if they are missing or odd."""
    level = _level_in(data)
    return Risk(level, tuple(_label(result, level) for result in _list_in(data, "Result", least=1)))


def _level_in(data: Mapping[str, Any]) -> str:
    """Return the ``RiskLevel``; raise ``ValueError`` if it is missing or unknown."""
    level = data.get("RiskLevel")
    if level not in LEVELS:
        raise ValueError
    return str(level)


def _list_in(data: Mapping[str, Any], name: str, least: int = 0) -> list[dict[str, Any]]:
    """Return a list of at least so many objects; raise ``ValueError`` if it is anything else."""
    found = data.get(name)
    if not isinstance(found, list) or len(found) < least or not all(isinstance(each, dict) for each in found):
        raise ValueError
    return found


def _risks_in(data: Mapping[str, Any], main_type: str) -> Iterator[Risk]:
    """Yield the risk of each part; raise ``ValueError`` if one is missing or odd."""
    yield Risk(_level_in(data), ())
    if main_type == VIDEO:
        yield from _risks_of_frames(_part(data, "FrameResult"))
        data = _part(data, "AudioResult")
        yield Risk(_level_in(data), ())
    for piece in _list_in(data, "SliceDetails"):
        level, found = _level_in(piece), piece.get("Labels")
        # Several are one text.
        labels = _label_of(found).split(",") if found else []
        yield Risk(level, tuple((label, level) for label in labels))


def _risks_of_frames(part: Mapping[str, Any]) -> Iterator[Risk]:
    yield Risk(_level_in(part), ())
    count = part.get("FrameNum")
    # Without a frame nothing was looked at.
    if not _is_number(count) or not count >= 1:
        raise ValueError
    for frame in _list_in(part, "Frames"):
        for result in _list_in(frame, "Results", least=1):
            yield _risk_in({**result, "RiskLevel": _level_in(frame)})


def _part(data: Mapping[str, Any], name: str) -> dict[str, Any]:
    part = data.get(name)
    if not isinstance(part, dict):
        raise ValueError  # noqa: TRY004 - an odd answer, not a bug
    return part


def _label(result: Mapping[str, Any], level: str) -> tuple[str, str]:
    """Return a label and its own level, that of the whole by default."""
    own = level if result.get("RiskLevel") is None else _level_in(result)
    confidence = result.get("Confidence")
    if confidence is not None and not (_is_number(confidence) and 0 <= confidence <= MAX_CONFIDENCE):
        raise ValueError
    return _label_of(result.get("Label")), own


def _label_of(value: object) -> str:
    """Return a label; raise ``ValueError`` if it is none that can be kept."""
    if not isinstance(value, str) or not re.fullmatch(LABEL_TEXT, value):
        raise ValueError
    return value


def _is_number(value: object) -> TypeGuard[int | float]:
    """Return whether a value of JSON is a number; Python takes true and false for numbers, too."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def _code_in(answer: Mapping[str, Any]) -> Label | None:
    """Return Green's number, or the gateway's text; ``None`` if it is neither."""
    code = answer.get("Code")
    if isinstance(code, str):
        return code if re.fullmatch(CODE_TEXT, code) else None
    is_code = isinstance(code, int) and _is_number(code) and abs(code) < MAX_CODE
    return code if is_code else None
